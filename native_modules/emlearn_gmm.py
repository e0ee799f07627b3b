"""Gaussian mixtures and elliptic envelopes on int16 features: how likely, how far.

Same API and answers as the plain twin `emlearn_gmm_ref.py`, which spells out each step.
Fixed point: differences to a mean are integers, times 16-bit coefficients (inverse standard
deviations, or the triangle of a precision's Cholesky factor); squares of up to 8 deviations are
kept to 2**-12, beyond that to 14 bits. Their sum has a shift of its own, so that nothing saturates.
Log-sum-exp is a table with quadratic interpolation, off by at most 2**-12 for each component but
the first; beyond log-likelihoods of about -2**16 the likeliest component counts alone. Against
floats: see `error_bound` in model.json.
Cost: a multiplication a coefficient, and one a square; on x64, 0.6 us for 4 diagonal components of
13 features, 3.9 us for 4 full ones of 30, a fiftieth of the twin's time.
Memory: the file's size. `predict`, `loglik` and `distances` allocate nothing once they have seen
their two buffers (the model keeps a reference to them). In viper, or in Thumb on a Cortex-M, where
types, lengths and addresses are read as MicroPython 1.29 keeps them: a firmware that differs there
is refused at import.
"""

from array import array

try:
    from binascii import crc32
except ImportError:  # some small ports
    crc32 = None

import micropython
from micropython import const

