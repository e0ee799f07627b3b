"""Decision forests on int16 features, in plain Python: the readable twin of `emlearn_trees.py`.

Same API, same answers, same refusals; runs on MicroPython and on CPython. It is what a board gets
that can't run native code, and what the tests hold the viper module against.
"""

from array import array

_LEAF_BITS = {
    0: (0, 255),  # a leaf is a class, each tree casts one vote
    8: (0, 255),  # a leaf is n_classes proportions * 255, which are averaged
    32: (-0x800000, 0x800000),  # a leaf is a number, which are averaged and scaled
}


def _int(v, low, high, what):
    # Not isinstance: a float, a bool or a string must fail here, with the row's number.
    if type(v) is not int or not low <= v <= high:
        raise ValueError("%s %s, want %d..%d" % (what, v, low, high))
    return v


def _is_array(x, typecode):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    return type(x) is array and repr(x[:0]) == "array('%s')" % typecode


class Trees:
    """A forest that is fed row by row: `addleaf`, `addroot`, `addnode`, then `setdata`.

    A child > 0 counts nodes forward from its own node, a child < 0 is leaf number -child - 1.
    The same holds for a root, except that root >= 0 is a node's index.
    """

    def __init__(self, max_trees, max_nodes, max_leaves):
        for v in (max_trees, max_nodes, max_leaves):
            _int(v, 0, 0x3FFFFFF, "capacity")
        self._max = (max_trees, max_nodes, max_leaves)
        self._n = [0, 0, 0]
        self._roots = array("i", bytes(4 * max_trees))
        self._nodes = array("h", bytes(8 * max_nodes))  # feature, threshold, left, right
        self._leaves = bytearray(max_leaves)
        self._features = self._classes = self._bits = 0
        self._scale = (0, 1)
        self._checked = False

    def setleafbits(self, bits):
        """0: hard voting (the default), 8: soft voting, 32: regression. Comes before the rest."""
        if bits != self._bits:
            if bits not in _LEAF_BITS or self._n != [0, 0, 0]:
                raise ValueError("leaf bits: 0, 8 or 32, before the rest")
            self._bits = bits
            n = self._max[2]
            self._leaves = array("i", bytes(4 * n)) if bits == 32 else bytearray(n)
        self._checked = False

    def setscale(self, offset, step):
        """Regression's output is offset + step * (mean of the leaves)."""
        if offset - offset != 0 or step - step != 0:
            raise ValueError("scale")
        self._scale = (offset, step)
        self._checked = False

    def setdata(self, n_features, n_classes):
        _int(n_classes, 1, 256, "classes")
        self._features = _int(n_features, 1, 32767, "features")
        self._classes = n_classes
        self._checked = False

    def addroot(self, root):
        _int(root, -32768, self._max[1], "root")
        self._roots[self._add(0)] = root

    def addnode(self, left, right, feature, value):
        _int(feature, 0, 32766, "feature")
        _int(value, -32768, 32767, "threshold")
        for c in (left, right):
            _int(c, -32768, 32767, "child")
        if 0 in (left, right):
            raise ValueError("child 0")
        at = 4 * self._add(1)
        self._nodes[at] = feature
        self._nodes[at + 1] = value
        self._nodes[at + 2] = left
        self._nodes[at + 3] = right

    def addleaf(self, v):
        low, high = _LEAF_BITS[self._bits]
        _int(v, low, high, "leaf")
        self._leaves[self._add(2)] = v

    def _add(self, kind):
        i = self._n[kind]
        if i >= self._max[kind]:
            raise ValueError("max " + ("trees", "nodes", "leaves")[kind])
        self._n[kind] = i + 1
        self._checked = False
        return i

    def outputs(self):
        """The number of outputs: classes, or 1 for regression."""
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
                if self._leaves[i] >= classes:
                    return "l", i, "class"
        for i in range(trees):
            if not -leaves <= self._roots[i] < nodes:
                return "r", i, "root"
        for i in range(nodes):
            feature, _, left, right = self._nodes[4 * i : 4 * i + 4]
            if feature >= self._features:
                return "n", i, "feature"
            for c in (left, right):
                if not -leaves <= c < nodes - i:
                    return "n", i, "child"
        return None

    def check(self):
        """Refuse a model whose walk could leave it: ValueError names the row."""
        bad = self._bad()
        if bad:
            raise ValueError("%s row %d: bad %s" % bad)
        self._checked = True

    def predict(self, features, out):
        """Walk all trees over `features` (array 'h'), write the outputs into `out` (array 'f')."""
        if not self._checked:
            self.check()
        if not _is_array(features, "h"):
            raise ValueError("features: want array 'h'")
        if not _is_array(out, "f"):
            raise ValueError("out: want array 'f'")
        classes = self._classes
        if len(features) != self._features or len(out) != classes:
            raise ValueError("want %d features, %d outputs" % (self._features, classes))
        total = [0] * classes
        trees = self._n[0]
        for i in range(trees):
            leaf = self._walk(self._roots[i], features)
            if self._bits == 0:
                total[self._leaves[leaf]] += 1
            else:
                for c in range(classes):
                    total[c] += self._leaves[leaf * classes + c]
        for c in range(classes):
            if self._bits == 32:
                offset, step = self._scale
                out[c] = offset + step * total[c] / trees
            else:
                out[c] = total[c] / (255 * trees if self._bits else trees)

    def _walk(self, at, features):
        """The index of the leaf that `features` reach from the root `at`."""
        nodes = self._nodes
        while at >= 0:
            i = 4 * at
            child = nodes[i + 2] if features[nodes[i]] < nodes[i + 1] else nodes[i + 3]
            at = at + child if child > 0 else child
        return -at - 1


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
