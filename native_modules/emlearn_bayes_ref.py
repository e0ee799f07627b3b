"""Gaussian naive Bayes on int16 features, in plain Python: the readable twin of `emlearn_bayes.py`.

Same API, same answers, same refusals; runs on MicroPython and on CPython. It is what a board gets
that can't run native code, and what the tests hold the viper module against.

A class c has a mean and a coefficient (1 / standard deviation) for each feature:

    y[j] = (features[j] - mean[c, j]) * a[c, j]
    log-likelihood = constant[c] - sum over j of y[j] ** 2 / 2
    output = exp(log-likelihood) / sum of all classes' exp(log-likelihood)

The file, little-endian (n features, k classes, "+ b": stored plus b, so never negative):

    0   "ENB1"
    4   uint16 n, uint16 k          1 .. 255 each
    8   uint8 0, 0, 13, 1
    12  uint32 CRC-32 of the rest, 0 unknown
    16  int32 [k]                   2**29 - constant * 2**13
        int32 [k, n]                what is added to the products, + 2**29
        uint16 [k, n]               means, + 32768
        uint16 [k, n]               shift of y to 12 fractional bits: 0 .. 30 right, 32 + x left x
        uint16 [k, n]               coefficients, + 32768
"""

from array import array

try:
    from binascii import crc32
except ImportError:  # some small ports
    crc32 = None

_HEAD = 16
_ZERO = 1 << 29


def _is_array(x, typecode):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    return type(x) is array and repr(x[:0]) == "array('%s')" % typecode


def _ratio(p, q, e):
    """p / q * 2**e, rounded in integers to 24 bits: the same on boards with short floats."""
    if p < 0:
        return -_ratio(-p, q, e)
    if p == 0:
        return 0.0
    while p // q >= 1 << 24:
        q <<= 1
        e += 1
    while p // q < 1 << 23:
        p <<= 1
        e -= 1
    rest = p % q * 2
    p //= q
    if rest > q or rest == q and p & 1:
        p += 1
    return p * 2.0**e


def _exp(d):
    """exp(-d / 2**13) * 2**20 for d >= 0, as a power of two and a polynomial."""
    if d <= 0:
        return 1 << 20
    if d >= 1 << 17:
        return 0
    z = d * 11819 >> 11
    x = z & 32767
    p = 224
    for c in (1744, 7845, 22709, 32768):
        p = c - (p * x >> 15)
    return p << 5 >> (z >> 15)


class Bayes:
    """A loaded model. `predict` and `loglik` fill `out`, an array 'f', from an array 'h'."""

    def __init__(self, data):
        self._data = data
        k = data[6]
        n = data[4] * k
        at = _HEAD + 4 * k
        self._log = array("i", data[_HEAD:at])
        self._bias = array("i", data[at : at + 4 * n])
        at += 4 * n
        self._means = array("H", data[at : at + 2 * n])
        at += 2 * n
        self._shifts = array("H", data[at : at + 2 * n])
        self._factors = array("H", data[at + 2 * n :])

    def outputs(self):
        """How many outputs there are: one a class."""
        return self._data[6]

    def features(self):
        return self._data[4]

    def predict(self, features, out):
        """Each class's probability given the features, [outputs]."""
        self._check(features, out)
        costs = [self._cost(features, c) for c in range(self._data[6])]
        best, best_e = costs[0]
        for p, e in costs:
            if p >> max(0, best_e - e) < best >> max(0, e - best_e):
                best = p
                best_e = e
        total = 0
        for c in range(len(costs)):
            p, e = costs[c]
            d = (p >> max(0, best_e - e)) - (best >> max(0, e - best_e))
            costs[c] = _exp(d << max(e, best_e))
            total += costs[c]
        for c in range(len(costs)):
            out[c] = _ratio(costs[c], total, 0)

    def loglik(self, features, out):
        """Each class's log prior plus log-likelihood, [outputs]."""
        self._check(features, out)
        for c in range(self._data[6]):
            p, e = self._cost(features, c)
            out[c] = _ratio((_ZERO >> e) - p, 1, e - 13)

    def _check(self, features, out):
        if not _is_array(features, "h"):
            raise ValueError("features: want array 'h'")
        if not _is_array(out, "f"):
            raise ValueError("out: want array 'f'")
        if len(features) != self._data[4] or len(out) != self._data[6]:
            raise ValueError("want %d features, %d outputs" % (self._data[4], self._data[6]))

    def _cost(self, features, c):
        """(cost, e): the log-likelihood is (2**29 - cost * 2**e) * 2**-13."""
        n = self._data[4]
        acc = n >> 1  # squares are rounded down: half a unit each makes up for it
        e = 0
        for j in range(n):
            i = c * n + j
            d = features[j] + 32768 - self._means[i]
            y = (d * (self._factors[i] - 32768) + 1 >> 1) + self._bias[i] - _ZERO
            x = self._shifts[i]
            if x < 32:
                y >>= x
                x = 0
            else:
                x -= 32
            y = abs(y)
            while y > 32767:
                y = (y + 1) >> 1
                x += 1
            while x and y < 16384:
                y <<= 1
                x -= 1
            x = 12 + e - 2 * x
            y *= y
            if x < 0:
                e -= x
                acc >>= -x
                x = 0
            acc += y >> x
            if acc >> 30:
                acc >>= 1
                e += 1
        return acc + (self._log[c] >> e), e


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
