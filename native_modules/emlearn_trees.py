"""Decision forests on int16 features, walked in viper.

Same API and answers as the plain twin `emlearn_trees_ref.py`, which spells out each step.
Memory: 8 bytes a node, 1 a leaf (4 for regression), 8 a tree, 4 a class. `predict` allocates
nothing once it has seen its two buffers (it keeps a reference to them), but for regression's float.
"""

import struct
from array import array

import micropython
from micropython import const

# A node is 4 x uint16: feature, threshold + 32768, left, right. Bit 15 of a child marks a leaf and
# the bits below are its index; else it counts nodes forward from this one.
_LEAF = const(0x8000)
# The head, int32: what _END .. _LEAVES name, then the roots, then a count for each column, then
# the float32 patterns of 0/n_trees .. n_trees/n_trees (hard voting only).
# A root is the byte offset of its node; bit 29 marks a leaf.
_END = const(0)  # index after the last root
_COLUMNS = const(1)  # bytes of a leaf that are summed; 0 for hard voting
_COUNTS = const(2)  # counts that become floats: n_classes, or 0 for regression
_DIVISOR = const(3)  # what the counts are divided by; 0 for hard voting
_LEAVES = const(4)  # byte offset of the leaves, behind the nodes
_FEATURES = const(5)
_OUTPUTS = const(6)
_ROOTS = const(7)
_UNCHECKED = array("i", bytes(4 * _ROOTS))
_len = len  # found sooner among the module's names than among the built-in ones
_LEAF_ROOT = const(0x20000000)
# A regression leaf is kept as four bytes of value + 2**23, which are summed as four columns.
_BIAS = const(0x800000)

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode, and their repr is slow. Eight of them
# make at least one element of any type, odd ones so that an array 'O' reads a small integer.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2


# The order of the arguments matters: the first three locals of a function live in registers.
@micropython.viper
def _walk(p: ptr16, f: ptr16, c: int, out: ptr32, head: ptr32):
    nodes = int(p)
    leaves = ptr8(nodes + head[_LEAVES])
    counts = ptr32(int(head) + (head[_END] << 2))
    i = _ROOTS
    while i < head[_END]:
        c = head[i]
        if c < _LEAF_ROOT:
            p = ptr16(nodes + c)
            while True:
                if (f[p[0]] ^ 0x8000) < p[1]:
                    c = p[2]
                else:
                    c = p[3]
                if c >= _LEAF:
                    break
                p = ptr16(int(p) + (c << 3))
        c &= 0x7FFF
        j = head[_COLUMNS]
        if j == 0:
            counts[leaves[c]] += 1
        else:
            c *= j
            while j:
                j -= 1
                counts[j] += leaves[c + j]
        i += 1
    # Counts become float32 patterns without a float: nothing on the heap, and exact even on boards
    # whose float objects are shortened. Hard voting looks them up; the rest is a long division,
    # rounded to nearest even.
    n = head[_COUNTS]
    i = n
    while i:
        i -= 1
        c = counts[i]
        counts[i] = 0
        if head[_DIVISOR] == 0:
            c = counts[n + c]
        elif c:
            j = 150
            q = 0
            while q < 0x800000:
                q += q
                if c >= head[_DIVISOR]:
                    c -= head[_DIVISOR]
                    q += 1
                c += c
                j -= 1
            if c + (q & 1) > head[_DIVISOR]:
                q += 1
            c = (j << 23) + q
        out[i] = c


def _check(features, out, n_features, n_outputs):
    # No `try`: on some builds entering one costs more than a prediction. Few locals, too: a frame
    # of more than eleven words is allocated on the heap.
    if not isinstance(features, array) or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if not isinstance(out, array) or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


def _total(head):
    """The sum of the regression leaves just counted; the counts go back to 0."""
    i = head[_END]
    a, b, c, d = head[i : i + 4]
    for j in range(i, i + 4):
        head[j] = 0
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
        # No buffer has been seen that fits: the next predict() checks the model first.
        self._seen_f = self._head = _UNCHECKED

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
            share = array("i", range(trees + 1))
            _walk(b"", b"", 0, share, self._make(roots[:0], 0, trees + 1, trees, share))
            head = self._make(roots, 0, classes, 0, [0] * classes) + share
        self._head = head

    def _make(self, roots, columns, counts, divisor, zeros):
        sizes = (8 * self._max[1], self._features, self._classes)
        head = array("i", (_ROOTS + len(roots), columns, counts, divisor))
        return head + array("i", sizes) + roots + array("i", zeros)

    def _see(self, features, out):
        if self._head is _UNCHECKED:
            self.check()
        self._seen_f = _UNCHECKED
        _check(features, out, self._features, self._classes)
        self._seen_f = features
        self._seen_out = out
        return self._head

    def _finish(self, out):
        if self._bits == 32:
            offset, step = self._scale
            out[0] = offset + step * _total(self._head) / self._n[0]

    @micropython.viper
    def predict(self, features, out):
        head = self._head
        sizes = ptr32(head)
        if (
            features is not self._seen_f
            or out is not self._seen_out
            or int(_len(features)) != sizes[_FEATURES]
            or int(_len(out)) != sizes[_OUTPUTS]
        ):
            head = self._see(features, out)
        _walk(self._data, features, 0, out, head)
        if sizes[_COUNTS] == 0:
            self._finish(out)


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
