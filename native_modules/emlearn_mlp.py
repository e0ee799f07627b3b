"""Small neural networks (multi-layer perceptrons) in integers, in viper or Thumb.

Same API and answers, bit by bit, as the plain twin `emlearn_mlp_ref.py`, which spells out each
step. Features are int16, weights 8 or 16 bits, activations unsigned 16 bits, sums 32 bits that
can't overflow (`load` checks every neuron), outputs float32: made of bits, so no board's float
arithmetic takes part. Memory: the file, 2 bytes an activation, 36 bytes a layer. `predict`
allocates nothing once it has seen its two buffers (it keeps a reference to them). In Thumb it reads
their types, lengths and addresses where MicroPython 1.29 keeps them: a firmware that differs there
is refused at import.

The file, little-endian:
    "MLP1", u16 n_features, u8 n_layers, u8 bytes of a weight (1 or 2)
    for each feature u16 low + 32768, gain, shift:
        activation = clip((feature - low) * gain / 2^shift, 0, 65535)
    for each layer u16 n_neurons, u8 kind, u8 q, then
        for each neuron u32 bias, u16 shift:  sum = (bias + sum of weights * activations) / 2^shift
        for each neuron its weights, unsigned, 128 (or 32768) for zero; with zeros up to a multiple
        of four
    The kinds: 0 clip(sum, 0, 65535); 1 32768 + 32767 * (1 - x) / (1 + x) with x = 2^-(sum / 2^q),
    a tanh; and for the last layer 2 shares that grow as 2^(sum / 2^q), a softmax; 3 the same of
    0 and the one neuron's sum; 4 sum / 2^(q - 128). Divisions by a power of two round halves up.
A share is within 0.0002 of the exact one for these sums, a tanh within 0.0001.
"""

import os
import struct
from array import array

import micropython
from micropython import const

# 2^-x for x from 0 to 1: 1 - x * (a - x * (b - x * c)), in units of 2^-15.
_A = const(22672)
_B = const(7596)
_C = const(1310)
# Sums are kept clear of the ends of int32 by the largest number that is added to round.
_LIMIT = const(0x7F000000)
_WIDEST = const(4096)
_ZERO = const(0x20000000)  # added to sums that wait in `out`, so that none is negative
_THUMB = const(0)  # 1 for Cortex-M: the build says so
# The plan, int32: the number of features, in Thumb that of outputs, then for each layer these.
_GROUPS = const(0)  # of four inputs
_NEURONS = const(1)
_KIND = const(2)
_Q = const(3)
_TABLE = const(4)  # byte offsets in the file
_WEIGHTS = const(5)
_FROM = const(6)  # byte offsets in the activations
_TO = const(7)
_BITS = const(8)
_LAYER = const(36)
# MicroPython's arrays, in words: type, typecode (in the lowest byte), length, address
_TYPECODE = const(4)  # in bytes
_LENGTH = const(8)
_ADDRESS = const(12)
if not _THUMB:
    _NEVER = array("i")  # the buffer that nobody passes
    _len = len  # found sooner among the module's names than among the built-in ones

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode, and their repr is slow. Eight of them
# make at least one element of any type, odd ones so that an array 'O' reads a small integer.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2


