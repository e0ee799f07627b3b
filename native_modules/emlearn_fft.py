"""Fast Fourier transform, in place on two arrays 'f': real and imaginary parts.

Same API as the plain twin `emlearn_fft_ref.py`, which says it in a few lines of floats.
Viper has no floats: each array becomes integers of 29 bits with one exponent, of which the lower
log2(length) are there for sums; sines have 16 bits. The error of any bin is below
3e-5 + length**1.5 * 2**-27 of the largest (2e-4 at 1024; as a rule it is 2e-5, the formula is for a
click above faint noise), for lengths from 4 to 16384. Below 2e-31, numbers count as 0.
If `imag` is zeros all over, `real` is transformed as complex numbers of half the length.
Memory: 4 bytes a number, and 8 more from the first complex signal on. `run` keeps a reference to
its last two buffers and allocates nothing.
"""

import math
from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
_ONE = const(0x10000)
# Integers are kept plus this, as loads through a pointer are unsigned on 64-bit machines.
_BIAS = const(0x30000000)
# The exponent of numbers that count as 0: below 2e-31.
_TINY = const(24)
# Reads as a float between 1 and 2 from an array 'f' only.
_AS_F = b"\x01\x00\xc0\x3f" * 2


@micropython.viper
def _peaks(x: int, y: int, p: ptr32, other: ptr32) -> int:
    """The largest exponents in two arrays of x numbers, or _TINY: that of `other` times 256."""
    n = x << 2
    answer = 0
    while True:
        end = int(p) + n
        q = p
        x = 0
        while int(q) < end:
            x |= q[0] | q[1] | q[2] | q[3]
            q = ptr32(int(q) + 16)
        y = _TINY
        if x >> 23 & 255:
            while int(p) < end:
                x = (p[0] >> 23) & 255
                if x > y:
                    y = x
                x = (p[1] >> 23) & 255
                if x > y:
                    y = x
                p = ptr32(int(p) + 8)
        answer = answer >> 8 | y << 8
        if end == int(other) + n:
            return answer
        p = other


