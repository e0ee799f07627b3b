"""IIR filters on int16 samples in viper: second-order sections with 16-bit coefficients.

Same API and answers, bit by bit, as the plain twin `emlearn_iir_q15_ref.py`. For sound and motion
above 1/100 of the sampling rate; 13 fractional bits of a coefficient place no pole nearer to DC:
for those, A-weighting among them, there is `emlearn_iir`.
Output saturates at int16. The bits that a sum loses are kept for the next one, so that there is
neither drift nor a dead band. Memory: 20 bytes a section. `run` allocates nothing; the filter keeps
a reference to its last buffer, and its state from one call to the next.
"""

from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
# Bytes that read as -32767 from an array 'h' only.
_AS_H = b"\x01\x80" * 4


# A record is 10 numbers: b0 rest b1 b2 -a1 -a2, the last two inputs, the last two outputs; `rest`
# is the bits that the last sum lost. One section filters all samples before the next one does: then
# its numbers are locals. x and y come first, as locals in registers: samples, and sections.
@micropython.viper
def _run(x: int, y: int, p: ptr16, s: ptr16):
    end = int(s) + x + x
    left = y
    while left:
        rest = p[1] & 0x1FFF
        b0 = p[0] - 0x8000
        b1 = p[2] - 0x8000
        b2 = p[3] - 0x8000
        a1 = p[4] - 0x8000
        a2 = p[5] - 0x8000
        x1 = (p[6] ^ 0x8000) - 0x8000
        x2 = (p[7] ^ 0x8000) - 0x8000
        y1 = (p[8] ^ 0x8000) - 0x8000
        y2 = (p[9] ^ 0x8000) - 0x8000
        q = s
        while int(q) < end:
            x = (q[0] ^ 0x8000) - 0x8000
            if _WIDE:
                y = rest + x * b0 + x1 * b1 + x2 * b2 + y2 * a2 + y1 * a1
                rest = y & 0x1FFF
                y >>= 13
            else:
                # The sum of five products has 33 bits: the low 13 apart.
                t = x * b0
                y = t >> 13
                rest += t & 0x1FFF
                t = x1 * b1
                y += t >> 13
                rest += t & 0x1FFF
                t = x2 * b2
                y += t >> 13
                rest += t & 0x1FFF
                t = y1 * a1
                y += t >> 13
                rest += t & 0x1FFF
                t = y2 * a2
                y += t >> 13
                rest += t & 0x1FFF
                y += rest >> 13
                rest &= 0x1FFF
            if y + 0x8000 >> 16:
                y = 0x7FFF ^ (y >> 31)
            q[0] = y
            q = ptr16(int(q) + 2)
            x2 = x1
            x1 = x
            y2 = y1
            y1 = y
        p[1] = rest
        p[6] = x1
        p[7] = x2
        p[8] = y1
        p[9] = y2
        p = ptr16(int(p) + 20)
        left -= 1


def _want(x, what):
    if not isinstance(x, array) or (x[:0] + _AS_H)[0] != -32767:
        raise ValueError("%s: want array 'h'" % what)


class IIR:
    def __init__(self, coefficients):
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        self._rec = rec = array("H")
        self._n = n // 6
        for i in range(0, n, 6):
            c = coefficients[i : i + 6]
            if c[1] or not _stable(c[4], c[5]):
                raise ValueError("bad section %d" % (i // 6))
            for v in c:
                rec.append(v + 32768)
            rec.extend(array("H", bytes(8)))
        self._seen = self  # nothing that is passed

    def run(self, values):
        if values is not self._seen:
            _want(values, "values")
            self._seen = values
        _run(len(values), self._n, self._rec, values)


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
