"""Fast Fourier transform in the inline assembler, for a Cortex-M with a float unit: in place on two
arrays 'f', real and imaginary parts.

Same API and refusals as the plain twin `emlearn_fft_ref.py`, in float32: decimation in time, two
stages at once, so that four numbers are loaded and stored once. If `imag` is zeros all over, `real`
is transformed as complex numbers of half the length, even places as real parts and odd ones as
imaginary. The error of any bin is below 1e-6 of the largest, but 7e-6 where MicroPython's floats
have 30 bits only, as then sines and cosines are less exact. Sums above 3e38 become infinite or NaN.
Memory: 4 bytes a number. `run` keeps a reference to its last two buffers and allocates nothing.
"""

import math
from array import array

import micropython


# r0: real; r1: imag; r2: cosines of each 1/n turn up to half a turn, then sines; r3: n. Answers 1,
# and does nothing, if a number is not finite, else 0. Sizes and distances are in bytes below.
# r8: the first number; r7: the end; r1: from a real part to the imaginary one; r12: from a number
# to the next; r10: the table; s11: imag.
@micropython.asm_thumb
def _transform(r0, r1, r2, r3):
    push({r8, r9, r10, r11})
    mov(r8, r0)
    vmov(s11, r1)
    mov(r10, r2)
    mov(r2, 255)
    lsl(r2, r2, 24)
    mov(r4, r0)
    bl(LOOK)
    mov(r4, r1)
    bl(LOOK)
    lsl(r3, r3, 2)
    mov(r7, 4)
    sub(r1, r1, r0)
    cmp(r6, 0)
    bne(APART)
    # imag is zeros: real is taken for n/2 complex numbers, whose parts are side by side.
    mov(r1, 4)
    mov(r7, 8)
    label(APART)
    mov(r12, r7)
    # Swap numbers whose places have each other's bits in reverse. With 2 ** k numbers, 2 ** s bytes
    # from one to the next (s is 2 or 3), the reverse of r4 is 32 bits reversed and shifted right by
    # r6 = 32 - k - 2 * s, which is odd if k is.
    lsr(r4, r7, 2)
    clz(r6, r3)
    sub(r6, r6, r4)
    mov(r4, 0)
    label(SWAP)
    rbit(r5, r4)
    lsr(r5, r6)
    cmp(r4, r5)
    bcs(SWAPPED)
    mov(r2, r8)
    add(r5, r5, r2)
    ldr(r2, [r0, 0])
    vldr(s1, [r5, 0])
    vstr(s1, [r0, 0])
    str(r2, [r5, 0])
    add(r0, r0, r1)
    add(r5, r5, r1)
    ldr(r2, [r0, 0])
    vldr(s1, [r5, 0])
    vstr(s1, [r0, 0])
    str(r2, [r5, 0])
    sub(r0, r0, r1)
    label(SWAPPED)
    add(r0, r0, r7)
    add(r4, r4, r7)
    cmp(r4, r3)
    bne(SWAP)
    # From now on, r2 is the size of the transforms that there are, of one number at first; r11 is
    # r2 times the distance from a factor to the next.
    mov(r2, r7)
    mov(r7, r0)
    lsr(r4, r3, 2)
    mul(r4, r2)
    mov(r11, r4)
    # If the number of stages is odd: one whose factors are 1.
    lsr(r6, r6, 1)
    bcc(EVEN)
    mov(r0, r8)
    label(PAIR)
    add(r3, r0, r1)
    add(r4, r0, r2)
    add(r5, r4, r1)
    vldr(s0, [r0, 0])
    vldr(s1, [r3, 0])
    vldr(s2, [r4, 0])
    vldr(s3, [r5, 0])
    vadd(s4, s0, s2)
    vadd(s5, s1, s3)
    vsub(s0, s0, s2)
    vsub(s1, s1, s3)
    vstr(s4, [r0, 0])
    vstr(s5, [r3, 0])
    vstr(s0, [r4, 0])
    vstr(s1, [r5, 0])
    add(r0, r4, r2)
    cmp(r0, r7)
    bne(PAIR)
    lsl(r2, r2, 1)
    label(EVEN)
    b(TEST)

    # Two stages: of four transforms of size r2, one of 4 * r2. r9: where the factor w is; r14: the
    # first number that it is for.
    label(STAGES)
    mov(r9, r10)
    mov(r14, r8)
    label(FACTOR)
    mov(r3, r9)
    vldr(s12, [r3, 0])  # w
    add(r5, r3, r3)
    mov(r4, r10)
    sub(r5, r5, r4)
    vldr(s14, [r5, 0])  # w * w
    mov(r4, r8)
    sub(r4, r7, r4)
    lsr(r4, r4, 1)  # from cosines to sines
    add(r5, r5, r4)
    add(r4, r3, r4)
    vldr(s13, [r4, 0])
    vldr(s15, [r5, 0])
    mov(r4, r11)
    udiv(r4, r4, r2)
    add(r3, r3, r4)
    mov(r9, r3)
    mov(r0, r14)
    label(FOUR)
    # At r0, r3, r4, r5 are a, b, c, d: s0 + j * s1, s2 + j * s3, s4 + j * s5, s6 + j * s7.
    add(r3, r0, r2)
    add(r4, r3, r2)
    add(r5, r4, r2)
    vldr(s0, [r0, 0])
    vldr(s2, [r3, 0])
    vldr(s4, [r4, 0])
    vldr(s6, [r5, 0])
    add(r6, r0, r1)
    vldr(s1, [r6, 0])
    add(r6, r3, r1)
    vldr(s3, [r6, 0])
    add(r6, r4, r1)
    vldr(s5, [r6, 0])
    add(r6, r5, r1)
    vldr(s7, [r6, 0])
    # a, b = a + w * w * b, a - w * w * b
    vmul(s8, s2, s14)
    vmul(s9, s3, s15)
    vadd(s8, s8, s9)
    vmul(s9, s3, s14)
    vmul(s10, s2, s15)
    vsub(s9, s9, s10)
    vsub(s2, s0, s8)
    vsub(s3, s1, s9)
    vadd(s0, s0, s8)
    vadd(s1, s1, s9)
    # c, d = c + w * w * d, c - w * w * d
    vmul(s8, s6, s14)
    vmul(s9, s7, s15)
    vadd(s8, s8, s9)
    vmul(s9, s7, s14)
    vmul(s10, s6, s15)
    vsub(s9, s9, s10)
    vsub(s6, s4, s8)
    vsub(s7, s5, s9)
    vadd(s4, s4, s8)
    vadd(s5, s5, s9)
    # a, c = a + w * c, a - w * c
    vmul(s8, s4, s12)
    vmul(s9, s5, s13)
    vadd(s8, s8, s9)
    vmul(s9, s5, s12)
    vmul(s10, s4, s13)
    vsub(s9, s9, s10)
    vsub(s4, s0, s8)
    vsub(s5, s1, s9)
    vadd(s0, s0, s8)
    vadd(s1, s1, s9)
    # b, d = b - j * w * d, b + j * w * d
    vmul(s8, s6, s12)
    vmul(s9, s7, s13)
    vadd(s8, s8, s9)
    vmul(s9, s7, s12)
    vmul(s10, s6, s13)
    vsub(s9, s9, s10)
    vsub(s6, s2, s9)
    vadd(s7, s3, s8)
    vadd(s2, s2, s9)
    vsub(s3, s3, s8)
    vstr(s7, [r6, 0])
    add(r6, r4, r1)
    vstr(s5, [r6, 0])
    add(r6, r3, r1)
    vstr(s3, [r6, 0])
    add(r6, r0, r1)
    vstr(s1, [r6, 0])
    vstr(s0, [r0, 0])
    vstr(s2, [r3, 0])
    vstr(s4, [r4, 0])
    vstr(s6, [r5, 0])
    add(r0, r5, r2)
    cmp(r0, r7)
    bcc_w(FOUR)
    mov(r0, r14)
    mov(r3, r12)
    add(r0, r0, r3)
    mov(r14, r0)
    mov(r3, r8)
    add(r3, r3, r2)
    cmp(r0, r3)
    bne_w(FACTOR)
    lsl(r2, r2, 2)
    label(TEST)
    mov(r3, r8)
    add(r3, r3, r2)
    cmp(r3, r7)
    bcc_w(STAGES)
    mov(r6, r12)
    cmp(r6, 8)
    bne_w(END)
    # Of a real signal, real now has the n/2 bins z that its even and odd places have together.
    # First, imag gets the real parts of its bins 1 to n/2, then the imaginary ones, backwards.
    # Bin 0 is done at once.
    mov(r0, r8)
    vmov(r1, s11)  # real part of k
    mov(r2, r10)
    sub(r3, r7, r0)
    mov(r9, r3)
    add(r6, r1, r3)  # imaginary part of k
    lsr(r3, r3, 1)
    add(r5, r1, r3)  # real part of n/2 - k
    add(r3, r3, r2)
    mov(r4, 63)
    lsl(r4, r4, 24)
    vmov(s12, r4)  # 0.5
    mov(r4, r7)  # z of n/2 - k
    mov(r7, r5)  # imaginary part of n/2 - k
    vldr(s0, [r0, 0])
    vldr(s1, [r0, 4])
    vadd(s2, s0, s1)
    vstr(s2, [r0, 0])
    vsub(s2, s0, s1)
    vstr(s2, [r5, 0])
    b(NEXT)
    label(UNFOLD)
    vldr(s0, [r0, 0])
    vldr(s1, [r0, 4])
    vldr(s2, [r4, 0])
    vldr(s3, [r4, 4])
    vldr(s4, [r2, 0])
    vldr(s5, [r3, 0])
    # Of the even places, bin k is (z(k) + conj(z(n/2 - k))) / 2: s6 + j * s7. Of the odd ones, it
    # is (z(k) - conj(z(n/2 - k))) / 2j: s8 + j * s9; times w, s0 + j * s1. Bin k is their sum, and
    # bin n/2 - k the conjugate of their difference.
    vadd(s6, s0, s2)
    vsub(s7, s1, s3)
    vadd(s8, s1, s3)
    vsub(s9, s2, s0)
    vmul(s6, s6, s12)
    vmul(s7, s7, s12)
    vmul(s8, s8, s12)
    vmul(s9, s9, s12)
    vmul(s0, s8, s4)
    vmul(s1, s9, s5)
    vadd(s0, s0, s1)
    vmul(s1, s9, s4)
    vmul(s2, s8, s5)
    vsub(s1, s1, s2)
    vadd(s2, s6, s0)
    vsub(s3, s6, s0)
    vadd(s4, s1, s7)
    vsub(s5, s1, s7)
    vstr(s2, [r1, 0])
    vstr(s3, [r5, 0])
    vstr(s4, [r6, 0])
    vstr(s5, [r7, 0])
    label(NEXT)
    add(r0, 8)
    sub(r4, 8)
    add(r1, 4)
    sub(r5, 4)
    sub(r6, 4)
    add(r7, 4)
    add(r2, 4)
    add(r3, 4)
    cmp(r0, r4)
    bls(UNFOLD)
    # Bin n - k is the conjugate of bin k.
    mov(r0, r8)
    vmov(r1, s11)
    mov(r3, r9)
    add(r4, r0, r3)
    add(r6, r1, r3)
    mov(r5, 1)
    lsl(r5, r5, 31)  # the sign
    label(MIRROR)
    add(r0, 4)
    add(r1, 4)
    sub(r4, 4)
    sub(r6, 4)
    ldr(r2, [r1, 0])
    str(r2, [r0, 0])
    cmp(r1, r6)
    beq(MIDDLE)
    ldr(r7, [r6, 0])
    str(r2, [r4, 0])
    str(r7, [r1, 0])
    eor(r7, r5)
    str(r7, [r6, 0])
    b(MIRROR)
    label(MIDDLE)
    mov(r3, 0)
    str(r3, [r1, 0])
    label(END)
    mov(r0, 0)
    b(RETURN)

    # Of r3 floats at r4, r6 gets the bits that any has, but for the sign. r2: those of infinity.
    label(LOOK)
    mov(r5, r3)
    mov(r6, 0)
    label(NUMBER)
    ldr(r7, [r4, 0])
    lsl(r7, r7, 1)
    cmp(r7, r2)
    bcs(BAD)
    orr(r6, r7)
    add(r4, 4)
    sub(r5, 1)
    bne(NUMBER)
    bx(r14)
    label(BAD)
    mov(r0, 1)
    label(RETURN)
    pop({r8, r9, r10, r11})


def _want(x, n, what):
    if not isinstance(x, array) or repr(x[:0]) != "array('f')" or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


class FFT:
    def __init__(self, length):
        if type(length) is not int or not 4 <= length <= 16384 or length & (length - 1):
            raise ValueError("length: want a power of two, 4 to 16384")
        self._n = length
        self._w = array("f", bytes(4 * length))
        self._re = self  # nothing that is passed

    def fill(self, sin, cos):
        n = self._n // 2
        _want(sin, n, "sin")
        _want(cos, n, "cos")
        for x in (sin, cos):
            for v in x:
                if not abs(v) < 1.001:
                    raise ValueError("want sines and cosines")
        self._w[:n] = cos
        self._w[n:] = sin

    def _see(self, real, imag):
        if not self._w[0]:  # the cosine of 0
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
        if _transform(real, imag, self._w, n):
            raise ValueError("not finite")


def fill(fft, n):
    """Fill in sines and cosines; `run` does it by itself if that was forgotten."""
    if n != fft._n:
        raise ValueError("want length %d" % fft._n)
    n //= 2
    x = math.acos(-1) / n  # of half a turn
    for i in range(n):
        fft._w[i] = math.cos(x * i)
        fft._w[n + i] = math.sin(x * i)
