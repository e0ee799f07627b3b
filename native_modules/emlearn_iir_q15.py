"""IIR filters on int16 samples in viper or Thumb: second-order sections with 16-bit coefficients.

Same API and answers, bit by bit, as the plain twin `emlearn_iir_q15_ref.py`. For sound and motion
above 1/100 of the sampling rate; 13 fractional bits of a coefficient place no pole nearer to DC:
for those, A-weighting among them, there is `emlearn_iir`.
Output saturates at int16. The bits that a sum loses are kept for the next one, so that there is
neither drift nor a dead band. Memory: 20 bytes a section, 40 on a Cortex-M. `run` allocates
nothing; the filter keeps a reference to its last buffer, and its state from one call to the next.
In Thumb it reads type, length and address of its buffer where MicroPython 1.29 keeps them: a
firmware that differs there is refused at import.
"""

from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
_THUMB = const(0)  # and 1 for Cortex-M
# MicroPython's arrays, in words: type, typecode (in the lowest byte), length, address
_TYPECODE = const(4)  # in bytes
_LENGTH = const(8)
_ADDRESS = const(12)
_BIAS = const(32768 - 32768 * _THUMB)  # coefficients are kept plus this
# Bytes that read as -32767 from an array 'h' only.
_AS_H = b"\x01\x80" * 4


# A record is 10 numbers: b0 rest b1 b2 -a1 -a2, the last two inputs, the last two outputs; `rest`
# is the bits that the last sum lost. One section filters all samples before the next one does.
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

    # Answers with 1 if values is no array 'h': objects have addresses whose lowest two bits are 0,
    # arrays the type that the records have.
    # r0: where we are, r1 r2: x1 x2, r3 r4: y1 y2, r5: rest, then the sum, r6: x, r7: a product;
    # r8 to r12: b0 -b1 -b2 -a1 -a2, lr: the end. A record is int32.
    # The sum of all products has 33 bits. In two parts each fits: |a1| is below 2 and |a2| below 1,
    # as the filter is stable. Where their difference overflows, the output saturates anyway.
    @micropython.asm_thumb
    def _run(r0, r1):  # [values, records], how many records
        ldr(r2, [r0, 4])
        ldr(r0, [r0, 0])
        lsl(r4, r0, 30)
        bne(REFUSE)
        ldr(r4, [r0, 0])
        ldr(r5, [r2, 0])
        cmp(r4, r5)
        bne(REFUSE)
        ldrb(r4, [r0, _TYPECODE])
        cmp(r4, 104)
        beq(FINE)
        label(REFUSE)
        mov(r0, 1)
        b(REFUSED)
        label(FINE)
        mov(r3, r1)
        ldr(r1, [r0, _LENGTH])
        ldr(r0, [r0, _ADDRESS])
        ldr(r2, [r2, _ADDRESS])
        mov(r4, r8)
        mov(r5, r9)
        mov(r6, r10)
        mov(r7, r11)
        push({r4, r5, r6, r7})
        lsl(r1, r1, 1)
        beq(END)
        add(r1, r1, r0)
        mov(lr, r1)

        label(SECTION)
        sub(r3, 1)
        bmi(END)
        push({r0, r2, r3})
        data(2, 0xCAFA)  # ldmia(r2!, {r1, r3, r4, r5, r6, r7})
        mov(r8, r1)
        neg(r4, r4)
        mov(r9, r4)
        neg(r5, r5)
        mov(r10, r5)
        mov(r11, r6)
        mov(r12, r7)
        mov(r5, r3)
        data(2, 0xCA1E)  # ldmia(r2, {r1, r2, r3, r4})
        label(SAMPLE)
        mov(r7, 0)
        data(2, 0x5FC6)  # ldrsh(r6, [r0, r7])
        mov(r7, r12)
        mul(r4, r7)
        add(r5, r5, r4)
        mov(r7, r11)
        mul(r7, r3)
        add(r5, r5, r7)
        mov(r4, r3)
        mov(r7, r8)
        mul(r7, r6)
        add(r5, r5, r7)
        mov(r7, r10)
        mul(r2, r7)
        mov(r7, r9)
        mul(r7, r1)
        add(r7, r7, r2)
        mov(r2, r1)
        mov(r1, r6)
        sub(r3, r5, r7)
        lsl(r5, r3, 19)
        lsr(r5, r5, 19)
        bvs(CLIP)
        asr(r3, r3, 13)
        lsl(r7, r3, 16)
        asr(r7, r7, 16)
        cmp(r3, r7)
        beq(STORE)
        mvn(r3, r3)
        # -32768 if r3 is positive, 32767 if it is negative
        label(CLIP)
        asr(r3, r3, 31)
        mov(r7, 1)
        lsl(r7, r7, 15)
        neg(r7, r7)
        eor(r3, r7)
        label(STORE)
        strh(r3, [r0, 0])
        add(r0, 2)
        mov(r7, lr)
        cmp(r0, r7)
        bne(SAMPLE)
        pop({r0, r6, r7})
        str(r5, [r6, 4])
        add(r6, 24)
        data(2, 0xC61E)  # stmia(r6!, {r1, r2, r3, r4})
        mov(r2, r6)
        mov(r3, r7)
        b(SECTION)

        label(END)
        pop({r4, r5, r6, r7})
        mov(r8, r4)
        mov(r9, r5)
        mov(r10, r6)
        mov(r11, r7)
        mov(r0, 0)
        label(REFUSED)
