"""Fast Fourier transform in viper, in place on two arrays 'f': real and imaginary parts.

Same API as the plain twin `emlearn_fft_ref.py`, which says it in a few lines of floats.
Viper has no floats: each array becomes integers of 29 bits with one exponent, of which the lower
log2(length) are there for sums; sines have 16 bits. The error of any bin is below
3e-5 + length**1.5 * 2**-27 of the largest (2e-4 at 1024; as a rule it is 2e-5, the formula is for a
click above faint noise), for lengths from 4 to 16384. Below 2e-31, numbers count as 0.
An array is transformed as one of half the length; if `imag` is not zeros all over, it is another.
Memory: 4 bytes a number, and 4 more from the first complex signal on. `run` keeps a reference to
its last two buffers and allocates nothing.
"""

import math
from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
_ONE = const(0x10000)
# Integers are kept plus this, as loads through a pointer are unsigned on 64-bit machines.
_BIAS = const(0x20010000)
# The exponent of numbers that count as 0: below 2e-31.
_TINY = const(24)
# Reads as a float between 1 and 2 from an array 'f' only.
_AS_F = b"\x01\x00\xc0\x3f" * 2


@micropython.viper
def _peak(x: int, top: int, p: ptr32, n: int) -> int:
    """The larger of `top` and the largest exponent."""
    end = int(p) + (n << 2)
    q = p
    x = 0
    while int(q) < end:
        x |= q[0] | q[1] | q[2] | q[3]
        q = ptr32(int(q) + 16)
    if x >> 23 & 255:
        while int(p) < end:
            x = (p[0] >> 23) & 255
            if x > top:
                top = x
            p = ptr32(int(p) + 4)
    return top


# The first three locals of a function live in registers: x, y and t are no arguments but that.
@micropython.viper
def _forward(x: int, y: int, t: int, src: ptr32, work: ptr32, table: ptr32, n: int, top: int):
    """Real transform of `src`: the real parts of bins 0 .. n/2, then the imaginary, backwards."""
    p = src
    y = n
    while y:
        x = p[0]
        t = top - ((x >> 23) & 255)
        if t < 25:
            t = ((((x & 0x7FFFFF) | 0x800000) << 1 >> t) + 1) >> 1
            x = 0 - ((x >> 31) & 1)
            p[0] = (t ^ x) - x + _BIAS
        else:
            p[0] = _BIAS
        p = ptr32(int(p) + 4)
        y -= 1
    # Even numbers are real parts, odd ones imaginary. In bit-reversed order, and the first stage.
    size = n << 1
    end = int(work) + (n << 2)
    p = work
    t = 0
    while int(p) < end:
        q = ptr32(int(src) + t)
        w = ptr32(int(q) + size)
        x = w[0] - _BIAS
        y = q[0]
        p[0] = y + x
        p[2] = y - x
        x = w[1] - _BIAS
        y = q[1]
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
    while half < n << 2:
        p = work
        while int(p) < end:
            q = ptr32(int(p) + half)
            w = table
            stop = int(q)
            while int(p) < stop:
                x = q[0] - _BIAS
                y = q[1] - _BIAS
                c = w[0] - _ONE
                s = w[1]
                if _WIDE:
                    t = (x * c + y * s + 0x8000) >> 16
                    y = (y * c - x * s + 0x8000) >> 16
                else:
                    # Products of 31 bits: the low 14 bits apart.
                    t = (x & 0x3FFF) * c + (y & 0x3FFF) * s
                    u = (y & 0x3FFF) * c - (x & 0x3FFF) * s
                    x >>= 14
                    y >>= 14
                    t = ((t >> 14) + x * c + y * s + 2) >> 2
                    y = ((u >> 14) + y * c - x * s + 2) >> 2
                x = p[0]
                q[0] = x - t
                p[0] = x + t
                x = p[1]
                q[1] = x - y
                p[1] = x + y
                p = ptr32(int(p) + 8)
                q = ptr32(int(q) + 8)
                w = ptr32(int(w) + step)
            p = q
        half <<= 1
        step >>= 1
    # Bins k and n/2 - k of the half-length transform make those of the real one.
    p = work
    x = p[1] - _BIAS
    src[0] = p[0] + x
    r = ptr32(int(src) + size)
    r[0] = p[0] - x
    p = ptr32(int(p) + 8)
    q = ptr32(end - 8)
    w = ptr32(int(table) + 8)
    f = 4
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
        r = ptr32(int(src) + f)
        r[0] = x + t
        r = ptr32(int(src) + size - f)
        r[0] = x - t
        x = (p[1] - q[1]) >> 1
        r = ptr32(int(src) + size + f)
        r[0] = _BIAS + y - x
        r = ptr32(int(src) + size + size - f)
        r[0] = _BIAS + y + x
        p = ptr32(int(p) + 8)
        q = ptr32(int(q) - 8)
        w = ptr32(int(w) + 8)
        f += 4