# log(1 + exp(-d)) * 2**16 at d = 0, 1/4, 2/4, ...; an array, for constant bytes may lie unaligned.
_TABLE = array(
    "H",
    b"\x72\xb1\x71\x93\x5d\x79\x0a\x63\x32\x50\x7e\x40\x90\x33"
    b"\x04\x29\x7e\x20\xa7\x19\x32\x14\xdd\x0f\x70\x0c\xbd\x09"
    b"\x9e\x07\xf3\x05\xa5\x04\xa0\x03\xd4\x02\x35\x02\xb8\x01"
    b"\x57\x01\x0b\x01\xd0\x00\xa2\x00\x7e\x00\x62\x00\x4d\x00"
    b"\x3c\x00\x2f\x00\x24\x00\x1c\x00\x16\x00\x11\x00\x0d\x00"
    b"\x0a\x00\x08\x00\x06\x00\x05\x00\x04\x00\x03\x00\x02\x00",
)
_HEAD = const(16)  # bytes; the file is described in emlearn_gmm_ref.py
_SCORES = const(1)  # what a run writes; 0: the total
_DISTANCES = const(2)
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

    # What the stack holds, in bytes from its top
    _F = const(0)  # addresses: features, out, file
    _OUT = const(4)
    _FILE = const(8)
    _LOGS = const(12)  # _TABLE
    _WHAT = const(16)
    _LEFT = const(20)  # components
    _COSTS = const(24)  # addresses: of the next cost, of means
    _MEANS = const(28)
    _SHIFTS = const(32)  # and of the first shift and factor, if all components have the same
    _FACTORS = const(36)
    _TOTAL = const(40)
    _TOTAL_E = const(44)

    # Answers with 1 if features or out are not as they should be: objects have addresses whose
    # lowest two bits are 0, arrays the type that the table has.
    @micropython.asm_thumb
    def _run(r0, r1):  # [features, out, file, table], what it writes
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
        ldrb(r6, [r4, 6])
        cmp(r1, 0)
        bne(EACH)
        mov(r6, 1)
        label(EACH)
        ldr(r5, [r3, _LENGTH])
        cmp(r5, r6)
        beq(FINE)
        label(REFUSE)
        mov(r0, 1)
        b(END)
        label(FINE)
        mov(r5, r8)
        mov(r6, r9)
        push({r5, r6})
        mov(r5, r10)
        mov(r6, r11)
        push({r5, r6})
        push({r0, r1})  # room for _TOTAL and _TOTAL_E
        # r8: bits that a product loses; r12: bias; lr: shift; r2: factor
        mov(r8, r7)
        mov(r0, r2)
        ldr(r2, [r3, _ADDRESS])
        ldr(r0, [r0, _ADDRESS])
        mov(r9, r0)
        mov(r10, r2)
        mov(r11, r4)
        ldrb(r5, [r4, 4])
        ldrb(r3, [r4, 6])
        ldrb(r0, [r4, 8])
        add(r4, _HEAD)
        lsl(r6, r3, 2)
        add(r6, r6, r4)
        mov(r12, r6)
        mov(r2, r5)
        mul(r2, r3)
        lsl(r7, r2, 2)
        add(r6, r6, r7)  # means
        lsl(r7, r2, 1)
        add(r7, r7, r6)  # shifts
        mov(lr, r7)
        cmp(r0, 2)
        beq(SHARED)
        mov(r5, r2)
        label(SHARED)
        lsl(r5, r5, 1)
        add(r2, r7, r5)  # factors
        mov(r5, r6)
        mov(r6, r7)
        mov(r7, r2)
        push({r4, r5, r6, r7})  # _COSTS to _FACTORS
        mov(r4, r9)
        mov(r5, r10)
        mov(r6, r11)
        mov(r7, r8)
        push({r1, r3})  # _WHAT, _LEFT
        push({r4, r5, r6, r7})
        ldrb(r5, [r6, 11])
        mov(r8, r5)

        # r9, r10: the sum of squares, times 2^r10; half a unit for each, as they are rounded down
        label(COMPONENT)
        mov(r7, sp)
        ldr(r0, [r7, _F])
        ldr(r1, [r7, _MEANS])
        mov(r11, r0)
        ldr(r5, [r7, _FILE])
        ldrb(r3, [r5, 4])
        lsr(r3, r3, 1)
        mov(r9, r3)
        mov(r4, 0)
        mov(r10, r4)
        # r0: feature, r1: mean, r5: their sum; r3: 0x8000, r4: r8; r11: behind the last feature
        label(ROW)
        mov(r7, sp)
        ldr(r6, [r7, _FILE])
        ldrb(r6, [r6, 8])
        cmp(r6, 0)
        beq(DIAGONAL)
        ldr(r0, [r7, _F])
        ldr(r1, [r7, _MEANS])
        label(DIAGONAL)
        mov(r3, 1)
        lsl(r3, r3, 15)
        mov(r4, r8)
        mov(r7, r12)
        ldr(r5, [r7, 0])
        add(r7, 4)
        mov(r12, r7)
        lsl(r7, r3, 14)
        sub(r5, r5, r7)
        mov(r7, r11)
        add(r7, 2)
        mov(r11, r7)
        label(PRODUCT)
        ldrh(r6, [r0, 0])
        eor(r6, r3)
        ldrh(r7, [r1, 0])
        sub(r6, r6, r7)
        ldrh(r7, [r2, 0])
        sub(r7, r7, r3)
        mul(r6, r7)
        asr(r6, r4)
        adc(r5, r6)  # the bit lost last rounds
        add(r0, 2)
        add(r1, 2)
        add(r2, 2)
        mov(r7, r11)
        cmp(r0, r7)
        bne(PRODUCT)
        mov(r3, r9)
        mov(r4, r10)
        mov(r7, lr)
        ldrh(r6, [r7, 0])
        add(r7, 2)
        mov(lr, r7)
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
        mov(r9, r3)
        mov(r10, r4)
        mov(r7, sp)
        ldr(r6, [r7, _FILE])
        ldrb(r6, [r6, 4])
        lsl(r6, r6, 1)
        ldr(r5, [r7, _F])
        add(r6, r6, r5)
        mov(r5, r11)
        cmp(r5, r6)
        beq(ROWS_DONE)
        b(ROW)

        # r3, r4: the component's sum and its shift
        label(ROWS_DONE)
        ldr(r6, [r7, _FILE])
        ldrb(r5, [r6, 8])
        cmp(r5, 2)
        bne(NOT_SHARED)
        ldr(r2, [r7, _FACTORS])
        ldr(r5, [r7, _SHIFTS])
        mov(lr, r5)
        label(NOT_SHARED)
        ldrb(r5, [r6, 4])
        lsl(r5, r5, 1)
        ldr(r1, [r7, _MEANS])
        add(r1, r1, r5)
        str(r1, [r7, _MEANS])
        mov(r5, 12)
        ldr(r1, [r7, _WHAT])
        cmp(r1, _DISTANCES)
        beq(FLOAT)
        ldr(r0, [r7, _COSTS])
        ldr(r5, [r0, 0])
        add(r0, 4)
        str(r0, [r7, _COSTS])
        lsr(r5, r4)
        add(r3, r3, r5)
        cmp(r1, 0)
        bne(LIKELY)
        mov(r11, r2)
        ldr(r0, [r7, _LEFT])
        ldrb(r5, [r6, 6])
        cmp(r0, r5)
        bne(ANOTHER)
        mov(r0, r3)
        mov(r1, r4)
        b(STORE)

        # Of total r0, r1 and cost r3, r4 the smaller wins; less log(1 + exp(-d)), d their distance
        label(ANOTHER)
        ldr(r0, [r7, _TOTAL])
        ldr(r1, [r7, _TOTAL_E])
        mov(r5, r4)
        orr(r5, r1)
        bne(COARSE)
        sub(r5, r3, r0)
        bpl(FARTHER)
        neg(r5, r5)
        mov(r0, r3)
        label(FARTHER)
        lsr(r6, r5, 11)
        cmp(r6, 40)
        bcs(STORE)
        lsl(r5, r5, 21)
        lsr(r5, r5, 21)
        ldr(r2, [r7, _LOGS])
        lsl(r6, r6, 1)
        add(r2, r2, r6)
        ldrh(r3, [r2, 0])
        ldrh(r4, [r2, 2])
        ldrh(r6, [r2, 4])
        sub(r6, r6, r4)
        sub(r4, r4, r3)
        sub(r6, r6, r4)
        mul(r4, r5)
        asr(r4, r4, 11)
        add(r3, r3, r4)
        mov(r4, 1)
        lsl(r4, r4, 11)
        sub(r4, r5, r4)
        mul(r4, r5)
        asr(r4, r4, 12)
        mul(r4, r6)
        asr(r4, r4, 11)
        add(r3, r3, r4)
        add(r3, 4)
        asr(r3, r3, 3)
        sub(r0, r0, r3)
        b(STORE)
        label(COARSE)
        mov(r5, r0)
        mov(r6, r3)
        sub(r2, r4, r1)
        ble(FINER)
        cmp(r2, 30)
        bls(TOTAL_DOWN)
        mov(r2, 30)
        label(TOTAL_DOWN)
        lsr(r5, r2)
        b(COMPARE)
        label(FINER)
        neg(r2, r2)
        cmp(r2, 30)
        bls(COST_DOWN)
        mov(r2, 30)
        label(COST_DOWN)
        lsr(r6, r2)
        label(COMPARE)
        cmp(r6, r5)
        bge(STORE)
        mov(r0, r3)
        mov(r1, r4)
        label(STORE)
        mov(r2, r11)
        str(r0, [r7, _TOTAL])
        str(r1, [r7, _TOTAL_E])
        ldr(r5, [r7, _LEFT])
        sub(r5, 1)
        str(r5, [r7, _LEFT])
        bne(GO_ON)
        add(r5, 1)  # it is counted again
        str(r5, [r7, _LEFT])
        mov(r3, r0)
        mov(r4, r1)
        label(LIKELY)
        mov(r5, 1)
        lsl(r5, r5, 29)
        lsr(r5, r4)
        sub(r3, r5, r3)
        ldr(r5, [r7, _FILE])
        ldrb(r5, [r5, 10])
        # r3 * 2**(r4 - r5) as a float32, rounded to nearest even. r3: then what follows the leading
        # 1, r4: exponent, r5: fraction, r6: sign
        label(FLOAT)
        cmp(r3, 0)
        beq(ZERO)
        add(r4, 159)
        sub(r4, r4, r5)
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
        ldr(r5, [r7, _OUT])
        str(r3, [r5, 0])
        add(r5, 4)
        str(r5, [r7, _OUT])
        ldr(r5, [r7, _LEFT])
        sub(r5, 1)
        str(r5, [r7, _LEFT])
        beq(DONE)
        label(GO_ON)
        b(COMPONENT)
        label(DONE)
        pop({r0, r1, r2, r3, r4, r5})
        pop({r0, r1, r2, r3, r4, r5})
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
    def _run(p: int, i: int, f: ptr16, data: ptr8, out: ptr32, what: int, table: ptr16):
        n = data[4]
        k = data[6]
        costs = ptr32(int(data) + _HEAD)
        bias = ptr32(int(costs) + (k << 2))
        m = ptr16(int(bias) + (n * k << 2))
        s = ptr16(int(m) + (n * k << 1))
        a = ptr16(int(s) + ((n if data[8] == 2 else n * k) << 1))
        unit = 12 if what == _DISTANCES else data[10]
        first = int(a)
        h = data[11]
        half = 1 << h - 1
        c = total = total_e = 0
        while c < k:
            acc = n >> 1  # squares are rounded down: half a unit each makes up for it
            e = 0
            j = 0
            while j < n:
                p = bias[j] - 0x20000000
                i = 0 if data[8] else j
                while i <= j:
                    p += ((f[i] ^ 0x8000) - m[i]) * (a[0] - 0x8000) + half >> h
                    a = ptr16(int(a) + 2)
                    i += 1
                x = s[j]
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
            m = ptr16(int(m) + (n << 1))
            if data[8] == 2:
                a = ptr16(first)
            else:
                s = ptr16(int(s) + (n << 1))
            c += 1
            p = acc
            x = e if e < 30 else 30
            if what != _DISTANCES:
                p += costs[c - 1] >> x
                if what == 0:
                    if c > 1:
                        # The smaller cost wins, at the coarser of the two shifts.
                        if e == 0 and total_e == 0:
                            x = p - total
                            if x < 0:
                                x = 0 - x
                                total = p
                            j = x >> 11
                            if j < 40:
                                x &= 2047
                                i = table[j + 1] - table[j]
                                p = (x * (x - 2048) >> 12) * (table[j + 2] - table[j + 1] - i) >> 11
                                total -= table[j] + (x * i >> 11) + p + 4 >> 3
                        else:
                            x = e - total_e
                            i = total
                            if x > 0:
                                i >>= x if x < 30 else 30
                            j = p
                            if x < 0:
                                j >>= 0 - x if x > -30 else 30
                            if j < i:
                                total = p
                                total_e = e
                    else:
                        total = p
                        total_e = e
                    if c < k:
                        continue
                    p = total
                    e = total_e
                    x = e if e < 30 else 30
                p = (0x20000000 >> x) - p
            # p * 2**(e - unit) as a float32 pattern, rounded to nearest even.
            i = 149 + e - unit
            if p < 0:
                p = 0 - p
                i += 256
            j = 0
            while p >> j >= 0x1000000:
                j += 1
            if j:
                x = p & (1 << j) - 1
                p >>= j
                i += j
                if x + (p & 1) > 1 << j - 1:
                    p += 1
            if p == 0:
                i = 0
            else:
                while p < 0x800000:
                    p += p
                    i -= 1
            j = c - 1 if what else 0
            out[j] = (i << 23) + p


