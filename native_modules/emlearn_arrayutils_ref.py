"""Conversions between arrays, in plain Python: the readable twin of `emlearn_arrayutils.py`.

Same API, same answers bit by bit, same refusals; runs on MicroPython and on CPython. It is what a
board gets that can't run native code, and what the tests hold the viper module against.
"""

import math
import struct
from array import array

_IN, _OUT, _SHIFT, _SIZE = range(4)


def _kind(x):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if type(x) is array:
        if repr(x[:0]) == "array('h')":
            return 1
        if repr(x[:0]) == "array('f')":
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
    return m, e, g, zero, span, first, last, slope


def linear_map(x, out, in_min, in_max, out_min, out_max):
    """Map in_min..in_max to out_min..out_max, element by element, from `x` to `out`.

    Both are arrays 'h' or 'f' of the same length. What is outside the range (NaN, too, by its sign)
    gets the nearest limit; in_min may be above in_max, and out_min above out_max. An 'h' gets the
    nearest integer, -32768..32767. Raises ValueError.
    """
    m, e, g, zero, span, first, last, slope = _prepare(x, out, in_min, in_max, out_min, out_max)
    for i in range(len(x)):
        # The input is a * 2**k in fixed point with 29 - e bits, and has a sign.
        if m[_IN]:
            negative = x[i] < 0
            a = abs(x[i])
            k = 29 - e
        else:
            (bits,) = struct.unpack_from("<I", x, 4 * i)
            negative = bits >> 31
            a = bits & 0x7FFFFF | 0x800000
            k = (bits >> 23 & 0xFF) - 121 - e
        if k < 0:
            a >>= min(-k, 25)
        elif k > 29 or a >> 29 - k:
            a = 0x20000000  # beyond both limits
        else:
            a <<= k
        d = (-a if negative else a) - zero
        if d <= 0:
            a = first
        elif d >= span:
            a = last
        else:
            a = _product(d << m[_SHIFT], slope)
            a = first + (-a if last < first else a)
        if m[_OUT]:
            out[i] = max(-32768, min(32767, (a >> 27 - g) + 1 >> 1))
        else:
            struct.pack_into("<I", out, 4 * i, _float_bits(a, g))


def _product(d, slope):
    """d * slope >> 30 for 30-bit numbers, as words of 32 bits can do it."""
    high = slope >> 15
    low = slope & 0x7FFF
    k = d >> 15
    d &= 0x7FFF
    return k * high + (k * low + d * high + (d * low >> 15) >> 15)


def _float_bits(a, g):
    """The float32 nearest to a * 2**(g - 28)."""
    if a == 0:
        return 0
    sign = 0x80000000 if a < 0 else 0
    a = abs(a)
    k = 126 + g
    while a < 0x10000000:
        a <<= 1
        k -= 1
    if k < 0:
        return sign  # less than float32's least normal number
    return sign | (a + 16 >> 5) + (k << 23)