# Viper's loads are unsigned (on 64 bits those of ptr32 are, too), so weights and activations are as
# well, and the bias is what makes up for it. Sums wrap on 32 bits on their way, never in the end.
if _THUMB:
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
        sub(r2, 104)
        orr(r1, r2)
        mov(r0, r1)

    _one = array("h", (0,))
    if _is_unknown([_one], _one):
        raise RuntimeError("arrays are kept in another way in this firmware")

    # Answers with 1 if features or out are not as they should be: objects have addresses whose
    # lowest two bits are 0, arrays the type that the plan has.
    # The carry of a shift to the right is what rounds; adding 0 clears it before.
    @micropython.asm_thumb
    def _run(r0):  # [features, out, file, activations, plan]
        ldr(r1, [r0, 0])
        ldr(r2, [r0, 4])
        ldr(r3, [r0, 16])
        ldr(r4, [r3, 0])
        ldr(r7, [r3, _ADDRESS])
        mov(r5, r1)
        orr(r5, r2)
        lsl(r5, r5, 30)
        bne(REFUSE)
        ldr(r5, [r1, 0])
        cmp(r5, r4)
        bne(REFUSE)
        ldr(r5, [r2, 0])
        cmp(r5, r4)
        bne(REFUSE)
        ldrb(r5, [r1, _TYPECODE])
        cmp(r5, 104)
        bne(REFUSE)
        ldrb(r5, [r2, _TYPECODE])
        cmp(r5, 102)
        bne(REFUSE)
        ldr(r5, [r1, _LENGTH])
        ldr(r6, [r7, 0])
        cmp(r5, r6)
        bne(REFUSE)
        ldr(r5, [r2, _LENGTH])
        ldr(r6, [r7, 4])
        cmp(r5, r6)
        beq(FINE)
        label(REFUSE)
        mov(r0, 1)
        b(END)
        label(FINE)
        ldr(r1, [r1, _ADDRESS])
        ldr(r2, [r2, _ADDRESS])
        ldr(r3, [r0, 8])
        ldr(r3, [r3, _ADDRESS])
        ldr(r4, [r0, 12])
        ldr(r4, [r4, _ADDRESS])
        mov(r0, r8)
        mov(r5, r9)
        push({r0, r5})
        mov(r0, r10)
        mov(r5, r11)
        push({r0, r5})
        push({r2, r3, r4})  # out, file, activations

        # r0: features that are left, r1: feature, r2: 0x8000, r3: low gain shift, r4: where to,
        # r5: activation, r7: their sum
        ldr(r0, [r7, 0])
        add(r7, 8)
        mov(r12, r7)
        mov(r2, 1)
        lsl(r2, r2, 15)
        add(r3, 8)
        mov(r7, 0)
        label(INPUT)
        ldrh(r5, [r1, 0])
        eor(r5, r2)
        ldrh(r6, [r3, 0])
        sub(r5, r5, r6)
        ldrh(r6, [r3, 2])
        mul(r5, r6)
        ldrh(r6, [r3, 4])
        add(r5, r5, 0)
        asr(r5, r6)
        mov(r6, 0)
        adc(r5, r6)
        lsr(r6, r5, 16)
        beq(INSIDE)
        asr(r5, r5, 31)
        mvn(r5, r5)
        lsr(r5, r5, 16)
        label(INSIDE)
        strh(r5, [r4, 0])
        add(r7, r7, r5)
        add(r1, 2)
        add(r3, 6)
        add(r4, 2)
        sub(r0, 1)
        bne(INPUT)

        # r7: sum of the activations. r8: bias and shift, r9: where to, r10: neurons that are left,
        # r11: sum of their activations, r12: the layer's plan, lr: what the weights' zero adds
        label(LAYER)
        mov(r6, r12)
        ldr(r1, [r6, 4 * _BITS])
        sub(r1, 1)
        lsl(r7, r1)
        mov(lr, r7)
        mov(r7, 0)
        mov(r11, r7)
        mov(r5, sp)
        ldr(r3, [r5, 4])
        ldr(r0, [r6, 4 * _TABLE])
        add(r0, r0, r3)
        mov(r8, r0)
        ldr(r0, [r6, 4 * _WEIGHTS])
        add(r0, r0, r3)
        ldr(r1, [r6, 4 * _NEURONS])
        mov(r10, r1)
        ldr(r2, [r5, 0])
        ldr(r1, [r6, 4 * _KIND])
        cmp(r1, 1)
        bhi(TO)
        ldr(r2, [r5, 8])
        ldr(r1, [r6, 4 * _TO])
        add(r2, r2, r1)
        label(TO)
        mov(r9, r2)

        # r0: weight, r1: activation, r2: sum, r5: end of the activations
        label(NEURON)
        mov(r5, sp)
        ldr(r1, [r5, 8])
        mov(r6, r12)
        ldr(r2, [r6, 4 * _FROM])
        add(r1, r1, r2)
        ldr(r5, [r6, 4 * _GROUPS])
        lsl(r5, r5, 3)
        add(r5, r5, r1)
        mov(r7, r8)
        ldrh(r2, [r7, 2])
        lsl(r2, r2, 16)
        ldrh(r3, [r7, 0])
        add(r2, r2, r3)
        mov(r3, lr)
        sub(r2, r2, r3)
        ldr(r3, [r6, 4 * _BITS])
        cmp(r3, 8)
        bne(WIDE)
        label(NARROW)
        ldrb(r3, [r0, 0])
        ldrh(r4, [r1, 0])
        mul(r3, r4)
        add(r2, r2, r3)
        ldrb(r3, [r0, 1])
        ldrh(r4, [r1, 2])
        mul(r3, r4)
        add(r2, r2, r3)
        ldrb(r3, [r0, 2])
        ldrh(r4, [r1, 4])
        mul(r3, r4)
        add(r2, r2, r3)
        ldrb(r3, [r0, 3])
        ldrh(r4, [r1, 6])
        mul(r3, r4)
        add(r2, r2, r3)
        add(r0, 4)
        add(r1, 8)
        cmp(r1, r5)
        bne(NARROW)
        b(SUMMED)
        label(WIDE)
        ldrh(r3, [r0, 0])
        ldrh(r4, [r1, 0])
        mul(r3, r4)
        add(r2, r2, r3)
        ldrh(r3, [r0, 2])
        ldrh(r4, [r1, 2])
        mul(r3, r4)
        add(r2, r2, r3)
        ldrh(r3, [r0, 4])
        ldrh(r4, [r1, 4])
        mul(r3, r4)
        add(r2, r2, r3)
        ldrh(r3, [r0, 6])
        ldrh(r4, [r1, 6])
        mul(r3, r4)
        add(r2, r2, r3)
        add(r0, 8)
        add(r1, 8)
        cmp(r1, r5)
        bne(WIDE)
        label(SUMMED)
        ldrh(r3, [r7, 4])
        add(r7, 6)
        mov(r8, r7)
        ldr(r1, [r6, 4 * _KIND])
        cmp(r1, 4)
        beq(VALUE)
        add(r2, r2, 0)
        asr(r2, r3)
        mov(r3, 0)
        adc(r2, r3)
        cmp(r1, 1)
        beq(TANH)
        bhi(SHARE)
        lsr(r3, r2, 16)
        beq(KEEP)
        asr(r2, r2, 31)
        mvn(r2, r2)
        lsr(r2, r2, 16)
        label(KEEP)
        mov(r3, r9)
        strh(r2, [r3, 0])
        add(r3, 2)
        mov(r9, r3)
        mov(r3, r11)
        add(r3, r3, r2)
        mov(r11, r3)
        b(NEXT)
        label(SHARE)
        mov(r3, 1)
        lsl(r3, r3, 29)
        add(r2, r2, r3)
        label(OUT)
        mov(r3, r9)
        str(r2, [r3, 0])
        add(r3, 4)
        mov(r9, r3)
        label(NEXT)
        mov(r3, r10)
        sub(r3, 1)
        mov(r10, r3)
        beq(LAYER_DONE)
        b(NEURON)

        # With x = 2^-|sum|: (32768 - x) * 32767 // (32768 + x), 15 bits, by long division
        label(TANH)
        push({r2, lr})
        asr(r3, r2, 31)
        eor(r2, r3)
        sub(r2, r2, r3)
        lsr(r3, r2, 30)
        beq(SMALL)
        mov(r2, 1)
        lsl(r2, r2, 30)
        sub(r2, 1)
        label(SMALL)
        ldr(r3, [r6, 4 * _Q])
        bl(EXP2)
        lsr(r2, r2, 4)
        mov(r3, 1)
        lsl(r3, r3, 15)
        add(r5, r3, r2)
        lsl(r5, r5, 14)
        sub(r3, r3, r2)
        lsl(r4, r3, 15)
        sub(r4, r4, r3)
        mov(r2, 1)
        lsl(r2, r2, 17)
        label(TANH_BIT)
        cmp(r4, r5)
        bcc(TANH_LESS)
        sub(r4, r4, r5)
        label(TANH_LESS)
        adc(r2, r2)
        bcs(TANH_DONE)
        lsr(r5, r5, 1)
        b(TANH_BIT)
        label(TANH_DONE)
        pop({r3, r4})
        mov(lr, r4)
        asr(r3, r3, 31)
        eor(r2, r3)
        sub(r2, r2, r3)
        mov(r3, 1)
        lsl(r3, r3, 15)
        add(r2, r2, r3)
        b(KEEP)

        # A float32 of sum / 2^(q - 128), rounded to nearest even. r2: what follows the leading 1,
        # r3: exponent, r4: sign, r5: fraction
        label(VALUE)
        cmp(r2, 0)
        beq(OUT)
        ldr(r4, [r6, 4 * _Q])
        mov(r3, 255)
        add(r3, 32)
        sub(r3, r3, r4)
        asr(r4, r2, 31)
        eor(r2, r4)
        sub(r2, r2, r4)
        lsl(r4, r4, 31)
        label(UP)
        sub(r3, 1)
        add(r2, r2, r2)
        bcc(UP)
        lsr(r5, r2, 9)
        bcc(ROUNDED)
        lsl(r2, r2, 24)
        bne(ROUND)
        lsl(r2, r5, 31)
        beq(ROUNDED)
        label(ROUND)
        add(r5, 1)
        label(ROUNDED)
        lsl(r2, r3, 23)
        add(r2, r2, r5)
        orr(r2, r4)
        b(OUT)

        # 2^-(r2 / 2^r3) in units of 2^-19 -> r2, by way of r3 to r5
        label(EXP2)
        mov(r4, r2)
        lsr(r4, r3)
        cmp(r4, 19)
        bhi(NOTHING)
        mov(r5, r4)
        lsl(r5, r3)
        sub(r2, r2, r5)
        mov(r5, 15)
        sub(r5, r5, r3)
        lsl(r2, r5)
        mov(r3, _C >> 8)
        lsl(r3, r3, 8)
        add(r3, _C & 255)
        mul(r3, r2)
        lsr(r3, r3, 15)
        mov(r5, _B >> 8)
        lsl(r5, r5, 8)
        add(r5, _B & 255)
        sub(r3, r5, r3)
        mul(r3, r2)
        lsr(r3, r3, 15)
        mov(r5, _A >> 8)
        lsl(r5, r5, 8)
        add(r5, _A & 255)
        sub(r3, r5, r3)
        mul(r3, r2)
        lsr(r3, r3, 15)
        mov(r2, 1)
        lsl(r2, r2, 15)
        sub(r2, r2, r3)
        lsl(r2, r2, 4)
        lsr(r2, r4)
        bx(lr)
        label(NOTHING)
        mov(r2, 0)
        bx(lr)

        label(LAYER_DONE)
        mov(r6, r12)
        ldr(r1, [r6, 4 * _KIND])
        cmp(r1, 1)
        bhi(LAST)
        mov(r7, r11)
        add(r6, _LAYER)
        mov(r12, r6)
        b(LAYER)

        # r0: out, then the sum of all; r1: where we are; r6: q; r7: end; r8: the largest
        label(LAST)
        cmp(r1, 4)
        beq(DONE)
        ldr(r7, [r6, 4 * _NEURONS])
        ldr(r6, [r6, 4 * _Q])
        pop({r0})
        push({r0})
        cmp(r1, 3)
        bne(MANY)
        mov(r7, 2)
        ldr(r2, [r0, 0])
        str(r2, [r0, 4])
        mov(r2, 1)
        lsl(r2, r2, 29)
        str(r2, [r0, 0])
        label(MANY)
        lsl(r7, r7, 2)
        add(r7, r7, r0)
        mov(r1, r0)
        mov(r3, 0)
        label(LARGEST)
        ldr(r2, [r1, 0])
        cmp(r2, r3)
        bls(SMALLER)
        mov(r3, r2)
        label(SMALLER)
        add(r1, 4)
        cmp(r1, r7)
        bne(LARGEST)
        mov(r8, r3)
        mov(r1, r0)
        mov(r0, 0)
        label(POWER)
        ldr(r3, [r1, 0])
        mov(r2, r8)
        sub(r2, r2, r3)
        mov(r3, r6)
        bl(EXP2)
        str(r2, [r1, 0])
        add(r0, r0, r2)
        add(r1, 4)
        cmp(r1, r7)
        bne(POWER)
        # Shares become float32 patterns by long division, rounded to nearest even.
        pop({r1})
        push({r1})
        label(DIVIDE)
        ldr(r2, [r1, 0])
        cmp(r2, 0)
        beq(DIVIDED)
        mov(r3, 150)
        mov(r4, 0)
        label(BIT)
        cmp(r2, r0)
        bcc(LESS)
        sub(r2, r2, r0)
        label(LESS)
        adc(r4, r4)
        add(r2, r2, r2)
        sub(r3, 1)
        lsr(r5, r4, 23)
        beq(BIT)
        lsl(r5, r4, 31)
        lsr(r5, r5, 31)
        add(r2, r2, r5)
        cmp(r0, r2)
        bcs(EVEN)
        add(r4, 1)
        label(EVEN)
        lsl(r2, r3, 23)
        add(r2, r2, r4)
        label(DIVIDED)
        str(r2, [r1, 0])
        add(r1, 4)
        cmp(r1, r7)
        bne(DIVIDE)

        label(DONE)
        pop({r2, r3, r4})
        pop({r0, r5})
        mov(r10, r0)
        mov(r11, r5)
        pop({r0, r5})
        mov(r8, r0)
        mov(r9, r5)
        mov(r0, 0)
        label(END)

    # Sums of the weights above zero and below zero, as positive numbers.
    @micropython.asm_thumb
    def _sums(r0, r1, r2, r3):  # weights, how many, their bits, sums
        mov(r4, 0)
        mov(r5, 0)
        mov(r7, 1)
        sub(r2, 1)
        lsl(r7, r2)
        label(WEIGHT)
        sub(r1, 1)
        bmi(DONE)
        cmp(r2, 7)
        bne(WIDE)
        ldrb(r6, [r0, 0])
        b(READ)
        label(WIDE)
        ldrh(r6, [r0, 0])
        add(r0, 1)
        label(READ)
        add(r0, 1)
        sub(r6, r6, r7)
        bmi(NEGATIVE)
        add(r4, r4, r6)
        b(WEIGHT)
        label(NEGATIVE)
        sub(r5, r5, r6)
        b(WEIGHT)
        label(DONE)
        str(r4, [r3, 0])
        str(r5, [r3, 4])
        mov(r0, 0)
