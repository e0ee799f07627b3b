"""Conversions between arrays: `linear_map` from one range of values to another.

Same API and answers as the plain twin `emlearn_arrayutils_ref.py`, which spells out each step.
In fixed point: floats are taken apart and put together as bit patterns, since viper has none, and
float objects are slow and fill the heap; a number costs one product with a slope of 30 bits, chosen
for the limits. An answer is wrong by less than 2**-26 of the largest of |out_min|, |out_max|, apart
from the rounding to float32 or to the nearest int16 (and 2**-28 of the largest of |in_min|,
|in_max| in the input, which a narrow range far from 0 magnifies).
Nothing is allocated while buffers and limits stay; references to the last ones are kept. For one
thread.
"""

import math
from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
# What _map is told, int32; all >= 0, since viper's 64-bit loads do not extend signs.
_IN = const(0)  # 1: array 'h', 0: array 'f'
_OUT = const(1)
_E = const(2)  # |in| < 2**(e - 256)
_G = const(3)  # |out| < 2**(g - 256)
_ZERO = const(4)  # in_min, 29 bits, + 2**30
_SPAN = const(5)  # in_max - in_min
_SHIFT = const(6)  # what makes a 30-bit number of the span
_FIRST = const(7)  # out_min, 28 bits, + 2**30
_LAST = const(8)
_SLOPE_HIGH = const(9)  # 15 and 15 bits
_SLOPE_LOW = const(10)
_CLAMP = const(11)  # 1: some answers are beyond int16
_SIZE = const(12)
_BIAS = const(0x3FFFFFFF)  # 2**30 is no small integer on 32-bit boards
_len = len  # found sooner among the module's names than among the built-in ones
_m = None
_out = _a = _b = _c = _d = None  # what the last call was given

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2
_x = _AS_F


# x and a are arguments because the first two locals of a function live in registers.
@micropython.viper
def _map(x: int, a: int, p: ptr32, q: ptr32, n: int, m: ptr32):
    e = m[_E] - 256
    g = m[_G] - 256
    zero = m[_ZERO] - _BIAS
    span = m[_SPAN]
    shift = m[_SHIFT]
    first = m[_FIRST] - _BIAS
    last = m[_LAST] - _BIAS
    is_down = last < first
    high = m[_SLOPE_HIGH]
    low = m[_SLOPE_LOW]
    if _WIDE:
        low = (high << 15 | low) << shift
    from_int = m[_IN]
    to_int = m[_OUT]
    to_ends = m[_CLAMP]
    # Bits to shift an input to the left, then to the right; of a float, its exponent less.
    left = 5
    right = 126 + e
    limit = 0x20000000
    if from_int:
        left = 29 - e
        right = 0
        if left < 0:
            right = 0 - left
            left = 0
        limit >>= left
    cut = 27 - g
    while n:
        n -= 1
        if from_int:
            x = ptr16(int(p))[0]
            p = ptr32(int(p) + 2)
            s = 0 - (x >> 15)
            a = ((x ^ s) - s) & 0xFFFF
            if a >= limit:
                a = 0x20000000  # beyond both limits
            else:
                a = a << left >> right
        else:
            x = p[0]
            p = ptr32(int(p) + 4)
            s = 0 - ((x >> 31) & 1)
            a = ((x & 0x7FFFFF) | 0x800000) << 5
            x = right - ((x >> 23) & 0xFF)
            if x >> 5 == 0:
                a >>= x
            elif x < 0:
                a = limit
            else:
                a = 0
        a = (a ^ s) - s - zero
        if a <= 0:
            a = first
        elif a >= span:
            a = last
        else:
            if _WIDE:
                a = a * low >> 30
            else:
                a <<= shift
                x = a >> 15
                a &= 0x7FFF
                a = x * high + ((x * low + a * high + (a * low >> 15)) >> 15)
            if is_down:
                a = 0 - a
            a += first
        if to_int:
            a = ((a >> cut) + 1) >> 1
            if to_ends:
                if a > 32767:
                    a = 32767
                if a < -32768:
                    a = -32768
            ptr16(int(q))[0] = a
            q = ptr32(int(q) + 2)
        else:
            s = 0
            if a:
                s = a >> 31
                a = (a ^ s) - s
                x = 126 + g
                while a < 0x100000:
                    a <<= 8
                    x -= 8
                while a < 0x10000000:
                    a <<= 1
                    x -= 1
                a = (a + 16) >> 5
                a += x << 23
                if x < 0:
                    a = 0  # less than float32's least normal number
            q[0] = a - (s << 31)
            q = ptr32(int(q) + 4)


def _kind(x):
    if type(x) is array:
        if (x[:0] + _AS_H)[0] == -32767:
            return 1
        if 1 < (x[:0] + _AS_F)[0] < 2:
            return 0
    raise ValueError("want arrays 'h' or 'f'")


def _prepare(x, out, in_min, in_max, out_min, out_max):
    m = [0] * _SIZE
    m[_IN] = _kind(x)
    m[_OUT] = _kind(out)
    if len(x) != len(out):
        raise ValueError("lengths %d and %d" % (len(x), len(out)))
    for v in (in_min, in_max, out_min, out_max):
        if v - v != 0:
            raise ValueError("limit %s" % v)
    if in_min > in_max:
        in_min, in_max = in_max, in_min
        out_min, out_max = out_max, out_min
    # |in| < 2**e and |out| < 2**g: fixed point has 29 and 28 bits below these.
    e = math.frexp(max(abs(in_min), abs(in_max)))[1]
    g = math.frexp(max(abs(out_min), abs(out_max)))[1]
    if m[_IN]:
        e = max(e, 0)
    if m[_OUT]:
        g = max(g, 0)
        m[_CLAMP] = int(min(out_min, out_max) < -32768 or max(out_min, out_max) > 32767)
    if g > (27 if m[_OUT] else 128):
        raise ValueError("out_min, out_max: too large")
    zero = int(math.ldexp(in_min, 29 - e))
    span = int(math.ldexp(in_max, 29 - e)) - zero
    if span < 1:
        raise ValueError("in_min is in_max")
    while span << m[_SHIFT] < 0x20000000:
        m[_SHIFT] += 1
    first = int(math.ldexp(out_min, 28 - g))
    last = int(math.ldexp(out_max, 28 - g))
    slope = (abs(last - first) << 30) // (span << m[_SHIFT])
    m[_E] = e + 256
    m[_G] = g + 256
    m[_ZERO] = zero + _BIAS
    m[_SPAN] = span
    m[_FIRST] = first + _BIAS
    m[_LAST] = last + _BIAS
    m[_SLOPE_HIGH] = slope >> 15
    m[_SLOPE_LOW] = slope & 0x7FFF
    return array("i", m)


def _see(x, out, in_min, in_max, out_min, out_max):
    global _m, _x, _out, _a, _b, _c, _d
    _x = _AS_F
    _m = _prepare(x, out, in_min, in_max, out_min, out_max)
    _a = in_min
    _b = in_max
    _c = out_min
    _d = out_max
    _out = out
    _x = x


@micropython.viper
def linear_map(x, out, in_min, in_max, out_min, out_max):
    if x is not _x or out is not _out:
        _see(x, out, in_min, in_max, out_min, out_max)
    n = int(_len(x))
    if n != int(_len(out)) or in_min != _a or in_max != _b or out_min != _c or out_max != _d:
        _see(x, out, in_min, in_max, out_min, out_max)
    _map(0, 0, x, out, n, _m)
