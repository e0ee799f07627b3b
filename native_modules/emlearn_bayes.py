"""Gaussian naive Bayes on int16 features, in viper, or in Thumb on a Cortex-M.

Same API and answers as the plain twin `emlearn_bayes_ref.py`, which spells out each step.
Fixed point: differences to a mean are integers, times 16-bit inverse standard deviations; squares
of up to 8 deviations are kept to 2**-12, beyond that to 14 bits. Their sum has a shift of its own,
so that nothing saturates: classes a million deviations away are still told apart. The exponentials
are polynomials of 15 bits (off by 6e-5), the shares a division rounded to nearest even. Against
floats: see `error_bound` in model.json.
Cost: two multiplications a class and feature; on x64, 0.5 us for 3 classes of 13 features, 4.3 us
for 10 of 64, a fortieth of the twin's time.
Memory: the file's size, and 8 bytes a class. `predict` and `loglik` allocate nothing once they
have seen their two buffers (the model keeps a reference to them). In Thumb they read their types,
lengths and addresses where MicroPython 1.29 keeps them: a firmware that differs there is refused at
import.
"""

from array import array

try:
    from binascii import crc32
except ImportError:  # some small ports
    crc32 = None

import micropython
from micropython import const

_HEAD = const(16)  # bytes; the file is described in emlearn_bayes_ref.py
_THUMB = const(0)  # 1 for Cortex-M: the build says so
# MicroPython's arrays, in words: type, typecode (in the lowest byte), length, address
_TYPECODE = const(4)  # in bytes
_LENGTH = const(8)
_ADDRESS = const(12)
if not _THUMB:
    _UNSEEN = array("h")  # in place of a buffer that fits
    _len = len  # found sooner among the module's names than among the built-in ones

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode, and their repr is slow. Eight of them
# make at least one element of any type, odd ones so that an array 'O' reads a small integer.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2


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
    # lowest two bits are 0, arrays the type that the costs have.
    @micropython.asm_thumb
    def _run(r0, r1):  # [features, out, file, costs], whether log-likelihoods are wanted
        ldr(r2, [r0, 0])
        ldr(r3, [r0, 4])
        ldr(r4, [r0, 8])
        ldr(r4, [r4, _ADDRESS])
        ldr(r7, [r0, 12])
        ldr(r0, [r7, 0])
        ldr(r7, [r7, _ADDRESS])
        mov(r5, r2)
        orr(r5, r3)
        lsl(r5, r5, 30)
        bne(REFUSE)
        ldr(r5, [r2, 0])
        cmp(r5, r0)
        bne(REFUSE)
        ldr(r5, [r3, 0])
        cmp(r5, r0)
        bne(REFUSE)
        ldrb(r5, [r2, _TYPECODE])
        cmp(r5, 104)
        bne(REFUSE)
        ldrb(r5, [r3, _TYPECODE])
        cmp(r5, 102)
        bne(REFUSE)
        ldr(r5, [r2, _LENGTH])
        ldrb(r6, [r4, 4])
        cmp(r5, r6)
        bne(REFUSE)
        ldr(r5, [r3, _LENGTH])
        ldrb(r6, [r4, 6])
        cmp(r5, r6)
        beq(FINE)
        label(REFUSE)
        mov(r0, 1)
        b(END)
        label(FINE)
        ldr(r2, [r2, _ADDRESS])
        ldr(r3, [r3, _ADDRESS])
        mov(r5, r8)
        mov(r6, r9)
        push({r5, r6})
        mov(r5, r10)
        mov(r6, r11)
        push({r5, r6})
        push({r2, r3, r4, r7})  # features, out, file, costs

        # r8: from a mean to its shift, and from there to its factor; r9: end of the features; r10:
        # where to, a cost and its shift or a log-likelihood; r11: whether that; r12: classes that
        # are left; lr: their logarithms
        mov(r11, r1)
        cmp(r1, 0)
        beq(COSTS)
        mov(r7, r3)
        label(COSTS)
        mov(r10, r7)
        ldrb(r5, [r4, 4])
        ldrb(r6, [r4, 6])
        mov(r12, r6)
        lsl(r7, r5, 1)
        add(r7, r7, r2)
        mov(r9, r7)
        mul(r5, r6)
        lsl(r7, r5, 1)
        mov(r8, r7)
        add(r4, _HEAD)
        mov(lr, r4)
        lsl(r6, r6, 2)
        add(r2, r4, r6)
        lsl(r5, r5, 2)
        add(r1, r2, r5)

        # r0: feature, r1: mean, r2: bias, r3: sum of squares, times 2^r4; half a unit for each, as
        # they are rounded down
        label(CLASS)
        mov(r7, sp)
        ldr(r0, [r7, 0])
        ldr(r7, [r7, 8])
        ldrb(r3, [r7, 4])
        lsr(r3, r3, 1)
        mov(r4, 0)
        label(FEATURE)
        mov(r7, 1)
        lsl(r7, r7, 15)
        ldrh(r5, [r0, 0])
        eor(r5, r7)
        ldrh(r6, [r1, 0])
        sub(r5, r5, r6)
        mov(r6, r8)
        add(r6, r6, r6)
        data(2, 0x5B8E)  # ldrh(r6, [r1, r6])
        sub(r6, r6, r7)
        mul(r5, r6)
        add(r5, 1)
        asr(r5, r5, 1)
        ldr(r6, [r2, 0])
        add(r5, r5, r6)
        lsl(r7, r7, 14)
        sub(r5, r5, r7)
        mov(r6, r8)
        data(2, 0x5B8E)  # ldrh(r6, [r1, r6])
        add(r0, 2)
        add(r1, 2)
        add(r2, 4)
        # |difference| of 15 bits, times 2^r6, whose square is added to r3, times 2^r4
        cmp(r6, 32)
        bcs(ABOVE)
        asr(r5, r6)
        mov(r6, 32)
        label(ABOVE)
        sub(r6, 32)
        asr(r7, r5, 31)
        eor(r5, r7)
        sub(r5, r5, r7)
        label(DOWN)
        lsr(r7, r5, 15)
        beq(UP)
        add(r5, 1)
        lsr(r5, r5, 1)
        add(r6, 1)
        b(DOWN)
        label(UP)
        cmp(r6, 0)
        beq(SQUARE)
        lsr(r7, r5, 14)
        bne(SQUARE)
        add(r5, r5, r5)
        sub(r6, 1)
        b(UP)
        label(SQUARE)
        mul(r5, r5)
        lsl(r6, r6, 1)
        sub(r6, r4, r6)
        add(r6, 12)
        bmi(COARSER)
        lsr(r5, r6)
        b(ADD)
        label(COARSER)
        sub(r4, r4, r6)
        neg(r6, r6)
        lsr(r3, r6)
        label(ADD)
        add(r3, r3, r5)
        lsr(r7, r3, 30)
        beq(FITS)
        lsr(r3, r3, 1)
        add(r4, 1)
        label(FITS)
        mov(r7, r9)
        cmp(r0, r7)
        bne(FEATURE)
        mov(r7, lr)
        ldr(r5, [r7, 0])
        add(r7, 4)
        mov(lr, r7)
        lsr(r5, r4)
        add(r3, r3, r5)
        mov(r7, r10)
        mov(r5, r11)
        cmp(r5, 0)
        bne(LOGLIK)
        str(r3, [r7, 0])
        str(r4, [r7, 4])
        add(r7, 8)
        b(NEXT)
        # (2**29 - r3 * 2**r4) * 2**-13 as a float32, rounded to nearest even. r3: then what follows
        # the leading 1, r4: exponent, r5: fraction, r6: sign
        label(LOGLIK)
        mov(r5, 1)
        lsl(r5, r5, 29)
        lsr(r5, r4)
        sub(r3, r5, r3)
        beq(ZERO)
        add(r4, 146)
        asr(r6, r3, 31)
        eor(r3, r6)
        sub(r3, r3, r6)
        lsl(r6, r6, 31)
        label(TOP)
        sub(r4, 1)
        add(r3, r3, r3)
        bcc(TOP)
        lsr(r5, r3, 9)
        bcc(ROUNDED)
        lsl(r3, r3, 24)
        bne(ROUND)
        lsl(r3, r5, 31)
        beq(ROUNDED)
        label(ROUND)
        add(r5, 1)
        label(ROUNDED)
        lsl(r3, r4, 23)
        add(r3, r3, r5)
        orr(r3, r6)
        label(ZERO)
        str(r3, [r7, 0])
        add(r7, 4)
        label(NEXT)
        mov(r10, r7)
        mov(r6, r12)
        sub(r6, 1)
        mov(r12, r6)
        beq(COUNTED)
        b(CLASS)

        # r3 * 2^r4 and the best, r0 * 2^r1, to the coarser of their shifts: r3, r5, times 2^r6
        label(ALIGN)
        mov(r5, r0)
        sub(r6, r4, r1)
        ble(FINER)
        cmp(r6, 30)
        bls(BEST_DOWN)
        mov(r6, 30)
        label(BEST_DOWN)
        lsr(r5, r6)
        mov(r6, r4)
        bx(lr)
        label(FINER)
        neg(r6, r6)
        cmp(r6, 30)
        bls(COST_DOWN)
        mov(r6, 30)
        label(COST_DOWN)
        lsr(r3, r6)
        mov(r6, r1)
        bx(lr)

        # r2: a cost, r7: behind them
        label(COUNTED)
        mov(r5, r11)
        cmp(r5, 0)
        bne(DONE)
        mov(r5, sp)
        ldr(r2, [r5, 12])
        ldr(r0, [r2, 0])
        ldr(r1, [r2, 4])
        label(BEST)
        ldr(r3, [r2, 0])
        ldr(r4, [r2, 4])
        bl(ALIGN)
        cmp(r3, r5)
        bge(WORSE)
        ldr(r0, [r2, 0])
        mov(r1, r4)
        label(WORSE)
        add(r2, 8)
        cmp(r2, r7)
        bne(BEST)
        b(SHARES)
        label(DONE)
        b(LEAVE)

        # exp(-d) * 2**20 for each class, d its distance from the best in units of 2**-13; r8: their
        # sum
        label(SHARES)
        mov(r5, sp)
        ldr(r2, [r5, 12])
        mov(r5, 0)
        mov(r8, r5)
        label(POWER)
        ldr(r3, [r2, 0])
        ldr(r4, [r2, 4])
        bl(ALIGN)
        sub(r3, r3, r5)
        ble(NEAREST)
        cmp(r6, 17)
        bhi(NOTHING)
        mov(r5, 1)
        lsl(r5, r5, 17)
        lsr(r5, r6)
        cmp(r3, r5)
        bge(NOTHING)
        lsl(r3, r6)
        mov(r5, 11819 >> 8)
        lsl(r5, r5, 8)
        add(r5, 11819 & 255)
        mul(r3, r5)  # log2(e) turns it into a power of two
        lsr(r3, r3, 11)
        lsr(r6, r3, 15)
        lsl(r3, r3, 17)
        lsr(r3, r3, 17)
        mov(r5, 224)
        mul(r5, r3)
        lsr(r5, r5, 15)
        mov(r4, 1744 >> 8)
        lsl(r4, r4, 8)
        add(r4, 1744 & 255)
        sub(r4, r4, r5)
        mul(r4, r3)
        lsr(r4, r4, 15)
        mov(r5, 7845 >> 8)
        lsl(r5, r5, 8)
        add(r5, 7845 & 255)
        sub(r5, r5, r4)
        mul(r5, r3)
        lsr(r5, r5, 15)
        mov(r4, 22709 >> 8)
        lsl(r4, r4, 8)
        add(r4, 22709 & 255)
        sub(r4, r4, r5)
        mul(r4, r3)
        lsr(r4, r4, 15)
        mov(r5, 1)
        lsl(r5, r5, 15)
        sub(r3, r5, r4)
        lsl(r3, r3, 5)
        lsr(r3, r6)
        b(SUM)
        label(NEAREST)
        mov(r3, 1)
        lsl(r3, r3, 20)
        b(SUM)
        label(NOTHING)
        mov(r3, 0)
        label(SUM)
        str(r3, [r2, 0])
        mov(r5, r8)
        add(r5, r5, r3)
        mov(r8, r5)
        add(r2, 8)
        cmp(r2, r7)
        bne(POWER)

        # A long division, rounded to nearest even, into the pattern of a float32. r0: divisor, r1:
        # out, r4: exponent, r5: quotient
        mov(r0, r8)
        mov(r5, sp)
        ldr(r1, [r5, 4])
        ldr(r2, [r5, 12])
        label(DIVIDE)
        ldr(r3, [r2, 0])
        cmp(r3, 0)
        beq(DIVIDED)
        mov(r4, 150)
        mov(r5, 0)
        label(BIT)
        cmp(r3, r0)
        bcc(LESS)
        sub(r3, r3, r0)
        label(LESS)
        adc(r5, r5)
        add(r3, r3, r3)
        sub(r4, 1)
        lsr(r6, r5, 23)
        beq(BIT)
        lsl(r6, r5, 31)
        lsr(r6, r6, 31)
        add(r3, r3, r6)
        cmp(r0, r3)
        bcs(EVEN)
        add(r5, 1)
        label(EVEN)
        lsl(r3, r4, 23)
        add(r3, r3, r5)
        label(DIVIDED)
        str(r3, [r1, 0])
        add(r1, 4)
        add(r2, 8)
        cmp(r2, r7)
        bne(DIVIDE)

        label(LEAVE)
        pop({r2, r3, r4, r7})
        pop({r5, r6})
        mov(r10, r5)
        mov(r11, r6)
        pop({r5, r6})
        mov(r8, r5)
        mov(r9, r6)
        mov(r0, 0)
        label(END)
