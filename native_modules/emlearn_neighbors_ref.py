"""k nearest neighbours on int16 features, in plain Python: the twin of `emlearn_neighbors.py`.

Same API, same answers, same refusals; runs on MicroPython and on CPython. It is what a board gets
that can't run native code, and what the tests hold the viper module against.
"""

from array import array


def _int(v, low, high, what):
    if type(v) is not int or not low <= v <= high:
        raise ValueError("%s %s, want %d..%d" % (what, v, low, high))
    return v


class Neighbors:
    """Up to max_items labelled points; `predict` asks the k nearest ones for their label."""

    def __init__(self, max_items, n_features, k_neighbors):
        self._max = _int(max_items, 1, 32767, "items")
        self._k = _int(k_neighbors, 1, max_items, "neighbors")
        self._features = _int(n_features, 1, 32767, "features")
        if max_items * n_features >> 27:
            raise MemoryError("no room for %d x %d" % (max_items, n_features))
        self._items = array("h", bytes(2 * max_items * n_features))
        self._labels = array("h", bytes(2 * max_items))
        self._n = 0
        self._nearest = []

    def _check(self, features):
        # repr, because MicroPython's arrays do not tell their typecode otherwise.
        if type(features) is not array or repr(features[:0]) != "array('h')":
            raise ValueError("features: want array 'h'")
        if len(features) != self._features:
            raise ValueError("want %d features" % self._features)

    def additem(self, features, label):
        """Keep a copy of `features` (array 'h') under an int16 label; returns its index."""
        self._check(features)
        _int(label, -32768, 32767, "label")
        i = self._n
        if i >= self._max:
            raise ValueError("max items")
        n = self._features
        for j in range(n):
            self._items[n * i + j] = features[j]
        self._labels[i] = label
        self._n = i + 1
        return i

    def getitem(self, index, out):
        """Copy an item's features into `out` (array 'h')."""
        _int(index, 0, self._n - 1, "item")
        self._check(out)
        n = self._features
        for j in range(n):
            out[j] = self._items[n * index + j]

    def predict(self, features):
        """The label that most of the k nearest items have; the least one of equally many.

        Distances are Euclidean; of items that are equally far, the one added first is nearer.
        """
        self._check(features)
        if self._n < self._k:
            raise ValueError("%d items, want %d" % (self._n, self._k))
        n = self._features
        found = []
        for i in range(self._n):
            d = 0
            for j in range(n):
                difference = self._items[n * i + j] - features[j]
                d += difference * difference
            found.append((d, i))
        found.sort()
        self._nearest = found
        votes = {}
        for _, i in found[: self._k]:
            votes[self._labels[i]] = votes.get(self._labels[i], 0) + 1
        best = max(votes.values())
        return min(label for label in votes if votes[label] == best)

    def getresult(self, index):
        """(item, distance rounded down, label) of the index-nearest item of the last predict()."""
        _int(index, 0, len(self._nearest) - 1, "result")
        d, i = self._nearest[index]
        return i, _root(d), self._labels[i]


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
