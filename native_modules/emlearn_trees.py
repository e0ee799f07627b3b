"""Decision forests on int16 features, walked in viper, or in Thumb on a Cortex-M.

Same API and answers as the plain twin `emlearn_trees_ref.py`, which spells out each step.
All in integers, and exact; only regression's last step, `offset + step * sum / trees`, is done in
the board's floats. Memory: 8 bytes a node, 1 a leaf (4 for regression), 8 a tree, 4 a class.
`predict` allocates nothing after its first call, but for regression's float; it reads type, length
and address of its arrays where MicroPython 1.29 keeps them: a firmware that differs there is
refused at import.
"""

import struct
from array import array

import micropython
from micropython import const

# A node is 4 x uint16: feature, threshold + 32768, left, right. Bit 15 of a child marks a leaf and
# the bits below are its index; else it counts nodes forward from this one.
_LEAF = const(0x8000)
# The head, int32: what _END .. _NODES name, then the roots, then a count for each column, then
# the float32 patterns of 0/n_trees .. n_trees/n_trees (hard voting only).
# A root is the byte offset of its node; bit 29 marks a leaf.
_END = const(0)  # index after the last root
_COLUMNS = const(1)  # bytes of a leaf that are summed; 0 for hard voting
_COUNTS = const(2)  # counts that become floats: n_classes, or 0 for regression
_DIVISOR = const(3)  # what the counts are divided by; 0 for hard voting
_LEAVES = const(4)  # byte offset of the leaves, behind the nodes
_FEATURES = const(5)
_OUTPUTS = const(6)
_LEAF_ROOT = const(0x20000000)
# A regression leaf is kept as four bytes of value + 2**23, which are summed as four columns.
_BIAS = const(0x800000)

# MicroPython's arrays, in words of the machine: type, typecode (in the lowest byte), length,
# address of the elements. The build sets _WIDE to 1 for machines of 64 bits,
# _THUMB for Cortex-M.
_WIDE = const(0)
_THUMB = const(0)
_TYPECODE = const(4 + 4 * _WIDE)  # in bytes
_LENGTH = const(2 + 2 * _WIDE)  # in int32, as the next one
_ADDRESS = const(3 + 3 * _WIDE)
# In the head, not in Thumb: addresses of two words each. On machines of 64 bits at an even place,
# where the garbage collector sees them and lets the nodes live as long as the head.
_NODES = const(8)
_IN = const(10)  # the features
_OUT = const(12)
_ROOTS = const(14 - 7 * _THUMB)


def _refuse(head, features, out):
    for x, typecode, what in ((features, "h", "features"), (out, "f", "out")):
        if type(x) is not array or repr(x[:0]) != "array('%s')" % typecode:
            raise ValueError("%s: want array '%s'" % (what, typecode))
    raise ValueError("want %d features, %d outputs" % (head[_FEATURES], head[_OUTPUTS]))


def _clear(head):
    """Set the four counts of a regression to 0. Before each walk: whatever ends a prediction half
    way, Ctrl-C or a full heap, would leave some to the next one."""
    for i in range(head[_END], head[_END] + 4):
        head[i] = 0