else:
    # The order of the arguments matters: the first two locals of a function live in registers.
    # No constant has more than 30 bits, and no value more than 32: x64 and 32-bit boards agree.
    @micropython.viper
    def _run(p: int, x: int, f: ptr16, data: ptr8, out: ptr32, costs: ptr32, loglik: int):
        n = data[4]
        k = data[6]
        log = ptr32(int(data) + _HEAD)
        bias = ptr32(int(log) + (k << 2))
        m = ptr16(int(bias) + (n * k << 2))
        across = n * k  # from a mean to its shift, and from there to its factor
        c = 0
        best = best_e = 0
        while c < k:
            acc = n >> 1  # squares are rounded down: half a unit each makes up for it
            e = 0
            j = 0
            while j < n:
                x = m[across]
                p = ((f[j] ^ 0x8000) - m[0]) * (m[across + across] - 0x8000) + 1 >> 1
                p += bias[j] - 0x20000000
                m = ptr16(int(m) + 2)
                if x < 32:
                    p >>= x
                    x = 0
                else:
                    x -= 32
                if p < 0:
                    p = 0 - p
                while p > 32767:
                    p = (p + 1) >> 1
                    x += 1
                while x and p < 16384:
                    p += p
                    x -= 1
                p *= p
                x = 12 + e - x - x
                if x >= 0:
                    p >>= x if x < 30 else 30
                else:
                    e -= x
                    acc >>= 0 - x if x > -30 else 30
                acc += p
                if acc >> 30:
                    acc >>= 1
                    e += 1
                j += 1
            bias = ptr32(int(bias) + (n << 2))
            x = e if e < 30 else 30
            p = acc + (log[c] >> x)
            if loglik:
                # (2**29 - p * 2**e) * 2**-13 as a float32 pattern, rounded to nearest even.
                p = (0x20000000 >> x) - p
                x = 136 + e
                if p < 0:
                    p = 0 - p
                    x += 256
                j = 0
                while p >> j >= 0x1000000:
                    j += 1
                if j:
                    e = p & (1 << j) - 1
                    p >>= j
                    x += j
                    if e + (p & 1) > 1 << j - 1:
                        p += 1
                if p == 0:
                    x = 0
                else:
                    while p < 0x800000:
                        p += p
                        x -= 1
                out[c] = (x << 23) + p
            else:
                costs[c] = p
                costs[k + c] = e
                # The smallest cost wins, at the coarser of the two shifts.
                x = e - best_e
                j = best
                if x > 0:
                    j >>= x if x < 30 else 30
                else:
                    p >>= 0 - x if x > -30 else 30
                if c == 0 or p < j:
                    best = costs[c]
                    best_e = e
            c += 1
        if loglik:
            return
        # exp(-d) * 2**20 for each class, d its distance from the best in units of 2**-13.
        total = 0
        while c:
            c -= 1
            p = costs[c]
            x = costs[k + c] - best_e
            e = best_e
            j = best
            if x > 0:
                e += x
                j >>= x if x < 30 else 30
            else:
                p >>= 0 - x if x > -30 else 30
            p -= j
            if p <= 0:
                p = 0x100000
            elif e > 17 or p >= 0x20000 >> e:
                p = 0
            else:
                x = (p << e) * 11819 >> 11  # log2(e) turns it into a power of two
                e = x >> 15
                x &= 0x7FFF
                p = 22709 - ((7845 - ((1744 - (224 * x >> 15)) * x >> 15)) * x >> 15)
                p = (0x8000 - (p * x >> 15)) << 5 >> e
            costs[c] = p
            total += p
        while c < k:
            p = costs[c]
            if p:
                # A long division, rounded to nearest even, into the pattern of a float32.
                e = 150
                x = 0
                while x < 0x800000:
                    x += x
                    if p >= total:
                        p -= total
                        x += 1
                    p += p
                    e -= 1
                if p + (x & 1) > total:
                    x += 1
                p = (e << 23) + x
            out[c] = p
            c += 1