def _check(features, out, n_features, n_outputs):
    # No `try`: on some builds entering one costs more than a prediction. Few locals, too: a frame
    # of more than eleven words is allocated on the heap.
    if type(features) is not array or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if type(out) is not array or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if _THUMB or len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


class Gaussians:
    def __init__(self, data):
        self._data = data
        if _THUMB:
            self._told = [None, None, data, _TABLE]
        else:
            self._seen_f = self._seen_out = _UNSEEN

    def outputs(self):
        return self._data[6] if self._data[9] else 1

    def components(self):
        return self._data[6]

    def features(self):
        return self._data[4]

    if _THUMB:

        def _each(self, features, out, what):
            told = self._told
            told[0] = features
            told[1] = out
            if _run(told, what):
                _check(features, out, self._data[4], self._data[6] if what else 1)

        def predict(self, features, out):
            what = self._data[9]
            self._told[0] = features
            self._told[1] = out
            if _run(self._told, what):
                self._each(features, out, what)

    else:

        def _see(self, features, out, n):
            self._seen_f = _UNSEEN
            _check(features, out, self._data[4], n)
            self._seen_f = features
            self._seen_out = out

        @micropython.viper
        def predict(self, features, out):
            data = ptr8(self._data)
            what = data[9]
            n = data[6] if what else 1
            if (
                features is not self._seen_f
                or out is not self._seen_out
                or int(_len(features)) != data[4]
                or int(_len(out)) != n
            ):
                self._see(features, out, n)
            _run(0, 0, features, self._data, out, what, _TABLE)

        def _each(self, features, out, what):
            n = self._data[6]
            if (
                features is not self._seen_f
                or out is not self._seen_out
                or len(features) != self._data[4]
                or len(out) != n
            ):
                self._see(features, out, n)
            _run(0, 0, features, self._data, out, what, _TABLE)

    def loglik(self, features, out):
        self._each(features, out, _SCORES)

    def distances(self, features, out):
        self._each(features, out, _DISTANCES)