# Counts become float32 patterns without a float: nothing on the heap, and exact even on boards
# whose float objects are shortened. Hard voting looks them up; the rest is a long division, rounded
# to nearest even.
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

    # Answers with 1 if features or out are not as they should be: objects have addresses whose
    # lowest two bits are 0, arrays the type that the head has.
    # r0: node, r1: nodes, r2: features, r3: the next root, r4: behind the roots, which is where the
    # counts are; r7: 0x8000; r12: leaves, lr: columns
    @micropython.asm_thumb
    def _walk(r0):  # [features, out, head, nodes]
        ldr(r1, [r0, 12])
        ldr(r1, [r1, 4 * _ADDRESS])
        ldr(r2, [r0, 0])
        ldr(r3, [r0, 4])
        ldr(r4, [r0, 8])
        ldr(r0, [r4, 4 * _ADDRESS])
        ldr(r4, [r4, 0])
        mov(r5, r2)
        orr(r5, r3)
        lsl(r5, r5, 30)
        bne(REFUSE)
        ldr(r5, [r2, 0])
        cmp(r5, r4)
        bne(REFUSE)
        ldr(r5, [r3, 0])
        cmp(r5, r4)
        bne(REFUSE)
        ldrb(r5, [r2, _TYPECODE])
        cmp(r5, 104)
        bne(REFUSE)
        ldrb(r5, [r3, _TYPECODE])
        cmp(r5, 102)
        bne(REFUSE)
        ldr(r5, [r2, 4 * _LENGTH])
        ldr(r6, [r0, 4 * _FEATURES])
        cmp(r5, r6)
        bne(REFUSE)
        ldr(r5, [r3, 4 * _LENGTH])
        ldr(r6, [r0, 4 * _OUTPUTS])
        cmp(r5, r6)
        beq(FINE)
        label(REFUSE)
        mov(r0, 1)
        b(END)
        label(FINE)
        ldr(r2, [r2, 4 * _ADDRESS])
        ldr(r3, [r3, 4 * _ADDRESS])
        push({r0, r3})
        ldr(r5, [r0, 4 * _LEAVES])
        add(r5, r5, r1)
        mov(r12, r5)
        ldr(r5, [r0, 4 * _COLUMNS])
        mov(lr, r5)
        ldr(r4, [r0, 4 * _END])
        lsl(r4, r4, 2)
        add(r4, r4, r0)
        mov(r3, r0)
        add(r3, 4 * _ROOTS)
        label(TREE)
        cmp(r3, r4)
        beq(COUNTED)
        mov(r7, 1)
        lsl(r7, r7, 15)
        ldr(r5, [r3, 0])
        add(r3, 4)
        add(r0, r1, r5)
        lsr(r6, r5, 29)  # whether the root is a leaf
        lsl(r5, r5, 17)
        cmp(r6, 0)
        bne(LEAF)
        label(NODE)
        ldrh(r5, [r0, 0])
        lsl(r5, r5, 1)
        data(2, 0x5B55)  # ldrh(r5, [r2, r5])
        eor(r5, r7)
        ldrh(r6, [r0, 2])
        cmp(r5, r6)
        ldrh(r5, [r0, 4])
        bcc(LEFT)
        ldrh(r5, [r0, 6])
        label(LEFT)
        # A leaf has bit 15; then r0 is no longer used.
        lsl(r6, r5, 3)
        add(r0, r0, r6)
        lsl(r5, r5, 17)
        bcc(NODE)
        label(LEAF)
        lsr(r5, r5, 17)
        mov(r6, r12)
        mov(r0, lr)
        cmp(r0, 0)
        bne(COLUMNS)
        data(2, 0x5D75)  # ldrb(r5, [r6, r5])
        lsl(r5, r5, 2)
        data(2, 0x5966)  # ldr(r6, [r4, r5])
        add(r6, 1)
        data(2, 0x5166)  # str(r6, [r4, r5])
        b(TREE)
        label(COLUMNS)
        mul(r5, r0)
        add(r5, r5, r6)
        label(SUM)
        ldrb(r6, [r5, 0])
        ldr(r7, [r4, 0])
        add(r7, r7, r6)
        str(r7, [r4, 0])
        add(r5, 1)
        add(r4, 4)
        sub(r0, 1)
        bne(SUM)
        mov(r0, lr)
        lsl(r0, r0, 2)
        sub(r4, r4, r0)
        b(TREE)

        # r1: behind the counts, r2: divisor, r3: out, r4: the next count; r5: it, then
        # its float32; r6: quotient, r7: exponent
        label(COUNTED)
        pop({r0, r3})
        ldr(r1, [r0, 4 * _COUNTS])
        lsl(r1, r1, 2)
        add(r1, r1, r4)
        ldr(r2, [r0, 4 * _DIVISOR])
        mov(r0, 0)
        label(COUNT)
        cmp(r4, r1)
        beq(END)
        ldr(r5, [r4, 0])
        mov(r6, 0)
        str(r6, [r4, 0])
        cmp(r5, 0)
        beq(PUT)
        cmp(r2, 0)
        bne(DIVIDE)
        lsl(r5, r5, 2)
        data(2, 0x594D)  # ldr(r5, [r1, r5])
        b(PUT)
        label(DIVIDE)
        mov(r7, 150)
        label(BIT)
        cmp(r5, r2)
        bcc(LESS)
        sub(r5, r5, r2)
        label(LESS)
        adc(r6, r6)
        add(r5, r5, r5)
        sub(r7, 1)
        lsr(r0, r6, 23)
        beq(BIT)
        lsl(r0, r6, 31)
        lsr(r0, r0, 31)
        add(r5, r5, r0)
        mov(r0, 0)
        cmp(r2, r5)
        bcs(ROUNDED)
        add(r6, 1)
        label(ROUNDED)
        lsl(r5, r7, 23)
        add(r5, r5, r6)
        label(PUT)
        str(r5, [r3, 0])
        add(r3, 4)
        add(r4, 4)
        b(COUNT)
        label(END)

    def _predictor(head, nodes):
        """predict(features, out) of a checked model."""
        told = [None, None, head, nodes]

        def predict(features, out):
            told[0] = features
            told[1] = out
            if _walk(told):
                _refuse(head, features, out)

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

    # The order of the locals matters: the first two of a function live in registers.
    @micropython.viper
    def _walk(p: ptr16):
        c = 0
        f = ptr16(int(p))
        head = ptr32(int(p))
        nodes = head[_NODES]
        f = ptr16(head[_IN])
        out = ptr32(head[_OUT])
        if _WIDE:
            nodes |= head[_NODES + 1] << 32
            f = ptr16(int(f) | head[_IN + 1] << 32)
            out = ptr32(int(out) | head[_OUT + 1] << 32)
        root = ptr32(int(head) + (_ROOTS << 2))
        counts = ptr32(int(head) + (head[_END] << 2))
        leaves = nodes + head[_LEAVES]
        j = head[_COLUMNS]
        while int(root) < int(counts):
            c = root[0]
            if c < _LEAF_ROOT:
                p = ptr16(nodes + c)
                c = 0
                while c < _LEAF:
                    p = ptr16(int(p) + (c << 3))
                    if (f[p[0]] ^ 0x8000) < p[1]:
                        c = p[2]
                    else:
                        c = p[3]
            c &= 0x7FFF
            if j == 0:
                c = ptr8(leaves)[c]
                counts[c] += 1
            else:
                p = ptr16(leaves + c * j)
                c = j
                while c:
                    c -= 1
                    counts[c] += ptr8(int(p))[c]
            root = ptr32(int(root) + 4)
        p = ptr16(int(counts))
        counts = ptr32(int(p) + (head[_COUNTS] << 2))
        f = ptr16(int(out))
        d = head[_DIVISOR]
        while int(p) < int(counts):
            c = ptr32(int(p))[0]
            if c:
                ptr32(int(p))[0] = 0
                if d == 0:
                    c = counts[c]
                else:
                    j = 150
                    q = 0
                    while q < 0x800000:
                        q += q
                        if c >= d:
                            c -= d
                            q += 1
                        c += c
                        j -= 1
                    q += int(c + (q & 1) > d)
                    c = (j << 23) + q
            ptr32(int(f))[0] = c
            f = ptr16(int(f) + 4)
            p = ptr16(int(p) + 4)

    @micropython.viper
    def _place(head: ptr32, nodes: ptr8):
        """Keep the address of the nodes, which do not move."""
        head[_NODES] = int(nodes)
        if _WIDE:
            head[_NODES + 1] = int(nodes) >> 32

    def _predictor(head, nodes, walk=_walk, refuse=_refuse):
        """predict(features, out) of a checked model.

        It looks into the two arrays itself: to ask MicroPython for what they are and for their
        length would take longer than a small tree. `x if 1 else 0` is the address of an object to
        viper, which takes the type of the last branch. It is an object's if its lowest two bits are
        0.
        No global name is used, as to reach those takes as long as the rest.
        """
        _place(head, nodes)

        @micropython.viper
        def predict(features, out):
            f = ptr32(features if 1 else 0)
            o = ptr32(out if 1 else 0)
            m = ptr32(head if 1 else 0)
            kind = m[0]
            m = ptr32(m[_ADDRESS] | m[_ADDRESS + _WIDE] << 32 * _WIDE)
            if (int(f) | int(o)) & 3 == 0 and f[0] == kind and o[0] == kind:
                if (
                    ptr8(int(f))[_TYPECODE] == 104
                    and ptr8(int(o))[_TYPECODE] == 102
                    and f[_LENGTH] == m[_FEATURES]
                    and o[_LENGTH] == m[_OUTPUTS]
                ):
                    m[_IN] = f[_ADDRESS]
                    m[_OUT] = o[_ADDRESS]
                    if _WIDE:
                        m[_IN + 1] = f[_ADDRESS + 1]
                        m[_OUT + 1] = o[_ADDRESS + 1]
                    walk(head)
                    return
            refuse(head, features, out)

        return predict


