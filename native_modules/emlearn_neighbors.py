"""k nearest neighbours on int16 features, searched in viper, or in Thumb on a Cortex-M.

Same API and answers as the plain twin `emlearn_neighbors_ref.py`, which spells out each step.
All in integers, and exact: items are ordered by squared distance (47 bits), then by index.
In viper, a squared distance is the sum of squares of the item, which is kept, and of the query,
less twice the sum of their products: a multiplication and no difference for each feature. This is
done for 32 features at a time, and an item given up as soon as it is too far. On boards of 32 bits
these sums wrap around, and what is left is right as long as it fits a word: while the spread of all
features seen so far (greatest less least), squared, times their number is below 2**31 - 1. Beyond
that, differences are squared there, and summed in halves of 16 bits. Thumb squares differences
always, and sums them in 64 bits: that costs an instruction more a feature.
Memory: 2 bytes a feature (their number rounded up to a multiple of 4), in viper 4 for each 32 of an
item (8 on machines of 64 bits), 2 a label, 12 a neighbour, in one block that `new` allocates.
`predict` allocates nothing; it reads type, length and address of its array where MicroPython 1.29
keeps them; a firmware that differs there is refused at import. A model belongs to one thread.
"""

import struct
from array import array

import micropython
from micropython import const

# The block, int32: what these name, then the window: three words (distance >> 16, distance &
# 0xFFFF, index; in Thumb the distance's lower and upper half, index) for each of k neighbours.
# Then rows, the query's and the items'. Each 32 features of a row are their sum of squares (not in
# Thumb) and then they, as uint16. Those are all + 32768, since loads are unsigned, as the labels
# are, which come last.
_ITEMS = const(0)  # items there are
_SEARCHED = const(1)  # items there were at the last predict()
_K = const(2)
_FEATURES = const(3)
_STRIDE = const(4)  # bytes of an item
_QUERY = const(5)  # byte offset of the query, row 0; the items follow it
_LABELS = const(6)  # byte offset of the labels
_LOW = const(7)  # the least and the greatest feature so far
_HIGH = const(8)
_LIMIT = const(9)  # a spread up to here has squared distances that fit a machine word
_BOUND = const(7)  # in Thumb instead of these three: what is nearer than this is not for the window
_BASE = const(10)  # items that are nearer than the window's
_ROW = const(11)  # where features are copied to
_IN = const(12)  # their address, of two words
_WHAT = const(14)
_WINDOW = const(15)
# What _search does
_FIND = const(0)  # copies a new query, fills the window with the nearest items
_ADD = const(1)  # copies an item, no more
_FIRST = const(2)  # fills the window with the nearest items again
_NEXT = const(3)  # fills it with those behind its last one

# MicroPython's arrays, in words of the machine: type, typecode (in the lowest byte), length,
# address of the elements. The build sets _WIDE to 1 for machines of 64 bits, _THUMB for Cortex-M.
_WIDE = const(0)
_THUMB = const(0)
_TYPECODE = const(4 + 4 * _WIDE)  # in bytes
_LENGTH = const(2 + 2 * _WIDE)  # in int32, as the next one
_ADDRESS = const(3 + 3 * _WIDE)
_SQUARE = const((4 + 4 * _WIDE) * (1 - _THUMB))  # bytes of a sum of squares
_PART = const(64 + _SQUARE)  # and of the features that it is of

# Bytes that read as -32767 from an array 'h' only: MicroPython's arrays do not tell their typecode.
_AS_H = b"\x01\x80" * 4


