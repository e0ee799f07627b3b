"""Gaussian mixtures and elliptic envelopes on int16 features, in plain Python.

The readable twin of `emlearn_gmm.py`: same API, same answers, same refusals; runs on MicroPython
and on CPython. It is what a board gets that can't run native code, and what the tests hold the
viper module against.

A component k has a mean and coefficients a[i, j], i <= j. With d[i] = features[i] - mean[i]

    y[j] = sum over i of d[i] * a[i, j]         (diagonal: only i = j)
    distance = sum over j of y[j] ** 2          (squared Mahalanobis distance)
    log-likelihood = constant[k] - distance / 2 (or - distance: an elliptic envelope)

and the total is the log of the sum of the exponentials of all components' log-likelihoods.

The file, little-endian (n features, k components, "+ b": stored plus b, so never negative):

    0   "EGM1"
    4   uint16 n, uint16 k          1 .. 255 each
    8   uint8 layout                0 diagonal, 1 a triangle for each component, 2 one for all
    9   uint8 output                0 the total, 1 each component's log-likelihood
    10  uint8 unit                  13 constant - distance / 2, 12 constant - distance (k is 1)
    11  uint8 h                     the products' shift: 1 + bits of (n - 1), diagonal: 1
    12  uint32 CRC-32 of the rest, 0 unknown
    16  int32 [k]                   2**29 - constant * 2**unit
        int32 [k, n]                what is added to the sum of products, + 2**29
        uint16 [k, n]               means, + 32768
        uint16 [k, n], layout 2 [n] shift of y to 12 fractional bits: 0 .. 30 right, 32 + x left x
        uint16 ...                  coefficients + 32768: [k, n], or a[0..j, j] for each j (and k)
"""

from array import array

try:
    from binascii import crc32
except ImportError:  # some small ports
    crc32 = None

# log(1 + exp(-d)) * 2**16 at d = 0, 1/4, 2/4, ...
_TABLE = array(
    "H",
    b"\x72\xb1\x71\x93\x5d\x79\x0a\x63\x32\x50\x7e\x40\x90\x33"
    b"\x04\x29\x7e\x20\xa7\x19\x32\x14\xdd\x0f\x70\x0c\xbd\x09"
    b"\x9e\x07\xf3\x05\xa5\x04\xa0\x03\xd4\x02\x35\x02\xb8\x01"
    b"\x57\x01\x0b\x01\xd0\x00\xa2\x00\x7e\x00\x62\x00\x4d\x00"
    b"\x3c\x00\x2f\x00\x24\x00\x1c\x00\x16\x00\x11\x00\x0d\x00"
    b"\x0a\x00\x08\x00\x06\x00\x05\x00\x04\x00\x03\x00\x02\x00",
)
_HEAD = 16
_ZERO = 1 << 29


def _is_array(x, typecode):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    return type(x) is array and repr(x[:0]) == "array('%s')" % typecode


def _log_add(a, b):
    """The cost of both together: costs are minus log-likelihoods, in units of 2**-13."""
    d = abs(a - b)
    i = d >> 11
    if i >= 40:
        return min(a, b)
    f0, f1, f2 = _TABLE[i : i + 3]
    t = d & 2047
    bend = (t * (t - 2048) >> 12) * (f2 - f1 - (f1 - f0)) >> 11
    return min(a, b) - ((f0 + (t * (f1 - f0) >> 11) + bend + 4) >> 3)


class Gaussians:
    """A loaded model. `predict` and its like fill `out`, an array 'f', from an array 'h'."""

    def __init__(self, data):
        self._data = data
        n = data[4]
        k = data[6]
        rows = n if data[8] == 2 else n * k
        self._costs = array("i", data[_HEAD : _HEAD + 4 * k])
        at = _HEAD + 4 * k
        self._bias = array("i", data[at : at + 4 * n * k])
        at += 4 * n * k
        self._means = array("H", data[at : at + 2 * n * k])
        at += 2 * n * k
        self._shifts = array("H", data[at : at + 2 * rows])
        self._factors = array("H", data[at + 2 * rows :])

    def outputs(self):
        """How many outputs `predict` has: 1, or one a component."""
        return self._data[6] if self._data[9] else 1

    def components(self):
        return self._data[6]

    def features(self):
        return self._data[4]

    def predict(self, features, out):
        """The total log-likelihood (minus the threshold), or each component's with its weight."""
        if self._data[9]:
            self.loglik(features, out)
            return
        self._check(features, out, 1)
        total = None
        for c in range(self._data[6]):
            p, e = self._cost(features, c)
            if total is None:
                total = p
                total_e = e
            elif e == total_e == 0:
                total = _log_add(total, p)
            elif p >> max(0, total_e - e) < total >> max(0, e - total_e):
                total = p
                total_e = e
        self._put(out, 0, (_ZERO >> total_e) - total, total_e, self._data[10])

    def loglik(self, features, out):
        """Each component's log-likelihood with its weight [components], minus the threshold."""
        self._check(features, out, self._data[6])
        for c in range(self._data[6]):
            p, e = self._cost(features, c)
            self._put(out, c, (_ZERO >> e) - p, e, self._data[10])

    def distances(self, features, out):
        """Squared Mahalanobis distances to the means [components]."""
        self._check(features, out, self._data[6])
        for c in range(self._data[6]):
            p, e = self._distance(features, c)
            self._put(out, c, p, e, 12)

    def _check(self, features, out, n_outputs):
        if not _is_array(features, "h"):
            raise ValueError("features: want array 'h'")
        if not _is_array(out, "f"):
            raise ValueError("out: want array 'f'")
        if len(features) != self._data[4] or len(out) != n_outputs:
            raise ValueError("want %d features, %d outputs" % (self._data[4], n_outputs))

    def _put(self, out, i, p, e, unit):
        """p * 2**(e - unit), rounded in integers: the same on boards with short floats."""
        q = abs(p)
        j = 0
        while q >> j >= 1 << 24:
            j += 1
        if j:
            rest = q & (1 << j) - 1
            q >>= j
            if rest + (q & 1) > 1 << j - 1:
                q += 1
        out[i] = (-q if p < 0 else q) * 2.0 ** (j + e - unit)

    def _cost(self, features, c):
        """(cost, e): constant - distance is (2**29 - cost * 2**e) * 2**-unit."""
        p, e = self._distance(features, c)
        return p + (self._costs[c] >> e), e

    def _distance(self, features, c):
        """(sum, e): the distance is sum * 2**(e - 12)."""
        n = self._data[4]
        layout = self._data[8]
        h = self._data[11]
        half = 1 << h - 1
        shared = layout == 2
        at = 0 if shared else c * len(self._factors) // self._data[6]
        acc = n >> 1  # squares are rounded down: half a unit each makes up for it
        e = 0
        for j in range(n):
            y = self._bias[c * n + j] - _ZERO
            for i in range(0 if layout else j, j + 1):
                d = features[i] + 32768 - self._means[c * n + i]
                y += d * (self._factors[at] - 32768) + half >> h
                at += 1
            x = self._shifts[j if shared else c * n + j]
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
        return acc, e


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
