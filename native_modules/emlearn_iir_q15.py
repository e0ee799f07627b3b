"""IIR filters on int16 samples in viper: second-order sections with 16-bit coefficients.

Same API and answers, bit by bit, as the plain twin `emlearn_iir_q15_ref.py`. For sound and motion
above 1/100 of the sampling rate; 13 fractional bits of a coefficient place no pole nearer to DC:
for those, A-weighting among them, there is `emlearn_iir`.
Output saturates at int16. The bits that a sum loses are kept for the next one, so that there is
neither drift nor a dead band. Memory: 32 bytes a section. `run` allocates nothing; the filter keeps
a reference to its last buffer, and its state from one call to the next.
"""

from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
# Loads through a pointer are unsigned on 64-bit machines: what may be negative is kept plus this.
_BIAS = const(0x20000000)
# Bytes that read as -32767 from an array 'h' only.
_AS_H = b"\x01\x80" * 4


# A record is 8 words: the last two outputs, the remainder, b0 b1 b2 -a1 -a2. The one before all
# sections holds the last two inputs and the bytes of the others. x, y, t: locals in registers.
@micropython.viper
def _run(x: int, y: int, t: int, rec: ptr32, s: ptr16, n: int):
    last = int(rec) + rec[2]
    while n:
        x = (s[0] ^ 0x8000) - 0x8000
        q = rec
        while int(q) < last:
            p = q
            q = ptr32(int(q) + 32)
            if _WIDE:
                y = x * (q[3] - _BIAS)
                t = p[0] - _BIAS
                y += t * (q[4] - _BIAS)
                t = p[1] - _BIAS
                y += t * (q[5] - _BIAS)
                t = q[0] - _BIAS
                y += t * (q[6] - _BIAS)
                t = q[1] - _BIAS
                y += t * (q[7] - _BIAS) + q[2]
                q[2] = y & 0x1FFF
                y >>= 13
            else:
                # The sum of five products has 33 bits: the low 13 apart.
                t = x * (q[3] - _BIAS)
                y = t >> 13
                r = (t & 0x1FFF) + q[2]
                t = (p[0] - _BIAS) * (q[4] - _BIAS)
                y += t >> 13
                r += t & 0x1FFF
                t = (p[1] - _BIAS) * (q[5] - _BIAS)
                y += t >> 13
                r += t & 0x1FFF
                t = (q[0] - _BIAS) * (q[6] - _BIAS)
                y += t >> 13
                r += t & 0x1FFF
                t = (q[1] - _BIAS) * (q[7] - _BIAS)
                y += t >> 13
                r += t & 0x1FFF
                q[2] = r & 0x1FFF
                y += r >> 13
            if y > 32767:
                y = 32767
            if y < -32768:
                y = -32768
            p[1] = p[0]
            p[0] = x + _BIAS
            x = y
        q[1] = q[0]
        q[0] = x + _BIAS
        s[0] = x
        s = ptr16(int(s) + 2)
        n -= 1


def _want(x, what):
    if not isinstance(x, array) or (x[:0] + _AS_H)[0] != -32767:
        raise ValueError("%s: want array 'h'" % what)


class IIR:
    def __init__(self, coefficients):
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        self._rec = rec = array("i", (_BIAS, _BIAS, n // 6 * 32, 0, 0, 0, 0, 0))
        for i in range(0, n, 6):
            c = coefficients[i : i + 6]
            if c[1] or not _stable(c[4], c[5]):
                raise ValueError("bad section %d" % (i // 6))
            rec.extend(array("i", (_BIAS, _BIAS, 0)))
            for j in (0, 2, 3, 4, 5):
                rec.append(c[j] + _BIAS)
        self._seen = self  # nothing that is passed

    def run(self, values):
        if values is not self._seen:
            _want(values, "values")
            self._seen = values
        _run(0, 0, 0, self._rec, values, len(values))


new = IIR


def _stable(a1, a2):
    """Of -a1 and -a2, times 8192."""
    return -8192 < a2 and abs(a1) < 8192 - a2


def convert_coefficients(c, scale=8192):
    """Sections of floats as of `scipy.signal`, an array 'f' -> an array 'h' for `new`.

    A section that rounding makes unstable gets the nearest stable coefficients.
    """
    if len(c) == 0 or len(c) % 6:
        raise ValueError("want 6 coefficients a section")
    out = array("h")
    for i in range(0, len(c), 6):
        b0, b1, b2, a0, a1, a2 = c[i : i + 6]
        if a0 != 1:
            raise ValueError("bad section %d" % (i // 6))
        row = array("h")
        for v in (b0, 0, b1, b2, -a1, -a2):
            if not -4 < v < 4:
                raise ValueError("section %d: %s, want -4 to 4" % (i // 6, v))
            row.append(max(-32768, min(32767, round(v * scale))))
        row[5] = max(row[5], -8191)
        limit = 8191 - row[5]
        if abs(row[4]) > limit + 2:
            raise ValueError("section %d: unstable" % (i // 6))
        row[4] = max(-limit, min(limit, row[4]))
        out.extend(row)
    return out
