"""IIR filters: second-order sections as of `scipy.signal`, in place on arrays 'f'.

Same API as the plain twin `emlearn_iir_ref.py`, which says it in a few lines of floats.
Viper has no floats: signals are integers of 26 bits, with an exponent for each section that follows
the signal, and coefficients have 24 bits; the bits that a sum loses are kept for the next one
(direct form I, first-order noise shaping). The error is below 3e-5 of the largest input or output:
5e-6 for A-weighting at 16 kHz, 4e-6 for a low-pass filter at 1/2000 of the sampling rate, where
plain float32 loses 5e-3. It is larger with poles that are that near to half the sampling rate: 5e-5
for a low-pass filter at 0.4995 of the rate, and a band-stop filter up to there fails. So does one
of 10 poles or more with edges decades apart: sections amplify by millions what others took away,
which costs float32 as much. Inputs below 1e-38 count as 0; infinity and NaN are refused.
Memory: 64 bytes a section. `run` allocates nothing; the filter keeps a reference to its last
buffer, and its state from one call to the next.
"""

from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
# Loads through a pointer are unsigned on 64-bit machines: what may be negative is kept plus this.
_BIAS = const(0x20000000)
_LIMIT = const(0x4000000)  # of a signal
_WORDS = const(16 - 5 * _WIDE)
# Reads as a float between 1 and 2 from an array 'f' only.
_AS_F = b"\x01\x00\xc0\x3f" * 2


# A record is _WORDS words: the last two outputs, the remainder, the bits to shift the inputs' sum
# right, the exponent of the outputs, that of b, and b0 b1 b2 -a1 -a2, where words have 32 bits each
# as the 13 high bits and the low. The one before all sections holds the last two inputs, the bytes
# of the others, samples since the bits were shared out, and the inputs' exponent.
# x and y are arguments because the first two locals of a function live in registers.
# Answers with the samples left at one that is not finite, else 0.
@micropython.viper
def _run(x: int, y: int, t: int, rec: ptr32, samples: ptr32, n: int) -> int:
    last = int(rec) + rec[2]
    # Now and then, give each record the bits that its last values leave.
    rec[3] = rec[3] + n
    p = rec
    e = 0
    while rec[3] > 255:
        y = p[0] - _BIAS
        if y < 0:
            y = 0 - y
        x = p[1] - _BIAS
        if x < 0:
            x = 0 - x
        x |= y
        t = e + p[5] - _BIAS
        e = p[4] - _BIAS
        d = 0
        if x == 0:
            e = t
        elif x < 0x200000:
            while x < 0x1000000:
                if e <= t:
                    break
                x += x
                e -= 1
                d += 1
        p[0] = ((p[0] - _BIAS) << d) + _BIAS
        p[1] = ((p[1] - _BIAS) << d) + _BIAS
        p[4] = e + _BIAS
        if int(p) != int(rec):
            p[3] = e - t
        if int(p) == last:
            rec[3] = 0
        p = ptr32(int(p) + _WORDS * 4)
    while n:
        x = samples[0]
        t = (x >> 23) & 255
        if t == 255:
            return n
        d = 0
        if t == 0:
            x = 0
        else:
            y = ((x & 0x7FFFFF) | 0x800000) << 2
            t = rec[4] - _BIAS + 2 - t
            if t < 0:
                d = 0 - t
                t = 0
            elif t > 30:
                t = 30
            y >>= t
            if x >> 31:
                y = 0 - y
            x = y
        q = rec
        while True:
            if d:
                # Too large: fewer bits for this record, and for those that follow if they need it.
                q[3] = q[3] + d
                p = q
                while True:
                    t = d
                    if t > 30:
                        t = 30
                    y = 1 << t >> 1
                    p[0] = ((p[0] - _BIAS + y) >> t) + _BIAS
                    p[1] = ((p[1] - _BIAS + y) >> t) + _BIAS
                    p[4] = p[4] + d
                    if int(p) == last:
                        break
                    p = ptr32(int(p) + _WORDS * 4)
                    d -= p[3]
                    if d <= 0:
                        p[3] = 0 - d
                        break
                    p[3] = 0
            if int(q) == last:
                break
            p = q
            q = ptr32(int(q) + _WORDS * 4)
            if _WIDE:
                y = x * (q[6] - _BIAS)
                t = p[0] - _BIAS
                y += t * (q[7] - _BIAS)
                t = p[1] - _BIAS
                y += t * (q[8] - _BIAS)
                y >>= 13
                t = q[3]
                if t < 32:
                    y >>= t
                else:
                    y = 0
                t = q[0] - _BIAS
                t *= q[9] - _BIAS
                t += (q[1] - _BIAS) * (q[10] - _BIAS)
                y += (t >> 13) + q[2]
                q[2] = y & 0x7FF
                y >>= 11
            else:
                t = x >> 14
                y = x & 0x3FFF
                h = t * q[6]
                m = t * q[7]
                m += m + y * q[6]
                u = y * q[7]
                t = p[0] - _BIAS
                y = t & 0x3FFF
                t >>= 14
                h += t * q[8]
                t *= q[9]
                m += t + t + y * q[8]
                u += y * q[9]
                t = p[1] - _BIAS
                y = t & 0x3FFF
                t >>= 14
                h += t * q[10]
                t *= q[11]
                m += t + t + y * q[10]
                m += (u + y * q[11]) >> 13
                t = q[3]
                h += m >> 14
                if t < 15:
                    y = 1
                    y = (y << t) - 1
                    m = ((h & y) << (14 - t)) + ((m & 0x3FFF) >> t)
                    h >>= t
                else:
                    m = 0
                    if t < 32:
                        m = h >> (t - 14)
                    h = 0
                t = q[0] - _BIAS
                y = t & 0x3FFF
                t >>= 14
                h += t * q[12]
                t *= q[13]
                m += t + t + y * q[12]
                u = y * q[13]
                t = q[1] - _BIAS
                y = t & 0x3FFF
                t >>= 14
                h += t * q[14]
                t *= q[15]
                m += t + t + y * q[14] + q[2]
                m += (u + y * q[15]) >> 13
                q[2] = m & 0x7FF
                y = (h << 3) + (m >> 11)
            p[1] = p[0]
            p[0] = x + _BIAS
            x = y
            d = 0
            if y < 0:
                y = 0 - y
            if y >= _LIMIT:
                while y >= _LIMIT:
                    y >>= 1
                    d += 1
                x >>= d
        q[1] = q[0]
        q[0] = x + _BIAS
        if x:
            t = 0
            if x < 0:
                x = 0 - x
                t = 1
            y = q[4] - _BIAS + 3
            if x < 0x8000:
                x <<= 12
                y -= 12
            if x < 0x200000:
                x <<= 6
                y -= 6
            while x < 0x8000000:
                x += x
                y -= 1
            x = (x + 8) >> 4
            if y < 0:
                x = 0
                y = 0
            if y > 253:
                x = 0
                y = 255
            x += (y << 23) + (t << 31)
        samples[0] = x
        samples = ptr32(int(samples) + 4)
        n -= 1
    return 0