else:

    @micropython.viper
    def _exp2(x: int, q: int) -> int:
        # 2^-(x / 2^q) in units of 2^-19. Fits a small integer, as x must.
        n = x >> q
        if n > 19:
            return 0
        x = (x - (n << q)) << (15 - q)
        return (32768 - (x * (_A - (x * (_B - (x * _C >> 15)) >> 15)) >> 15) << 4) >> n

    # The first two locals of a function live in registers.
    @micropython.viper
    def _run(w: ptr8, acc: int, a: ptr16, features: ptr16, out: ptr32, plan: ptr32):
        data = int(w)
        acts = int(a)
        t = ptr16(data + 8)
        total = 0
        i = 0
        n = plan[0]
        while i < n:
            j = t[2]
            acc = ((features[i] ^ 0x8000) - t[0]) * t[1]
            acc = (acc + (1 << j >> 1)) >> j
            if acc < 0:
                acc = 0
            elif acc > 0xFFFF:
                acc = 0xFFFF
            a[i] = acc
            total += acc
            t = ptr16(int(t) + 6)
            i += 1
        p = ptr32(int(plan) + 4)
        kind = 0
        while kind < 2:
            kind = p[_KIND]
            zeros = total << (p[_BITS] - 1)
            total = 0
            t = ptr16(data + p[_TABLE])
            w = ptr8(data + p[_WEIGHTS])
            v = ptr16(int(w))
            to = ptr16(acts + p[_TO])
            end = acts + p[_FROM] + (p[_GROUPS] << 3)
            n = p[_NEURONS]
            i = 0
            while i < n:
                acc = (((t[1] ^ 0x8000) - 0x8000) << 16) + t[0] - zeros
                a = ptr16(acts + p[_FROM])
                if p[_BITS] == 8:
                    while int(a) != end:
                        acc += w[0] * a[0]
                        acc += w[1] * a[1]
                        acc += w[2] * a[2]
                        acc += w[3] * a[3]
                        w = ptr8(int(w) + 4)
                        a = ptr16(int(a) + 8)
                else:
                    while int(a) != end:
                        acc += v[0] * a[0]
                        acc += v[1] * a[1]
                        acc += v[2] * a[2]
                        acc += v[3] * a[3]
                        v = ptr16(int(v) + 8)
                        a = ptr16(int(a) + 8)
                j = t[2]
                t = ptr16(int(t) + 6)
                if kind == 4:
                    # A float32 of acc / 2^(q - 128), rounded to nearest even.
                    if acc:
                        e = 277 - p[_Q]
                        if acc < 0:
                            acc = -acc
                            e += 256
                        while acc < 0x800000:
                            acc += acc
                            e -= 1
                        j = 0
                        while acc >> j >= 0x1000000:
                            j += 1
                        if j:
                            low = acc & ((1 << j) - 1)
                            acc >>= j
                            if low + (acc & 1) > 1 << (j - 1):
                                acc += 1
                        acc += (e + j) << 23
                    out[i] = acc
                else:
                    acc = (acc + (1 << j >> 1)) >> j
                    if kind == 0:
                        if acc < 0:
                            acc = 0
                        elif acc > 0xFFFF:
                            acc = 0xFFFF
                        to[i] = acc
                        total += acc
                    elif kind == 1:
                        low = acc
                        if acc < 0:
                            acc = -acc
                        if acc > 0x3FFFFFFF:
                            acc = 0x3FFFFFFF
                        acc = int(_exp2(acc, p[_Q])) >> 4
                        acc = (32768 - acc) * 32767 // (32768 + acc)
                        if low < 0:
                            acc = -acc
                        acc += 32768
                        to[i] = acc
                        total += acc
                    else:
                        out[i] = acc + _ZERO
                i += 1
            if kind < 2:
                p = ptr32(int(p) + _LAYER)
        if kind == 4:
            return
        if kind == 3:
            out[1] = out[0]
            out[0] = _ZERO
            n = 2
        j = 0
        i = n
        while i:
            i -= 1
            if out[i] > j:
                j = out[i]
        total = 0
        i = n
        while i:
            i -= 1
            acc = int(_exp2(j - out[i], p[_Q]))
            out[i] = acc
            total += acc
        # Shares become float32 patterns by long division, rounded to nearest even.
        i = n
        while i:
            i -= 1
            acc = out[i]
            if acc:
                e = 150
                low = 0
                while low < 0x800000:
                    low += low
                    if acc >= total:
                        acc -= total
                        low += 1
                    acc += acc
                    e -= 1
                if acc + (low & 1) > total:
                    low += 1
                acc = (e << 23) + low
            out[i] = acc

    # Sums of the weights above zero and below zero, as positive numbers.
    @micropython.viper
    def _sums(p: ptr8, n: int, bits: int, sums: ptr32):
        v = ptr16(int(p))
        sums[0] = 0
        sums[1] = 0
        i = 0
        while i < n:
            if bits == 8:
                w = p[i] - 0x80
            else:
                w = v[i] - 0x8000
            if w > 0:
                sums[0] += w
            else:
                sums[1] -= w
            i += 1