def _count(n, k, layout):
    """(bytes of a file, where its shifts begin, how many)."""
    at = 16 + 4 * k + 6 * n * k
    shifts = n if layout == 2 else n * k
    factors = n * k
    if layout:
        factors = n * (n + 1) // 2 * (1 if layout == 2 else k)
    return at + 2 * shifts + 2 * factors, at, shifts


def load(source):
    """Read a path or an open binary file; ValueError says what is wrong with it."""
    if isinstance(source, str):
        with open(source, "rb") as f:
            return load(f)
    head = source.read(16)
    if not isinstance(head, bytes) or len(head) < 16 or head[:4] != b"EGM1":
        raise ValueError("not a file of emlearn_gmm")
    n, k, layout, output, unit, h = head[4], head[6], head[8], head[9], head[10], head[11]
    bits = 1
    while layout and 1 << bits - 1 < n:
        bits += 1
    if not n or not k or head[5] or head[7] or layout > 2 or output > 1 or h != bits:
        raise ValueError("bad head")
    if unit != 13 and (unit != 12 or k != 1):
        raise ValueError("bad unit")
    size, at, shifts = _count(n, k, layout)
    data = bytearray(size)
    data[:16] = head
    if source.readinto(memoryview(data)[16:]) != size - 16 or source.read(1):
        raise ValueError("want %d bytes" % size)
    want = int.from_bytes(head[12:], "little")
    if want and crc32 and crc32(memoryview(data)[16:]) != want:
        raise ValueError("damaged: its CRC-32 differs")
    for i in range(19, 16 + 4 * k + 4 * n * k, 4):
        if data[i] > 63:
            raise ValueError("bad number at byte %d" % (i - 3))
    for i in range(at, at + 2 * shifts, 2):
        if data[i] > 56 or data[i] == 31 or data[i + 1]:
            raise ValueError("bad shift at byte %d" % i)
    return Gaussians(data)