@micropython.viper
def _float(x: int, y: int, t: int, p: ptr32, n: int, top: int):
    """Integers to floats, with one exponent for all."""
    top += 5
    while n:
        x = p[0] - _BIAS
        if x:
            s = 0
            if x < 0:
                x = 0 - x
                s = 1
            y = top
            if x < 0x20000:
                x <<= 12
                y -= 12
            if x < 0x800000:
                x <<= 6
                y -= 6
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
            x += (y << 23) + (s << 31)
        p[0] = x
        p = ptr32(int(p) + 4)
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


@micropython.viper
def _combine(p: ptr32, q: ptr32, shift: int, n: int):
    """Real transforms of real and imaginary parts -> the complex one. Shift: 6 bits for each."""
    a = shift >> 6
    b = shift & 63
    p[0] = ((p[0] - _BIAS) >> a) + _BIAS
    q[0] = ((q[0] - _BIAS) >> b) + _BIAS
    r = ptr32(int(p) + (n << 2))
    t = ptr32(int(q) + (n << 2))
    p = ptr32(int(p) + 4)
    q = ptr32(int(q) + 4)
    while True:
        r = ptr32(int(r) - 4)
        t = ptr32(int(t) - 4)
        x = (p[0] - _BIAS) >> a
        y = (q[0] - _BIAS) >> b
        if int(p) == int(r):
            p[0] = x + _BIAS
            q[0] = y + _BIAS
            break
        u = (r[0] - _BIAS) >> a
        v = (t[0] - _BIAS) >> b
        p[0] = _BIAS + x - v
        r[0] = _BIAS + x + v
        q[0] = _BIAS + u + y
        t[0] = _BIAS + y - u
        p = ptr32(int(p) + 4)
        q = ptr32(int(q) + 4)


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
        for i in range(n):
            for j, v in ((0, cos[i]), (1, sin[i])):
                if not -1.001 < v < 1.001:
                    raise ValueError("want sines and cosines")
                self._w[2 * i + j] = round(v * _ONE) + _ONE * (1 - j)
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
        a = _peak(0, _TINY, real, n)
        b = _peak(0, _TINY, imag, n)
        if a == 255 or b == 255:
            raise ValueError("not finite")
        e = a + self._s
        if b == _TINY:
            _forward(0, 0, 0, real, imag, self._w, n, e)
            _float(0, 0, 0, real, n, e)
            _mirror(real, imag, 0, n)
            return
        if not self._work:
            self._work = array("i", bytes(4 * n))
        _forward(0, 0, 0, real, self._work, self._w, n, e)
        _forward(0, 0, 0, imag, self._work, self._w, n, b + self._s)
        e = max(a, b)
        _combine(real, imag, (min(e - a, 30) + 1) << 6 | min(e - b, 30) + 1, n)
        e += self._s + 1
        _float(0, 0, 0, real, n, e)
        _float(0, 0, 0, imag, n, e)


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