else:
    # One section filters all samples: then its numbers are locals. x and y come first, as locals in
    # registers: samples, and sections.
    @micropython.viper
    def _run(x: int, y: int, p: ptr16, s: ptr16):
        end = int(s) + x + x
        left = y
        while left:
            rest = p[1] & 0x1FFF
            b0 = p[0] - 0x8000
            b1 = p[2] - 0x8000
            b2 = p[3] - 0x8000
            a1 = p[4] - 0x8000
            a2 = p[5] - 0x8000
            x1 = (p[6] ^ 0x8000) - 0x8000
            x2 = (p[7] ^ 0x8000) - 0x8000
            y1 = (p[8] ^ 0x8000) - 0x8000
            y2 = (p[9] ^ 0x8000) - 0x8000
            q = s
            while int(q) < end:
                x = (q[0] ^ 0x8000) - 0x8000
                if _WIDE:
                    y = rest + x * b0 + x1 * b1 + x2 * b2 + y2 * a2 + y1 * a1
                    rest = y & 0x1FFF
                    y >>= 13
                else:
                    # The sum of five products has 33 bits: the low 13 apart.
                    t = x * b0
                    y = t >> 13
                    rest += t & 0x1FFF
                    t = x1 * b1
                    y += t >> 13
                    rest += t & 0x1FFF
                    t = x2 * b2
                    y += t >> 13
                    rest += t & 0x1FFF
                    t = y1 * a1
                    y += t >> 13
                    rest += t & 0x1FFF
                    t = y2 * a2
                    y += t >> 13
                    rest += t & 0x1FFF
                    y += rest >> 13
                    rest &= 0x1FFF
                if y + 0x8000 >> 16:
                    y = 0x7FFF ^ (y >> 31)
                q[0] = y
                q = ptr16(int(q) + 2)
                x2 = x1
                x1 = x
                y2 = y1
                y1 = y
            p[1] = rest
            p[6] = x1
            p[7] = x2
            p[8] = y1
            p[9] = y2
            p = ptr16(int(p) + 20)
            left -= 1


def _want(x, what):
    if type(x) is not array or (x[:0] + _AS_H)[0] != -32767:
        raise ValueError("%s: want array 'h'" % what)


class IIR:
    def __init__(self, coefficients):
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        if _THUMB:
            rec = array("i")
        else:
            rec = array("H")
        self._n = n // 6
        for i in range(0, n, 6):
            c = coefficients[i : i + 6]
            if c[1] or not _stable(c[4], c[5]):
                raise ValueError("bad section %d" % (i // 6))
            for v in c:
                rec.append(v + _BIAS)
            for v in bytes(4):
                rec.append(v)
        if _THUMB:
            self._told = [None, rec]
        else:
            self._rec = rec
            self._seen = self  # nothing that is passed

    def run(self, values):
        if _THUMB:
            self._told[0] = values
            if _run(self._told, self._n):
                _want(values, "values")
        else:
            if values is not self._seen:
                _want(values, "values")
                self._seen = values
            _run(len(values), self._n, self._rec, values)


new = IIR


def _stable(a1, a2):
    """Of -a1 and -a2, times 8192."""
    return -8192 < a2 and abs(a1) < 8192 - a2


def convert_coefficients(c, scale=8192):
    """Sections of floats as of `scipy.signal`, an array 'f' -> an array 'h' for `new`.

    A section that rounding makes unstable gets the nearest stable coefficients.
    """
    if len(c) == 0 or len(c) % 6:
        raise ValueError("want 6 coefficients a section")
    out = array("h")
    for i in range(0, len(c), 6):
        b0, b1, b2, a0, a1, a2 = c[i : i + 6]
        if a0 != 1:
            raise ValueError("bad section %d" % (i // 6))
        row = array("h")
        for v in (b0, 0, b1, b2, -a1, -a2):
            if not -4 < v < 4:
                raise ValueError("section %d: %s, want -4 to 4" % (i // 6, v))
            row.append(max(-32768, min(32767, round(v * scale))))
        row[5] = max(row[5], -8191)
        limit = 8191 - row[5]
        if abs(row[4]) > limit + 2:
            raise ValueError("section %d: unstable" % (i // 6))
        row[4] = max(-limit, min(limit, row[4]))
        out.extend(row)
    return out