def _want(x, what):
    if type(x) is not array or not 1 < (x[:0] + _AS_F)[0] < 2:
        raise ValueError("%s: want array 'f'" % what)


class IIR:
    def __init__(self, coefficients):
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        rec = array("i", (_BIAS, _BIAS, 0, 256, _BIAS, _BIAS))
        rec.extend(array("i", bytes(4 * _WORDS - 24)))
        for i in range(0, n, 6):
            b0, b1, b2, a0, a1, a2 = coefficients[i : i + 6]
            top = abs(b0) + abs(b1) + abs(b2)  # NaN if one is
            if not (a0 == 1 and abs(a1) <= 2 and abs(a2) <= 1 and top < 1e30):
                raise ValueError("bad section %d" % (i // 6))
            top = max(abs(b0), abs(b1), abs(b2))
            e = 0
            while 0 < top < 1:
                top *= 2
                e += 1
            while top >= 2:
                top /= 2
                e -= 1
            rec.extend(array("i", (_BIAS, _BIAS, 0, 0, _BIAS, _BIAS - e)))
            e = 2.0**e
            for v in (b0 * e, b1 * e, b2 * e, -a1, -a2):
                v = round(v * 0x1000000)
                if _WIDE:
                    rec.append(_BIAS + v)
                else:
                    rec.append(v >> 13)
                    rec.append(v & 0x1FFF)
        rec[2] = 4 * (len(rec) - _WORDS)
        self._rec = rec
        self._seen = self  # nothing that is passed

    def run(self, values):
        if values is not self._seen:
            _want(values, "values")
            self._seen = values
        bad = _run(0, 0, 0, self._rec, values, len(values))
        if bad:
            raise ValueError("not finite: values[%d]" % (len(values) - bad))


new = IIR