def _total(head):
    """The sum of the regression leaves just counted."""
    i = head[_END]
    a, b, c, d = head[i : i + 4]
    # In this order every step stays within 31 bits, the small integers of a 32-bit board.
    return ((((d << 8) + c - ((i - _ROOTS) << 7)) << 8) + b << 8) + a


def _int(v, low, high, what):
    # Not isinstance: a float, a bool or a string must fail here, with the row's number.
    if type(v) is not int or not low <= v <= high:
        raise ValueError("%s %s, want %d..%d" % (what, v, low, high))
    return v


class Trees:
    def __init__(self, max_trees, max_nodes, max_leaves):
        for v in (max_trees, max_nodes, max_leaves):
            _int(v, 0, 0x3FFFFFF, "capacity")
        self._max = (max_trees, max_nodes, max_leaves)
        self._n = [0, 0, 0]
        self._roots = array("i", bytes(4 * max_trees))
        self._features = self._classes = 0
        self._scale = (0, 1)
        self._bits = -1
        self.setleafbits(0)

    def setleafbits(self, bits):
        if bits != self._bits:
            if bits not in (0, 8, 32) or self._n != [0, 0, 0]:
                raise ValueError("leaf bits: 0, 8 or 32, before the rest")
            self._bits = bits
            self._data = bytearray(8 * self._max[1] + (self._max[2] << (bits >> 4)))
        self._changed()

    def setscale(self, offset, step):
        if offset - offset != 0 or step - step != 0:
            raise ValueError("scale")
        self._scale = (offset, step)
        self._changed()

    def setdata(self, n_features, n_classes):
        _int(n_classes, 1, 256, "classes")
        self._features = _int(n_features, 1, 32767, "features")
        self._classes = n_classes
        self._changed()

    def addroot(self, root):
        _int(root, -32768, self._max[1], "root")
        self._roots[self._add(0)] = root << 3 if root >= 0 else _LEAF_ROOT | ~root

    def addnode(self, left, right, feature, value):
        _int(feature, 0, 32766, "feature")
        _int(value, -32768, 32767, "threshold")
        row = [feature, value + 32768]
        for c in (left, right):
            _int(c, -32768, 32767, "child")
            row.append(c if c > 0 else _LEAF | ~c)
        if 0 in (left, right):
            raise ValueError("child 0")
        struct.pack_into("<4H", self._data, 8 * self._add(1), *row)

    def addleaf(self, v):
        at = 8 * self._max[1]
        if self._bits == 32:
            v = _int(v, -_BIAS, _BIAS, "leaf") + _BIAS
            struct.pack_into("<I", self._data, at + 4 * self._add(2), v)
        else:
            _int(v, 0, 255, "leaf")
            self._data[at + self._add(2)] = v

    def _add(self, kind):
        i = self._n[kind]
        if i >= self._max[kind]:
            raise ValueError("max " + ("trees", "nodes", "leaves")[kind])
        self._n[kind] = i + 1
        self._changed()
        return i

    def _changed(self):
        self.predict = self._first

    def _first(self, features, out):
        """The first prediction after a change: checks the model."""
        self.check()
        self.predict(features, out)

    def outputs(self):
        if not self._classes:
            raise ValueError("model not loaded")
        return self._classes

    def _bad(self):
        """(kind of row, its index among its kind, what) of the first fault, or None."""
        classes = self.outputs()
        trees, nodes, leaves = self._n
        if not trees or not leaves:
            return "r", 0, "no trees or no leaves"
        if self._bits == 8:
            leaves, odd = divmod(leaves, classes)
            if odd:
                return "c", 0, "leaves are not whole"
        elif self._bits:
            if classes > 1 or trees > 127:
                return "c", 0, "regression has 1 class, up to 127 trees"
        else:
            for i in range(leaves):
                if self._data[8 * self._max[1] + i] >= classes:
                    return "l", i, "class"
        for i in range(trees):
            c = self._roots[i]
            if c >= (_LEAF_ROOT + leaves if c >= _LEAF_ROOT else nodes << 3):
                return "r", i, "root"
        for i in range(nodes):
            feature, _, left, right = struct.unpack_from("<4H", self._data, 8 * i)
            if feature >= self._features:
                return "n", i, "feature"
            for c in (left, right):
                if c - _LEAF >= leaves or _LEAF > c >= nodes - i:
                    return "n", i, "child"
        return None

    def check(self):
        bad = self._bad()
        if bad:
            raise ValueError("%s row %d: bad %s" % bad)
        trees = self._n[0]
        classes = self._classes
        roots = self._roots[:trees]
        if self._bits == 8:
            head = self._make(roots, classes, classes, 255 * trees, [0] * classes)
        elif self._bits:
            head = self._make(roots, 4, 0, 0, [0] * 4)
        else:
            # The table of k / trees, by the same division: no trees, and all votes cast.
            share = array("f", bytes(4 * trees + 4))
            head = self._make(roots[:0], 0, trees + 1, trees, range(trees + 1))
            head[_FEATURES] = 0
            head[_OUTPUTS] = trees + 1
            _predictor(head, self._data)(array("h"), share)
            head = self._make(roots, 0, classes, 0, [0] * classes) + bytes(share)
        self._head = head
        self._walk = _predictor(head, self._data)
        self.predict = self._regress if self._bits == 32 else self._walk

    def _make(self, roots, columns, counts, divisor, zeros):
        sizes = (8 * self._max[1], self._features, self._classes)
        head = array("i", (_ROOTS + len(roots), columns, counts, divisor) + sizes)
        return head + bytes(4 * _ROOTS - 28) + roots + array("i", zeros)

    def _regress(self, features, out):
        _clear(self._head)
        self._walk(features, out)
        offset, step = self._scale
        out[0] = offset + step * _total(self._head) / self._n[0]