def _check(features, out, n_features, n_outputs):
    # No `try`: on some builds entering one costs more than a prediction. Few locals, too: a frame
    # of more than eleven words is allocated on the heap.
    if type(features) is not array or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if type(out) is not array or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if _THUMB or len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


class Bayes:
    def __init__(self, data):
        self._data = data
        costs = array("i", bytes(8 * data[6]))
        if _THUMB:
            self._told = [None, None, data, costs]
        else:
            self._costs = costs
            self._seen_f = self._seen_out = _UNSEEN

    def outputs(self):
        return self._data[6]

    def features(self):
        return self._data[4]

    if _THUMB:

        def predict(self, features, out):
            self._told[0] = features
            self._told[1] = out
            if _run(self._told, 0):
                _check(features, out, self._data[4], self._data[6])

        def loglik(self, features, out):
            self._told[0] = features
            self._told[1] = out
            if _run(self._told, 1):
                _check(features, out, self._data[4], self._data[6])

    else:

        def _see(self, features, out):
            self._seen_f = _UNSEEN
            _check(features, out, self._data[4], self._data[6])
            self._seen_f = features
            self._seen_out = out

        @micropython.viper
        def predict(self, features, out):
            data = ptr8(self._data)
            if (
                features is not self._seen_f
                or out is not self._seen_out
                or int(_len(features)) != data[4]
                or int(_len(out)) != data[6]
            ):
                self._see(features, out)
            _run(0, 0, features, self._data, out, self._costs, 0)

        def loglik(self, features, out):
            if (
                features is not self._seen_f
                or out is not self._seen_out
                or len(features) != self._data[4]
                or len(out) != self._data[6]
            ):
                self._see(features, out)
            _run(0, 0, features, self._data, out, self._costs, 1)