# The complex transform, in `work`, of n = x numbers up to exponent y; `other` are imaginary parts.
# If `other` is `work`, there are none. Then even numbers are real parts, odd ones imaginary, and
# what comes out makes the real transform: in `src`, the real parts of bins 0 .. n/2, then the
# imaginary, backwards. x and y come first because the first two locals live in registers.
@micropython.viper
def _forward(x: int, y: int, src: ptr32, other: ptr32, work: ptr32, table: ptr32):
    n = x
    top = y
    p = src
    while True:
        end = int(p) + (n << 2)
        while int(p) < end:
            x = p[0]
            y = top - ((x >> 23) & 255)
            if y < 25:
                y = ((((x & 0x7FFFFF) | 0x800000) << 1 >> y) + 1) >> 1
                x = 0 - ((x >> 31) & 1)
                p[0] = (y ^ x) - x + _BIAS
            else:
                p[0] = _BIAS
            p = ptr32(int(p) + 4)
        end = int(work) + (n << 2)
        size = n << 1
        apart = 4
        if int(other) == int(work):
            break
        end += n << 2
        apart = int(other) - int(src)
        if int(p) == int(other) + (n << 2):
            break
        p = other
    # In bit-reversed order, and the first stage.
    p = work
    t = 0
    while int(p) < end:
        q = ptr32(int(src) + t)
        w = ptr32(int(q) + size)
        x = w[0] - _BIAS
        y = q[0]
        p[0] = y + x
        p[2] = y - x
        q = ptr32(int(q) + apart)
        w = ptr32(int(w) + apart)
        x = w[0] - _BIAS
        y = q[0]
        p[1] = y + x
        p[3] = y - x
        x = size >> 1
        while t & x:
            t ^= x
            x >>= 1
        t |= x
        p = ptr32(int(p) + 16)
    half = 16
    step = size
    # If an odd number of stages is left: one whose factors are 1 and -j.
    x = half
    while x < end - int(work):
        x <<= 2
    if x > end - int(work):
        half = 32
        step >>= 1
        p = work
        while int(p) < end:
            x = p[4] - _BIAS
            y = p[0]
            p[0] = y + x
            p[4] = y - x
            x = p[5] - _BIAS
            y = p[1]
            p[1] = y + x
            p[5] = y - x
            x = p[6] - _BIAS
            t = p[7] - _BIAS
            y = p[2]
            p[2] = y + t
            p[6] = y - t
            y = p[3]
            p[3] = y - x
            p[7] = y + x
            p = ptr32(int(p) + 32)
    # Two stages at once: three products for four numbers, which are loaded and stored once.
    step >>= 1
    while half < end - int(work):
        p = work
        while int(p) < end:
            q = ptr32(int(p) + half)
            r = ptr32(int(q) + half)
            z = ptr32(int(r) + half)
            w = table
            v = table
            o = table
            beyond = 0
            stop = int(q)
            while int(p) < stop:
                x = q[0] - _BIAS
                y = q[1] - _BIAS
                c = v[0] - _ONE
                s = v[1]
                if _WIDE:
                    a = (x * c + y * s + 0x8000) >> 16
                    b = (y * c - x * s + 0x8000) >> 16
                else:
                    # Products of 31 bits: the low 14 bits apart.
                    a = (x & 0x3FFF) * c + (y & 0x3FFF) * s
                    b = (y & 0x3FFF) * c - (x & 0x3FFF) * s
                    x >>= 14
                    y >>= 14
                    a = ((a >> 14) + x * c + y * s + 2) >> 2
                    b = ((b >> 14) + y * c - x * s + 2) >> 2
                x = r[0] - _BIAS
                y = r[1] - _BIAS
                c = w[0] - _ONE
                s = w[1]
                if _WIDE:
                    t = (x * c + y * s + 0x8000) >> 16
                    u = (y * c - x * s + 0x8000) >> 16
                else:
                    # Products of 31 bits: the low 14 bits apart.
                    t = (x & 0x3FFF) * c + (y & 0x3FFF) * s
                    u = (y & 0x3FFF) * c - (x & 0x3FFF) * s
                    x >>= 14
                    y >>= 14
                    t = ((t >> 14) + x * c + y * s + 2) >> 2
                    u = ((u >> 14) + y * c - x * s + 2) >> 2
                x = z[0] - _BIAS
                y = z[1] - _BIAS
                c = o[0] - _ONE
                s = o[1]
                if _WIDE:
                    d = (x * c + y * s + 0x8000) >> 16
                    e = (y * c - x * s + 0x8000) >> 16
                else:
                    # Products of 31 bits: the low 14 bits apart.
                    d = (x & 0x3FFF) * c + (y & 0x3FFF) * s
                    e = (y & 0x3FFF) * c - (x & 0x3FFF) * s
                    x >>= 14
                    y >>= 14
                    d = ((d >> 14) + x * c + y * s + 2) >> 2
                    e = ((e >> 14) + y * c - x * s + 2) >> 2
                if beyond:
                    d = 0 - d
                    e = 0 - e
                c = t - d
                s = u - e
                t += d
                u += e
                x = p[0]
                y = x - a
                x += a
                p[0] = x + t
                r[0] = x - t
                q[0] = y + s
                z[0] = y - s
                x = p[1]
                y = x - b
                x += b
                p[1] = x + u
                r[1] = x - u
                q[1] = y - c
                z[1] = y + c
                p = ptr32(int(p) + 8)
                q = ptr32(int(q) + 8)
                r = ptr32(int(r) + 8)
                z = ptr32(int(z) + 8)
                w = ptr32(int(w) + step)
                v = ptr32(int(v) + step + step)
                o = ptr32(int(o) + step + step + step)
                if int(o) >= int(table) + size + size:
                    # The table ends at half a turn: from there on, the same with the other sign.
                    o = ptr32(int(o) - size - size)
                    beyond = 1
            p = z
        half <<= 2
        step >>= 2
    if apart != 4:
        return
    # Bins k and n/2 - k of the half-length transform make those of the real one.
    p = work
    x = p[1] - _BIAS
    src[0] = p[0] + x
    r = ptr32(int(src) + size)
    r[0] = p[0] - x
    p = ptr32(int(p) + 8)
    q = ptr32(end - 8)
    w = ptr32(int(table) + 8)
    z = src
    v = r
    o = ptr32(int(r) + size)
    while int(p) <= int(q):
        x = (p[1] - _BIAS + q[1] - _BIAS) >> 1
        y = (q[0] - p[0]) >> 1
        c = w[0] - _ONE
        s = w[1]
        if _WIDE:
            t = (x * c + y * s + 0x8000) >> 16
            y = (y * c - x * s + 0x8000) >> 16
        else:
            t = (x & 0x3FFF) * c + (y & 0x3FFF) * s
            u = (y & 0x3FFF) * c - (x & 0x3FFF) * s
            x >>= 14
            y >>= 14
            t = ((t >> 14) + x * c + y * s + 2) >> 2
            y = ((u >> 14) + y * c - x * s + 2) >> 2
        x = ((q[0] - p[0]) >> 1) + p[0]
        z = ptr32(int(z) + 4)
        z[0] = x + t
        v = ptr32(int(v) - 4)
        v[0] = x - t
        x = (p[1] - q[1]) >> 1
        y += _BIAS
        r = ptr32(int(r) + 4)
        r[0] = y - x
        o = ptr32(int(o) - 4)
        o[0] = y + x
        p = ptr32(int(p) + 8)
        q = ptr32(int(q) - 8)
        w = ptr32(int(w) + 8)