new = Trees


def load_model(builder, f):
    """Feed the rows of an open text file, or any iterable of str, to `builder`, and check it."""
    number = 0
    n = [None, None]
    found = {}
    try:
        for line in f:
            number += 1
            row = line.strip().split(",")
            kind = row.pop(0)
            if kind == "n":
                feature, value, left, right = row
                builder.addnode(int(left), int(right), int(feature), int(float(value)))
            elif kind == "y":
                builder.setscale(float(row[0]), float(row[1]))
            elif kind in ("f", "c", "lb", "l", "r"):
                (value,) = row
                value = int(value)
                if kind == "l":
                    builder.addleaf(value)
                elif kind == "r":
                    builder.addroot(value)
                elif kind == "lb":
                    builder.setleafbits(value)
                else:
                    n[kind == "c"] = value
            # Rows of one kind that follow one another are found again by line number.
            first, last = found.get(kind, (number, number - 1))
            found[kind] = (first if last + 1 == number else 0, number)
        builder.setdata(*n)
        kind, i, what = builder._bad() or ("", 0, "")
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError) as e:
        raise ValueError("line %d: %s" % (number, e))
    if what:
        first = found.get(kind, (number,))[0]
        where = "line %d" % (first + i) if first else "%s row %d" % (kind, i)
        raise ValueError("%s: bad %s" % (where, what))
    builder.check()


def load(source):
    """Count the rows of a path, a file or a list of str, then load them into a new model."""
    if isinstance(source, str):
        with open(source) as f:
            return load(f)
    n = {"r": 0, "n": 0, "l": 0}
    for line in source:
        if not isinstance(line, str):
            raise ValueError("want a text file or a list of str")
        kind = line.split(",", 1)[0].strip()
        if kind in n:
            n[kind] += 1
    if hasattr(source, "seek"):
        source.seek(0)
    model = new(n["r"], n["n"], n["l"])
    load_model(model, source)
    return model
