"""IIR filters in the inline assembler, for a Cortex-M with a float unit: sections as of
`scipy.signal`, in place on arrays 'f'.

Same API and refusals as the plain twin `emlearn_iir_ref.py`, and its formula (direct form II
transposed). What plain float32 loses with poles near the unit circle is kept: a section's state and
what it feeds back are sums of two floats, with the errors of all products and sums: some 48 bits.
What it passes on is rounded to float32, once. The error is below 1e-6 of the largest input or
output: 1e-7 for A-weighting and for a low-pass filter at 1/2000 of the sampling rate. It is larger
where the rounding between sections is: up to 3e-4 for a band-stop filter from 0.15 to 0.49995 of
the rate, and one of 10 poles or more with edges decades apart fails. Products below 1e-31 lose
accuracy.
What exceeds 3e38 gives infinity or NaN to the end of the call; then the section starts anew.
Memory: 40 bytes a section. `run` allocates nothing; the filter keeps a reference to its last
buffer, and its state from one call to the next. It reads type, length and address of the buffer
where MicroPython 1.29 keeps them: a firmware that differs there is refused at import.
"""

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


_one = array("f", (0,))
if _is_unknown([_one], _one):
    raise RuntimeError("arrays are kept in another way in this firmware")


# Filters up to the first number that is not finite, one section after the other; answers with the
# numbers that are left then, else 0; with 1 if values is no array 'f': objects have addresses whose
# lowest two bits are 0, arrays the type that the sections have.
# r0: values, r1: how many, then their end; r2: ten floats a section, b0 b1 b2 1 a1 a2 and the state
# s1 (two floats) and s2; after the last section, 0 for the 1; r3: where we are; r5: the bits of
# infinity, without the sign; r6: the end of what is finite.
@micropython.asm_thumb
def _run(r0):  # [values, sections]
    ldr(r2, [r0, 4])
    ldr(r0, [r0, 0])
    lsl(r4, r0, 30)
    bne(REFUSE)
    ldr(r4, [r0, 0])
    ldr(r5, [r2, 0])
    cmp(r4, r5)
    bne(REFUSE)
    ldrb(r4, [r0, _TYPECODE])
    cmp(r4, 102)
    beq(FINE)
    label(REFUSE)
    mov(r0, 1)
    b(REFUSED)
    label(FINE)
    ldr(r1, [r0, _LENGTH])
    ldr(r0, [r0, _ADDRESS])
    ldr(r2, [r2, _ADDRESS])
    lsl(r1, r1, 2)
    add(r1, r1, r0)
    mov(r5, 255)
    lsl(r5, r5, 24)
    mov(r6, r0)
    label(LOOK)
    cmp(r6, r1)
    beq(SECTION)
    ldr(r4, [r6, 0])
    lsl(r4, r4, 1)
    cmp(r4, r5)
    bcs(SECTION)
    add(r6, 4)
    b(LOOK)

    label(SECTION)
    ldr(r4, [r2, 12])
    cmp(r4, 0)
    beq_w(END)
    vldr(s0, [r2, 0])
    vldr(s1, [r2, 4])
    vldr(s2, [r2, 8])
    vldr(s3, [r2, 16])
    vldr(s4, [r2, 20])
    vldr(s5, [r2, 24])
    vldr(s6, [r2, 28])
    vldr(s7, [r2, 32])
    vldr(s8, [r2, 36])
    mov(r3, r0)
    # s0 s1 s2 s3 s4: b0 b1 b2 a1 a2; s5 + s6, s7 + s8: s1 and s2; s9: x; s10 + s11: y.
    # The error of t = p + q is p - (t - (t - p)) + q - (t - p), that of a product the fused
    # a * b - (a * b), which the assembler has no word for.
    label(SAMPLE)
    cmp(r3, r6)
    beq_w(STORE)
    vldr(s9, [r3, 0])
    # y = s1 + b0 * x
    vmul(s10, s0, s9)
    vadd(s11, s5, s10)
    vsub(s12, s11, s5)
    vsub(s13, s11, s12)
    vsub(s13, s5, s13)
    vsub(s12, s10, s12)
    vadd(s12, s12, s13)
    data(2, 0xEE90, 0x5A24)  # vfnms(s10, s0, s9)
    vadd(s12, s12, s10)
    vadd(s12, s12, s6)
    # y as the nearest float and the rest
    vadd(s10, s11, s12)
    vstr(s10, [r3, 0])
    vsub(s11, s10, s11)
    vsub(s11, s12, s11)
    # s1 = s2 + b1 * x - a1 * y
    vmul(s12, s1, s9)
    vadd(s13, s7, s12)
    vsub(s6, s13, s7)
    vsub(s14, s13, s6)
    vsub(s14, s7, s14)
    vsub(s6, s12, s6)
    vadd(s6, s6, s14)
    vadd(s6, s6, s8)
    data(2, 0xEE90, 0x6AA4)  # vfnms(s12, s1, s9)
    vadd(s6, s6, s12)
    vmul(s12, s3, s10)
    vsub(s5, s13, s12)
    vsub(s14, s5, s13)
    vsub(s15, s5, s14)
    vsub(s15, s13, s15)
    vadd(s14, s12, s14)
    vsub(s15, s15, s14)
    vadd(s6, s6, s15)
    data(2, 0xEE91, 0x6A85)  # vfnms(s12, s3, s10)
    vsub(s6, s6, s12)
    data(2, 0xEEA1, 0x3AE5)  # vfms(s6, s3, s11): minus a1 * the rest of y
    # s2 = b2 * x - a2 * y
    vmul(s13, s2, s9)
    vmul(s12, s4, s10)
    vsub(s7, s13, s12)
    vsub(s14, s7, s13)
    vsub(s15, s7, s14)
    vsub(s15, s13, s15)
    vadd(s14, s12, s14)
    vsub(s15, s15, s14)
    data(2, 0xEED1, 0x6A24)  # vfnms(s13, s2, s9)
    vadd(s8, s15, s13)
    data(2, 0xEE92, 0x6A05)  # vfnms(s12, s4, s10)
    vsub(s8, s8, s12)
    data(2, 0xEEA2, 0x4A65)  # vfms(s8, s4, s11)
    add(r3, 4)
    b(SAMPLE)

    label(STORE)
    vstr(s5, [r2, 24])
    vstr(s6, [r2, 28])
    vstr(s7, [r2, 32])
    vstr(s8, [r2, 36])
    vadd(s6, s6, s8)
    vmov(r4, s6)
    lsl(r4, r4, 1)
    cmp(r4, r5)
    bcc(FINITE)
    mov(r4, 0)
    str(r4, [r2, 24])
    str(r4, [r2, 28])
    str(r4, [r2, 32])
    str(r4, [r2, 36])
    label(FINITE)
    add(r2, 40)
    b(SECTION)

    label(END)
    sub(r0, r1, r6)
    lsr(r0, r0, 2)
    label(REFUSED)


def _want(x, what):
    if type(x) is not array or repr(x[:0]) != "array('f')":
        raise ValueError("%s: want array 'f'" % what)


class IIR:
    def __init__(self, coefficients):
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        zeros = array("f", bytes(16))
        rec = zeros[:0]
        for i in range(0, n, 6):
            c = coefficients[i : i + 6]
            a0, a1, a2 = c[3:]
            top = abs(c[0]) + abs(c[1]) + abs(c[2])  # NaN if one is
            if not (a0 == 1 and abs(a1) <= 2 and abs(a2) <= 1 and top < 1e30):
                raise ValueError("bad section %d" % (i // 6))
            rec.extend(c)
            rec.extend(zeros)
        rec.extend(zeros)
        self._told = [None, rec]

    def run(self, values):
        told = self._told
        told[0] = values
        left = _run(told)
        if left:
            _want(values, "values")
            raise ValueError("not finite: values[%d]" % (len(values) - left))


new = IIR
