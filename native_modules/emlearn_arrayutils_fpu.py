"""Conversions between arrays, for boards with a float unit: `linear_map` from one range to another.

Same API and refusals as the plain twin `emlearn_arrayutils_ref.py`. The loop is in the inline
assembler, in float32: an input less the middle of its range, times a power of two, times a slope,
plus the middle of the other range. The three constants are the interpreter's floats, rounded to
float32 like the limits. An answer is wrong by less than 2**-21 of the largest of |out_min|,
|out_max|, apart from the rounding to the nearest int16. Limits of the inputs that are the same as
float32, or less than 4e-38 apart, are refused.
Nothing is allocated while buffers and limits stay; references to the last ones are kept. For one
thread.
"""

import math
from array import array

import micropython

_k = None  # what _map is told; None: the last call was refused
_x = _out = _a = _b = _c = _d = None  # what the last call was given


# r0: x, r1: out, r2: how many, r3: k, floats: in_min, in_max, out_min, out_max, the middle of the
# inputs, scale, slope, the middle of the outputs, 0.5, then not 0 if x is an array 'h', if out is.
@micropython.asm_thumb
def _map(r0, r1, r2, r3):
    vldr(s0, [r3, 0])
    vldr(s1, [r3, 4])
    vldr(s2, [r3, 8])
    vldr(s3, [r3, 12])
    vldr(s4, [r3, 16])
    vldr(s5, [r3, 20])
    vldr(s6, [r3, 24])
    vldr(s7, [r3, 28])
    vldr(s8, [r3, 32])
    ldr(r4, [r3, 36])  # the bits of 0.0 are 0
    ldr(r5, [r3, 40])
    movw(r6, 32767)
    mvn(r3, r6)
    b(NEXT)
    label(LOOP)
    cmp(r4, 0)
    beq(IN_FLOAT)
    ldrh(r7, [r0, 0])
    add(r0, 2)
    lsl(r7, r7, 16)
    asr(r7, r7, 16)
    vmov(s9, r7)
    vcvt_f32_s32(s9, s9)
    b(HAVE)
    label(IN_FLOAT)
    vldr(s9, [r0, 0])
    add(r0, 4)
    label(HAVE)  # s9: the input
    vcmp(s9, s0)
    vmrs(APSR_nzcv, FPSCR)
    bls(FIRST)
    vcmp(s9, s1)
    vmrs(APSR_nzcv, FPSCR)
    bcs(LAST)  # or NaN
    vsub(s9, s9, s4)
    vmul(s9, s9, s5)
    vmul(s9, s9, s6)
    vadd(s9, s9, s7)
    label(MAPPED)  # s9: the output
    cmp(r5, 0)
    beq(OUT_FLOAT)
    vadd(s9, s9, s8)  # the nearest integer, halves upwards: the floor of this
    vcvt_s32_f32(s10, s9)
    vmov(r7, s10)
    vcvt_f32_s32(s10, s10)
    vcmp(s10, s9)
    vmrs(APSR_nzcv, FPSCR)
    it(gt)
    sub(r7, 1)
    cmp(r7, r6)
    it(gt)
    mov(r7, r6)
    cmp(r7, r3)
    it(lt)
    mov(r7, r3)
    strh(r7, [r1, 0])
    add(r1, 2)
    b(NEXT)
    label(OUT_FLOAT)
    vstr(s9, [r1, 0])
    add(r1, 4)
    label(NEXT)
    sub(r2, 1)
    bpl(LOOP)
    b(END)
    label(LAST)
    vcmp(s9, s9)
    vmrs(APSR_nzcv, FPSCR)
    bvc(TOP)
    vmov(r7, s9)  # NaN: by its sign
    cmp(r7, 0)
    bmi(FIRST)
    label(TOP)
    vmov(r7, s3)
    b(LIMIT)
    label(FIRST)
    vmov(r7, s2)
    label(LIMIT)
    vmov(s9, r7)
    b(MAPPED)
    label(END)
    mov(r0, 0)


def _is_h(x):
    if isinstance(x, array):
        kind = repr(x[:0])[7]
        if kind in "hf":
            return kind == "h"
    raise ValueError("want arrays 'h' or 'f'")


def _see(x, out):
    global _k
    in_h = _is_h(x)
    out_h = _is_h(out)
    if len(x) != len(out):
        raise ValueError("lengths %d and %d" % (len(x), len(out)))
    k = array("f", (_a, _b, _c, _d, 0, 0, 0, 0, 0.5, in_h, out_h))
    for v in k:
        if v - v != 0:
            raise ValueError("limit %s" % v)
    if k[0] > k[1]:
        k = array("f", (_b, _a, _d, _c, 0, 0, 0, 0, 0.5, in_h, out_h))
    low, high, first, last = k[:4]
    if out_h and max(abs(first), abs(last)) >= 1 << 27:
        raise ValueError("out_min, out_max: too large")
    half = high / 2 - low / 2
    if half < 2e-38:
        raise ValueError("in_min is in_max")
    k[4] = low / 2 + high / 2
    size, e = math.frexp(half)
    k[5] = scale = math.ldexp(1, 1 - e)
    k[6] = slope = (last / 2 - first / 2) / (2 * size)
    # The middle may have been rounded: what goes to this one is not quite the middle, either.
    k[7] = first / 2 + last / 2 - ((high - k[4]) - (k[4] - low)) / 2 * scale * slope
    _k = k


# A function of more than eleven words would allocate them: so _see has two arguments only.
def linear_map(x, out, in_min, in_max, out_min, out_max):
    global _k, _x, _out, _a, _b, _c, _d
    if (
        not _k
        or x is not _x
        or out is not _out
        or len(x) != len(out)
        or in_min != _a
        or in_max != _b
        or out_min != _c
        or out_max != _d
    ):
        _k = None
        _x = x
        _out = out
        _a = in_min
        _b = in_max
        _c = out_min
        _d = out_max
        _see(x, out)
    _map(x, out, len(x), _k)
