"""Conversions between arrays, in viper: `linear_map` from one range of values to another.

Same API and answers as the plain twin `emlearn_arrayutils_ref.py`, which spells out each step.
In fixed point: floats are taken apart and put together as bit patterns, since viper has none, and
float objects are slow and fill the heap. An answer is wrong by less than 2**-26 of the largest of
|out_min|, |out_max|, apart from the rounding to float32 or to the nearest int16 (and 2**-28 of the
largest of |in_min|, |in_max| in the input, which a narrow range far from 0 magnifies).
Nothing is allocated while buffers and limits stay; references to the last ones are kept. For one
thread.
"""

import math
from array import array

import micropython
from micropython import const

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
_SIZE = const(11)
_BIAS = const(0x3FFFFFFF)  # 2**30 is no small integer on 32-bit boards
_len = len  # found sooner among the module's names than among the built-in ones
_m = None
_out = _a = _b = _c = _d = None  # what the last call was given

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2
_x = _AS_F


@micropython.viper
def _map(d: int, a: int, k: int, p: ptr32, q: ptr32, n: int, m: ptr32):
    e = m[_E] - 256
    g = m[_G] - 256
    zero = m[_ZERO] - _BIAS
    span = m[_SPAN]
    first = m[_FIRST] - _BIAS
    last = m[_LAST] - _BIAS
    high = m[_SLOPE_HIGH]
    low = m[_SLOPE_LOW]
    p16 = ptr16(int(p))
    q16 = ptr16(int(q))
    one = 1
    i = 0
    while i < n:
        # The input is a * 2**k in fixed point, and has a sign.
        if m[_IN]:
            d = p16[i]
            sign = d >> 15
            a = d
            if sign:
                a = 0x10000 - d
            k = 29 - e
        else:
            d = p[i]
            sign = (d >> 31) & 1
            a = (d & 0x7FFFFF) | 0x800000
            k = ((d >> 23) & 0xFF) - 121 - e
        if k < 0:
            if k < -24:
                a = 0
            else:
                a >>= 0 - k
        elif k > 29 or (a >> (29 - k)) != 0:
            a = 0x20000000
        else:
            a <<= k
        if sign:
            a = 0 - a
        d = a - zero
        if d <= 0:
            a = first
        elif d >= span:
            a = last
        else:
            d <<= m[_SHIFT]
            k = d >> 15
            a = k * high + (k * low >> 15) + ((d & 0x7FFF) * high >> 15)
            if last < first:
                a = 0 - a
            a += first
        if m[_OUT]:
            k = 27 - g
            a = ((a >> k) + 1) >> 1
            if a > 32767:
                a = 32767
            if a < -32768:
                a = -32768
            q16[i] = a
        else:
            sign = 0
            if a < 0:
                a = 0 - a
                sign = one << 31
            if a:
                k = 126 + g
                while a < 0x100000:
                    a <<= 8
                    k -= 8
                while a < 0x10000000:
                    a <<= 1
                    k -= 1
                a = (a + 16) >> 5
                a += k << 23
                if k < 0:
                    a = 0  # less than float32's least normal number
            q[i] = a | sign
        i += 1


def _kind(x):
    if isinstance(x, array):
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
    if (
        x is not _x
        or out is not _out
        or int(_len(x)) != int(_len(out))
        or in_min != _a
        or in_max != _b
        or out_min != _c
        or out_max != _d
    ):
        _see(x, out, in_min, in_max, out_min, out_max)
    _map(0, 0, 0, x, out, int(_len(x)), _m)