def load(source):
    """Read a path or an open binary file; ValueError says what is wrong with it."""
    if isinstance(source, str):
        with open(source, "rb") as f:
            return load(f)
    head = source.read(16)
    if not isinstance(head, bytes) or len(head) < 16 or head[:4] != b"ENB1":
        raise ValueError("not a file of emlearn_bayes")
    n, k = head[4], head[6]
    if not n or not k or head[5] or head[7] or head[8:12] != b"\0\0\r\1":
        raise ValueError("bad head")
    at = 16 + 4 * k + 4 * n * k
    size = at + 6 * n * k
    data = bytearray(size)
    data[:16] = head
    if source.readinto(memoryview(data)[16:]) != size - 16 or source.read(1):
        raise ValueError("want %d bytes" % size)
    want = int.from_bytes(head[12:], "little")
    if want and crc32 and crc32(memoryview(data)[16:]) != want:
        raise ValueError("damaged: its CRC-32 differs")
    for i in range(19, at, 4):
        if data[i] > 63:
            raise ValueError("bad number at byte %d" % (i - 3))
    for i in range(at + 2 * n * k, at + 4 * n * k, 2):
        if data[i] > 56 or data[i] == 31 or data[i + 1]:
            raise ValueError("bad shift at byte %d" % i)
    return Bayes(data)