if _THUMB:
    # What _is_known in viper says, but 0 if so. A list is the address of its objects.
    @micropython.asm_thumb
    def _is_unknown(r0, r1):  # [array], array
        ldr(r0, [r0, 0])
        ldr(r2, [r0, 4 * _ADDRESS])
        sub(r1, r1, r2)
        ldr(r2, [r0, 4 * _LENGTH])
        sub(r2, 1)
        orr(r1, r2)
        ldrb(r2, [r0, _TYPECODE])
        sub(r2, 104)
        orr(r1, r2)
        mov(r0, r1)

    _one = array("h", (0,))
    if _is_unknown([_one], _one):
        raise RuntimeError("arrays are kept in another way in this firmware")

    # Does as told; answers with the label that most in the window have, or 65536 if it can't _FIND:
    # objects have addresses whose lowest two bits are 0, arrays the type that the block has.
    @micropython.asm_thumb
    def _search(r0, r1):  # [features, block], what to do; to add: the byte offset of the row
        ldr(r2, [r0, 0])
        ldr(r3, [r0, 4])
        ldr(r0, [r3, 4 * _ADDRESS])
        ldr(r3, [r3, 0])
        cmp(r1, _NEXT)
        bhi(ADD)
        cmp(r1, _FIND)
        bne(KNOWN)
        lsl(r4, r2, 30)
        bne(REFUSE)
        ldr(r4, [r2, 0])
        cmp(r4, r3)
        bne(REFUSE)
        ldrb(r4, [r2, _TYPECODE])
        cmp(r4, 104)
        bne(REFUSE)
        ldr(r4, [r2, 4 * _LENGTH])
        ldr(r5, [r0, 4 * _FEATURES])
        cmp(r4, r5)
        bne(REFUSE)
        ldr(r4, [r0, 4 * _ITEMS])
        ldr(r5, [r0, 4 * _K])
        cmp(r4, r5)
        bcs(FINE)
        label(REFUSE)
        mov(r0, 1)
        lsl(r0, r0, 16)
        b(END)
        label(FINE)
        str(r4, [r0, 4 * _SEARCHED])
        ldr(r1, [r0, 4 * _QUERY])

        # r2: from, r3: features that are left, r4: to, r6: 0x8000
        label(ADD)
        ldr(r2, [r2, 4 * _ADDRESS])
        ldr(r3, [r0, 4 * _FEATURES])
        add(r4, r0, r1)
        mov(r6, 1)
        lsl(r6, r6, 15)
        label(COPY)
        ldrh(r5, [r2, 0])
        eor(r5, r6)
        strh(r5, [r4, 0])
        add(r2, 2)
        add(r4, 2)
        sub(r3, 1)
        bne(COPY)
        ldr(r3, [r0, 4 * _QUERY])
        cmp(r1, r3)
        beq(KNOWN)
        mov(r0, 0)
        b(END)

        label(KNOWN)
        mov(r2, r1)
        mov(r4, r8)
        mov(r5, r9)
        mov(r6, r10)
        mov(r7, r11)
        push({r4, r5, r6, r7})
        # r1: the window, r3: its last place; r4: base, r5 r6 r7: bound
        mov(r1, r0)
        add(r1, 4 * _WINDOW)
        ldr(r4, [r0, 4 * _K])
        mov(r3, 12)
        mul(r3, r4)
        add(r3, r3, r1)
        sub(r3, 12)
        push({r0, r3})
        cmp(r2, _NEXT)
        beq(BEHIND_LAST)
        mov(r4, 0)
        mov(r5, 0)
        mov(r6, 0)
        mov(r7, 0)
        b(BOUND)
        label(BEHIND_LAST)
        ldr(r5, [r0, 4 * _BASE])
        add(r4, r4, r5)
        ldr(r5, [r3, 0])
        ldr(r6, [r3, 4])
        ldr(r7, [r3, 8])
        add(r7, 1)
        label(BOUND)
        str(r4, [r0, 4 * _BASE])
        str(r5, [r0, 4 * _BOUND])
        str(r6, [r0, 4 * _BOUND + 4])
        str(r7, [r0, 4 * _BOUND + 8])
        # Nothing is as far as 2**47, which is in all places at first.
        mov(r2, 1)
        lsl(r2, r2, 15)
        mov(r4, 0)
        label(FILL)
        str(r4, [r1, 0])
        str(r2, [r1, 4])
        str(r4, [r1, 8])
        add(r1, 12)
        cmp(r1, r3)
        bls(FILL)

        # r8 r9: the last place's distance, negative; r10: the next item; r11: stride; r12: query;
        # lr: items that are left
        neg(r2, r2)
        mov(r8, r4)
        mov(r9, r2)
        ldr(r1, [r0, 4 * _QUERY])
        add(r1, r1, r0)
        mov(r12, r1)
        ldr(r2, [r0, 4 * _STRIDE])
        mov(r11, r2)
        add(r1, r1, r2)
        mov(r10, r1)
        ldr(r2, [r0, 4 * _SEARCHED])
        mov(lr, r2)

        # r1: of the query, r2: of the item, r7: its end; r3 r4: its distance less that of the last
        # place; r6: 0
        label(ITEM)
        mov(r6, 0)
        mov(r1, r12)
        mov(r2, r10)
        mov(r7, r11)
        add(r7, r7, r2)
        mov(r10, r7)
        mov(r3, r8)
        mov(r4, r9)
        label(PART)
        ldrh(r5, [r2, 0])
        ldrh(r0, [r1, 0])
        sub(r5, r5, r0)
        mul(r5, r5)
        add(r3, r3, r5)
        adc(r4, r6)
        ldrh(r5, [r2, 2])
        ldrh(r0, [r1, 2])
        sub(r5, r5, r0)
        mul(r5, r5)
        add(r3, r3, r5)
        adc(r4, r6)
        ldrh(r5, [r2, 4])
        ldrh(r0, [r1, 4])
        sub(r5, r5, r0)
        mul(r5, r5)
        add(r3, r3, r5)
        adc(r4, r6)
        ldrh(r5, [r2, 6])
        ldrh(r0, [r1, 6])
        sub(r5, r5, r0)
        mul(r5, r5)
        add(r3, r3, r5)
        adc(r4, r6)
        bpl(TOO_FAR)
        add(r1, 8)
        add(r2, 8)
        cmp(r2, r7)
        bne(PART)
        # r0: block, r1: index, r2: the last place, r3 r4: distance
        pop({r0, r2})
        push({r0, r2})
        ldr(r1, [r0, 4 * _SEARCHED])
        mov(r5, lr)
        sub(r1, r1, r5)
        mov(r5, r8)
        sub(r3, r3, r5)
        mov(r5, r9)
        sbc(r4, r5)
        # Distance and index, 96 bits, less the bound
        ldr(r5, [r0, 4 * _BOUND + 8])
        cmp(r1, r5)
        ldr(r5, [r0, 4 * _BOUND])
        mov(r6, r3)
        sbc(r6, r5)
        ldr(r5, [r0, 4 * _BOUND + 4])
        mov(r6, r4)
        sbc(r6, r5)
        bcc(TOO_FAR)
        # Into its place, behind those that are as near.
        add(r0, 4 * _WINDOW)
        label(SHIFT)
        cmp(r2, r0)
        beq(PUT)
        sub(r2, 12)
        ldr(r5, [r2, 0])
        ldr(r6, [r2, 4])
        cmp(r3, r5)
        mov(r7, r4)
        sbc(r7, r6)
        bcs(BEHIND)
        str(r5, [r2, 12])
        str(r6, [r2, 16])
        ldr(r5, [r2, 8])
        str(r5, [r2, 20])
        b(SHIFT)
        label(BEHIND)
        add(r2, 12)
        label(PUT)
        str(r3, [r2, 0])
        str(r4, [r2, 4])
        str(r1, [r2, 8])
        pop({r0, r2})
        push({r0, r2})
        ldr(r3, [r2, 0])
        ldr(r4, [r2, 4])
        neg(r3, r3)
        mov(r5, 0)
        sbc(r5, r4)
        mov(r8, r3)
        mov(r9, r5)
        label(TOO_FAR)
        mov(r0, lr)
        sub(r0, 1)
        mov(lr, r0)
        bne(ITEM)

        # The label that most have, the least of equally many: the greatest of how many have it from
        # here on << 16, less the label. r0: here, r1: labels, r2: the last place, r3: the greatest
        pop({r0, r2})
        ldr(r1, [r0, 4 * _LABELS])
        add(r1, r1, r0)
        add(r0, 4 * _WINDOW)
        mov(r3, 0)
        label(VOTE)
        ldr(r5, [r0, 8])
        lsl(r5, r5, 1)
        add(r5, r5, r1)
        ldrh(r5, [r5, 0])
        mov(r6, 0)
        mov(r7, r0)
        label(COUNT)
        ldr(r4, [r7, 8])
        lsl(r4, r4, 1)
        add(r4, r4, r1)
        ldrh(r4, [r4, 0])
        cmp(r4, r5)
        bne(OTHER)
        add(r6, 1)
        label(OTHER)
        add(r7, 12)
        cmp(r7, r2)
        bls(COUNT)
        lsl(r6, r6, 16)
        sub(r6, r6, r5)
        cmp(r6, r3)
        bls(FEWER)
        mov(r3, r6)
        label(FEWER)
        add(r0, 12)
        cmp(r0, r2)
        bls(VOTE)
        neg(r0, r3)
        lsl(r0, r0, 16)
        lsr(r0, r0, 16)
        mov(r1, 1)
        lsl(r1, r1, 15)
        sub(r0, r0, r1)
        pop({r4, r5, r6, r7})
        mov(r8, r4)
        mov(r9, r5)
        mov(r10, r6)
        mov(r11, r7)
        label(END)

    def _predictor(told):
        """predict(features) of a model."""

        def predict(features):
            told[0] = features
            label = _search(told, _FIND)
            if label == 65536:
                _refuse(told[1], features)
            return label

        return predict
