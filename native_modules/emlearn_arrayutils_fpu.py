"""Conversions between arrays, for boards with a float unit: `linear_map` from one range to another.

Same API and refusals as the plain twin `emlearn_arrayutils_ref.py`. The loop is in the inline
assembler, in float32: an input less the middle of its range, times a power of two, times a slope,
plus the middle of the other range. The three constants are the interpreter's floats, rounded to
float32 like the limits. An answer is wrong by less than 2**-21 of the largest of |out_min|,
|out_max|, apart from the rounding to the nearest int16. Limits of the inputs that are the same as
float32, or less than 4e-38 apart, are refused.
Nothing is allocated while the limits are the same objects; references to them and to the last
buffers are kept. For one thread. Types, lengths and addresses of the buffers are read where
MicroPython 1.29 keeps them: a firmware that differs there is refused at import.
"""

import math
from array import array

import micropython
from micropython import const

# MicroPython's arrays, in bytes: type, typecode, length, address
_TYPECODE = const(4)
_LENGTH = const(8)
_ADDRESS = const(12)


# 0 if arrays are kept as said above. A list is the address of its objects.
@micropython.asm_thumb
def _is_unknown(r0, r1):  # [array], array
    ldr(r0, [r0, 0])
    ldr(r2, [r0, _ADDRESS])
    sub(r1, r1, r2)
    ldr(r2, [r0, _LENGTH])
    sub(r2, 1)
    orr(r1, r2)
    ldrb(r2, [r0, _TYPECODE])
    sub(r2, 102)
    orr(r1, r2)
    mov(r0, r1)


_k = array("f", (0,))
if _is_unknown([_k], _k):
    raise RuntimeError("arrays are kept in another way in this firmware")


# Answers with 1 if limits are other objects than those that k was made from, if x and out are no
# arrays 'h' or 'f' of one length, or out is an 'h' and k not made for this: objects have addresses
# whose lowest two bits are 0, arrays the type that k has.
# r0: x, r1: out, r2: how many, r3: k, floats: in_min, in_max, out_min, out_max, the middle of the
# inputs, scale, slope, the middle of the outputs, 0.5, then not 0 if made for an 'h'; r4: not 0 if
# x is an 'h', r5: if out is.
@micropython.asm_thumb
def _map(r0):  # what is told
    mov(r1, 4)
    label(SAME)
    ldr(r2, [r0, 12])
    ldr(r3, [r0, 28])
    cmp(r2, r3)
    bne(REFUSE)
    add(r0, 4)
    sub(r1, 1)
    bne(SAME)
    sub(r0, 16)
    ldr(r3, [r0, 8])
    ldr(r1, [r0, 4])
    ldr(r0, [r0, 0])
    mov(r4, r0)
    orr(r4, r1)
    lsl(r4, r4, 30)
    bne(REFUSE)
    ldr(r6, [r3, 0])
    ldr(r4, [r0, 0])
    cmp(r4, r6)
    bne(REFUSE)
    ldr(r4, [r1, 0])
    cmp(r4, r6)
    bne(REFUSE)
    ldr(r2, [r0, _LENGTH])
    ldr(r4, [r1, _LENGTH])
    cmp(r2, r4)
    bne(REFUSE)
    ldrb(r4, [r0, _TYPECODE])
    ldrb(r5, [r1, _TYPECODE])
    sub(r4, 102)
    sub(r5, 102)
    mov(r6, r4)
    orr(r6, r5)
    mov(r7, 2)
    bic(r6, r7)
    bne(REFUSE)
    ldr(r3, [r3, _ADDRESS])
    cmp(r5, 0)
    beq(FINE)
    ldr(r6, [r3, 36])  # the bits of 0.0 are 0
    cmp(r6, 0)
    bne(FINE)
    label(REFUSE)
    mov(r0, 1)
    b(REFUSED)
    label(FINE)
    ldr(r0, [r0, _ADDRESS])
    ldr(r1, [r1, _ADDRESS])
    vldr(s0, [r3, 0])
    vldr(s1, [r3, 4])
    vldr(s2, [r3, 8])
    vldr(s3, [r3, 12])
    vldr(s4, [r3, 16])
    vldr(s5, [r3, 20])
    vldr(s6, [r3, 24])
    vldr(s7, [r3, 28])
    vldr(s8, [r3, 32])
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
    label(REFUSED)


# x, out, k, the four limits, and those that k was made from: at first, what nobody passes
_told = [_map] * 11
_told[2] = _k


# Looks at what was told, in bytecode, and makes another k where it is needed.
def _see(t):
    for x in t[:2]:
        kind = repr(x[:0])[7] if type(x) is array else " "
        if kind not in "hf":
            raise ValueError("want arrays 'h' or 'f'")
    n = len(t[0])
    if n != len(x):
        raise ValueError("lengths %d and %d" % (n, len(x)))
    out_h = kind == "h"
    limits = t[3:7]
    if limits == t[7:] and out_h <= t[2][9]:
        t[7:] = limits
        return
    a, b, c, d = limits
    k = array("f", (a, b, c, d, 0, 0, 0, 0, 0.5, out_h))
    for v in k:
        if v - v != 0:
            raise ValueError("limit %s" % v)
    if k[0] > k[1]:
        k = array("f", (b, a, d, c, 0, 0, 0, 0, 0.5, out_h))
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
    t[2] = k
    t[7:] = limits


# A function of more than eleven words would allocate them.
def linear_map(x, out, in_min, in_max, out_min, out_max):
    t = _told
    t[0] = x
    t[1] = out
    t[3] = in_min
    t[4] = in_max
    t[5] = out_min
    t[6] = out_max
    if _map(t):
        _see(t)
        _map(t)