def _check(features, out, n_features, n_outputs):
    # No `try`: on some builds entering one costs more than a prediction. Few locals, too: a frame
    # of more than eleven words is allocated on the heap.
    if type(features) is not array or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if type(out) is not array or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if _THUMB or len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


def _want(good, what):
    if not good:
        raise ValueError("model: bad " + what)


class Mlp:
    def __init__(self, data):
        size = len(data)
        _want(size > 8 and data[:4] == b"MLP1", "head")
        n, layers, bits = struct.unpack_from("<HBB", data, 4)
        bits *= 8
        _want(bits in (8, 16) and layers and 0 < n <= _WIDEST, "head")
        at = 8 + 6 * n
        _want(at <= size, "size")
        for i in range(8, at, 6):
            _, gain, shift = struct.unpack_from("<3H", data, i)
            _want(gain < 0x4000 and shift <= 24, "feature %d" % (i // 6 - 1))
        plan = array("i", (n,))
        if _THUMB:
            plan.append(0)
        sums = array("i", (0, 0))
        self._features = n
        acts = 0
        for layer in range(1, layers + 1):
            _want(at + 4 <= size, "size")
            neurons, kind, q = struct.unpack_from("<HBB", data, at)
            at += 4
            width = (n + 3) & ~3
            weights = at + 6 * neurons
            end = weights + neurons * width * bits // 8
            where = "layer %d" % layer
            _want(0 < neurons <= _WIDEST and (kind > 1) == (layer == layers), where)
            _want((kind < 4 and q < 16) or (kind == 4 and 38 <= q <= 248), where)
            _want(kind != 2 or neurons <= 256, where)
            _want(kind != 3 or neurons == 1, where)
            _want(end <= size, "size")
            plan.extend(array("i", (width // 4, neurons, kind, q, at, weights)))
            plan.extend(array("i", (2 * acts, 2 * (acts + width), bits)))
            acts += width
            rows = memoryview(data)[weights:end]
            step = width * bits // 8
            for i in range(neurons):
                bias, shift = struct.unpack_from("<iH", data, at + 6 * i)
                _sums(rows[i * step : i * step + step], width, bits, sums)
                high = bias + 0xFFFF * sums[0]
                low = bias - 0xFFFF * sums[1]
                _want(-_LIMIT < low and high < _LIMIT and shift <= 24, "%s neuron %d" % (where, i))
                _want(kind < 2 or (shift == 0 if kind == 4 else shift > 1), where)
                _sums(rows[i * step + n * bits // 8 : i * step + step], width - n, bits, sums)
                _want(sums[0] == sums[1] == 0, where)
            at = end
            n = neurons
        _want(at == size, "size")
        self._outputs = 2 if kind == 3 else n
        self._data = data
        self._plan = plan
        self._acts = array("H", bytes(2 * acts))
        if _THUMB:
            plan[1] = self._outputs
            self._told = [None, None, data, self._acts, plan]
        else:
            self._seen_f = self._seen_out = _NEVER

    def features(self):
        return self._features

    def outputs(self):
        return self._outputs

    if _THUMB:

        def predict(self, features, out):
            told = self._told
            told[0] = features
            told[1] = out
            if _run(told):
                _check(features, out, self._features, self._outputs)

    else:

        def _see(self, features, out):
            self._seen_f = _NEVER
            _check(features, out, self._features, self._outputs)
            self._seen_f = features
            self._seen_out = out

        @micropython.viper
        def predict(self, features, out):
            if (
                features is not self._seen_f
                or out is not self._seen_out
                or int(_len(features)) != int(self._features)
                or int(_len(out)) != int(self._outputs)
            ):
                self._see(features, out)
            _run(self._data, 0, self._acts, features, out, self._plan)


def load(source):
    """A model from the path of a file, an open binary file, or bytes; ValueError if it is bad."""
    if isinstance(source, str):
        data = bytearray(os.stat(source)[6])
        with open(source, "rb") as f:
            _want(f.readinto(data) == len(data), "size")
        return Mlp(data)
    if hasattr(source, "read"):
        source = source.read()
    if not isinstance(source, (bytes, bytearray)):
        raise ValueError("want a path, a binary file or bytes")
    return Mlp(bytearray(source))