else:

    @micropython.viper
    def _is_known(x, p: ptr8) -> bool:
        """Whether x, an array 'h' of one number at p, is kept as said above."""
        f = ptr32(x if 1 else 0)
        a = f[_ADDRESS]
        if _WIDE:
            a |= f[_ADDRESS + 1] << 32
        return a == int(p) and f[_LENGTH] == 1 and ptr8(int(f))[_TYPECODE] == 104

    _one = array("h", (0,))
    if not _is_known(_one, _one):
        raise RuntimeError("arrays are kept in another way in this firmware")

    @micropython.viper
    def _place(p: ptr8, m: ptr32):
        """Keep the address of features."""
        m[_IN] = int(p)
        if _WIDE:
            m[_IN + 1] = int(p) >> 32

    # The order of the locals matters: the first two of a function live in registers.
    @micropython.viper
    def _search(p: ptr16) -> int:
        """Do as told; return the label that most in the window have, the least of equally many."""
        b = 0
        m = ptr32(int(p))
        b = m[_WHAT]
        if b < _FIRST:
            p = ptr16(m[_IN])
            if _WIDE:
                p = ptr16(int(p) | m[_IN + 1] << 32)
            q = ptr16(int(m) + m[_QUERY] + m[_STRIDE] * m[_ROW])
            i = m[_FEATURES]
            while i:
                t = ptr32(int(q))
                q = ptr16(int(q) + _SQUARE)
                a = 0
                end = i - 32
                if end < 0:
                    end = 0
                while i > end:
                    i -= 1
                    d = p[0] ^ 0x8000
                    q[0] = d
                    a += d * d
                    if d < m[_LOW]:
                        m[_LOW] = d
                    if d > m[_HIGH]:
                        m[_HIGH] = d
                    p = ptr16(int(p) + 2)
                    q = ptr16(int(q) + 2)
                t[0] = a
                if _WIDE:
                    t[1] = a >> 32
            if b:
                return 0
        window = int(m) + (_WINDOW << 2)
        last = window + (m[_K] - 1) * 12
        w = ptr32(last)
        i = 0
        base = 0
        a_bound = 0
        b_bound = 0
        if b == _NEXT:
            base = m[_BASE] + m[_K]
            a_bound = w[0]
            b_bound = w[1]
            i = w[2] + 1
        i_bound = i
        m[_BASE] = base
        w = ptr32(window)
        # Nothing is as far as `far`: it has 31 bits on a 32-bit board, and 47 on others.
        d = 0x20000
        a_far = (d << 14) - 1
        b_far = 0
        far = (d * d * d >> 4) | a_far
        narrow = m[_HIGH] - m[_LOW] <= m[_LIMIT]
        stride = m[_STRIDE]
        part = _PART
        if part > stride:
            part = stride
        query = int(m) + m[_QUERY]
        end = query + stride
        behind = end + m[_SEARCHED] * stride
        i = -1
        while end < behind:
            p = ptr16(end)
            q = ptr16(query)
            end += stride
            i += 1
            a = 0
            b = 0
            if _WIDE or narrow:
                stop = int(p) + part
                while True:
                    a += ptr32(int(p))[0] + ptr32(int(q))[0]
                    if _WIDE:
                        a += ptr32(int(p))[1] + ptr32(int(q))[1] << 32
                    p = ptr16(int(p) + _SQUARE)
                    q = ptr16(int(q) + _SQUARE)
                    b = 0
                    while int(p) + 8 < stop:
                        b += p[0] * q[0]
                        b += p[1] * q[1]
                        b += p[2] * q[2]
                        b += p[3] * q[3]
                        b += p[4] * q[4]
                        b += p[5] * q[5]
                        b += p[6] * q[6]
                        b += p[7] * q[7]
                        p = ptr16(int(p) + 16)
                        q = ptr16(int(q) + 16)
                    if int(p) < stop:
                        b += p[0] * q[0]
                        b += p[1] * q[1]
                        b += p[2] * q[2]
                        b += p[3] * q[3]
                        p = ptr16(int(p) + 8)
                        q = ptr16(int(q) + 8)
                    a -= b + b
                    if a >= far or int(p) >= end:
                        break
                    stop = int(p) + _PART
                    if stop > end:
                        stop = end
                if a >= far:
                    continue
                b = a
                a = 0
            else:
                while int(p) < end:
                    stop = int(p) + _PART
                    if stop > end:
                        stop = end
                    p = ptr16(int(p) + _SQUARE)
                    q = ptr16(int(q) + _SQUARE)
                    while int(p) < stop:
                        d = p[0] - q[0]
                        d *= d
                        b += d & 0xFFFF
                        a += (d >> 16) & 0xFFFF
                        p = ptr16(int(p) + 2)
                        q = ptr16(int(q) + 2)
            a += b >> 16
            b &= 0xFFFF
            if a < a_far or (a == a_far and b < b_far):
                d = a - a_bound
                if d == 0:
                    d = b - b_bound
                    if d == 0:
                        d = i - i_bound
                if d >= 0:
                    # Into its place, behind those that are as near.
                    p = ptr16(int(w) - 12)
                    while int(p) >= window:
                        t = ptr32(int(p))
                        if t[0] < a or (t[0] == a and t[1] <= b):
                            break
                        t[3] = t[0]
                        t[4] = t[1]
                        t[5] = t[2]
                        p = ptr16(int(p) - 12)
                    t = ptr32(int(p))
                    t[3] = a
                    t[4] = b
                    t[5] = i
                    if int(w) < last:
                        w = ptr32(int(w) + 12)
                    else:
                        a_far = w[0]
                        b_far = w[1]
                        far = (a_far << 16) + b_far
        q = ptr16(int(m) + m[_LABELS])
        a = 0
        b = 0
        p = ptr16(window)
        while int(p) <= last:
            # How many have the label from here on: all of them, at the first that has it.
            d = q[ptr32(int(p))[2]]
            i = 1
            t = ptr32(int(p) + 12)
            while int(t) <= last:
                if q[t[2]] == d:
                    i += 1
                t = ptr32(int(t) + 12)
            if i > a or (i == a and d < b):
                a = i
                b = d
            p = ptr16(int(p) + 12)
        return b - 32768

    @micropython.viper
    def _add(features, block):
        _place(features, block)
        _search(block)

    def _predictor(block, search, refuse):
        """predict(features) of a model.

        It looks into the array itself: to ask MicroPython what it is and how long takes longer than
        to search a few items. `x if 1 else 0` is the address of an object to viper, which takes the
        type of the last branch. It is an object's if its lowest two bits are 0. No global name is
        used, as to reach those takes long, too.
        """

        @micropython.viper
        def predict(features):
            f = ptr32(features if 1 else 0)
            m = ptr32(block if 1 else 0)
            kind = m[0]
            m = ptr32(m[_ADDRESS] | m[_ADDRESS + _WIDE] << 32 * _WIDE)
            if int(f) & 3 == 0 and f[0] == kind:
                if (
                    ptr8(int(f))[_TYPECODE] == 104
                    and f[_LENGTH] == m[_FEATURES]
                    and m[_ITEMS] >= m[_K]
                ):
                    m[_IN] = f[_ADDRESS]
                    if _WIDE:
                        m[_IN + 1] = f[_ADDRESS + 1]
                    m[_ROW] = 0
                    m[_SEARCHED] = m[_ITEMS]
                    m[_WHAT] = _FIND
                    return search(block)
            return refuse(block, features)

        return predict