@micropython.viper
def _float(x: int, y: int, n: int, q: ptr32, step: int, p: ptr32):
    """Integers, from byte x on and one every `step` bytes, to floats of the same exponent y."""
    q = ptr32(int(q) + x)
    top = y + 5
    while n:
        x = q[0] - _BIAS
        if x:
            # No branch on the sign, which is hard to foresee.
            s = x >> 31
            x = (x ^ s) - s
            y = top
            if x < 0x20000:
                x <<= 12
                y -= 12
            if x < 0x800000:
                x <<= 6
                y -= 6
            if x < 0x4000000:
                x <<= 3
                y -= 3
            while x < 0x20000000:
                x += x
                y -= 1
            x = (x + 32) >> 6
            if y < 0:
                x = 0
                y = 0
            if y > 253:
                x = 0
                y = 255
            x += (y << 23) - (s << 31)
        p[0] = x
        p = ptr32(int(p) + 4)
        q = ptr32(int(q) + step)
        n -= 1


@micropython.viper
def _mirror(p: ptr32, q: ptr32, x: int, n: int):
    """The bins of negative frequency, and the imaginary parts, of a real transform."""
    size = n << 2
    q[0] = 0
    r = ptr32(int(q) + (n << 1))
    r[0] = 0
    r = ptr32(int(p) + size)
    t = ptr32(int(q) + size)
    n = 1
    while True:
        p = ptr32(int(p) + 4)
        q = ptr32(int(q) + 4)
        r = ptr32(int(r) - 4)
        t = ptr32(int(t) - 4)
        if int(p) == int(r):
            break
        x = r[0]
        r[0] = p[0]
        q[0] = x
        if x:
            x ^= n << 31
        t[0] = x


def _want(x, n, what):
    if not isinstance(x, array) or not 1 < (x[:0] + _AS_F)[0] < 2 or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


class FFT:
    def __init__(self, length):
        if type(length) is not int or not 4 <= length <= 16384 or length & (length - 1):
            raise ValueError("length: want a power of two, 4 to 16384")
        self._n = length
        # The highest bits of 24-bit numbers of which `length` can be added.
        self._s = 0
        while 32 << self._s < length:
            self._s += 1
        self._w = array("i", bytes(4 * length))
        self._re = self._im = self
        self._work = None
        self._filled = False

    def fill(self, sin, cos):
        n = self._n // 2
        _want(sin, n, "sin")
        _want(cos, n, "cos")
        for x in (sin, cos):
            for v in x:
                if not -1.001 < v < 1.001:
                    raise ValueError("want sines and cosines")
        for i in range(n):
            self._w[2 * i] = round(cos[i] * _ONE) + _ONE
            self._w[2 * i + 1] = round(sin[i] * _ONE)
        self._filled = True

    def _see(self, real, imag):
        if not self._filled:
            fill(self, self._n)
        _want(real, self._n, "real")
        _want(imag, self._n, "imag")
        if real is imag:
            raise ValueError("real is imag")
        self._re = real
        self._im = imag

    def run(self, real, imag):
        n = self._n
        if real is not self._re or imag is not self._im or len(real) != n or len(imag) != n:
            self._see(real, imag)
        a = _peaks(n, 0, real, imag)
        b = a >> 8
        a &= 255
        if a == 255 or b == 255:
            raise ValueError("not finite")
        e = max(a, b) + self._s
        if b == _TINY:
            _forward(n, e, real, imag, imag, self._w)
            _float(0, e, n, real, 4, real)
            _mirror(real, imag, 0, n)
            return
        work = self._work
        if not work:
            self._work = work = array("i", bytes(8 * n))
        _forward(n, e, real, imag, work, self._w)
        _float(0, e, n, work, 8, real)
        _float(4, e, n, work, 8, imag)


def fill(fft, n):
    if n != fft._n:
        raise ValueError("want length %d" % fft._n)
    x = 2 * math.pi / n
    n //= 2
    sin = array("f", bytes(4 * n))
    cos = array("f", sin)
    for i in range(n):
        sin[i] = math.sin(x * i)
        cos[i] = math.cos(x * i)
    fft.fill(sin, cos)