def _see(m, features):
    if type(features) is not array or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if len(features) != m[_FEATURES]:
        raise ValueError("want %d features" % m[_FEATURES])


def _refuse(m, features):
    _see(m, features)
    raise ValueError("%d items, want %d" % (m[_ITEMS], m[_K]))


def _int(v, low, high, what):
    if type(v) is not int or not low <= v <= high:
        raise ValueError("%s %s, want %d..%d" % (what, v, low, high))
    return v


class Neighbors:
    def __init__(self, max_items, n_features, k_neighbors):
        self._max = _int(max_items, 1, 32767, "items")
        _int(n_features, 1, 32767, "features")
        _int(k_neighbors, 1, max_items, "neighbors")
        stride = (n_features + 3 & ~3) * 2 + (n_features + 31 >> 5) * _SQUARE
        query = 4 * (_WINDOW + 3 * k_neighbors)
        labels = query + stride * (max_items + 1)
        if labels >> 28:
            raise MemoryError("no room for %d x %d" % (max_items, n_features))
        m = array("i", bytes(labels + 2 * max_items + 3 & ~3))
        m[_K] = k_neighbors
        m[_FEATURES] = n_features
        m[_STRIDE] = stride
        m[_QUERY] = query
        m[_LABELS] = labels
        self._block = m
        if _THUMB:
            self._told = [None, m]
            self.predict = _predictor(self._told)
        else:
            limit = 65535
            while not _WIDE and limit * limit * n_features >= 0x7FFFFFFF:
                limit -= 1 + (limit >> 6)
            m[_LIMIT] = limit
            m[_LOW] = 65535
            self.predict = _predictor(m, _search, _refuse)

    def additem(self, features, label):
        m = self._block
        _see(m, features)
        _int(label, -32768, 32767, "label")
        i = m[_ITEMS]
        if i >= self._max:
            raise ValueError("max items")
        if _THUMB:
            self._told[0] = features
            _search(self._told, m[_QUERY] + m[_STRIDE] * (i + 1))
        else:
            m[_ROW] = i + 1
            m[_WHAT] = _ADD
            _add(features, m)
        struct.pack_into("<H", m, m[_LABELS] + 2 * i, label + 32768)
        m[_ITEMS] = i + 1
        return i

    def getitem(self, index, out):
        m = self._block
        _int(index, 0, m[_ITEMS] - 1, "item")
        _see(m, out)
        at = m[_QUERY] + m[_STRIDE] * (index + 1)
        for i in range(m[_FEATURES]):
            if i & 31 == 0:
                at += _SQUARE
            out[i] = struct.unpack_from("<H", m, at + 2 * i)[0] - 32768

    def _search(self, what):
        if _THUMB:
            _search(self._told, what)
        else:
            self._block[_WHAT] = what
            _search(self._block)

    def getresult(self, index):
        m = self._block
        _int(index, 0, m[_SEARCHED] - 1, "result")
        if index < m[_BASE]:
            self._search(_FIRST)
        while index >= m[_BASE] + m[_K]:
            self._search(_NEXT)
        at = _WINDOW + 3 * (index - m[_BASE])
        if _THUMB:
            d, index = struct.unpack_from("<QI", m, 4 * at)
        else:
            a, b, index = m[at : at + 3]
            d = (a << 16) + b
        label = struct.unpack_from("<H", m, m[_LABELS] + 2 * index)[0] - 32768
        return index, _root(d), label


def _root(v):
    """The square root of 0..2**47, rounded down."""
    root = 0
    bit = 1 << 23
    while bit:
        if (root + bit) * (root + bit) <= v:
            root += bit
        bit >>= 1
    return root


new = Neighbors
