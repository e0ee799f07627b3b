"""Gaussian mixtures and elliptic envelopes on int16 features: how likely, how far, in viper.

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
their two buffers (the model keeps a reference to them).
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
_UNSEEN = array("h")  # in place of a buffer that fits
_len = len  # found sooner among the module's names than among the built-in ones

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode, and their repr is slow. Eight of them
# make at least one element of any type, odd ones so that an array 'O' reads a small integer.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2


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
    if not isinstance(features, array) or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if not isinstance(out, array) or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


class Gaussians:
    def __init__(self, data):
        self._data = data
        self._seen_f = self._seen_out = _UNSEEN

    def outputs(self):
        return self._data[6] if self._data[9] else 1

    def components(self):
        return self._data[6]

    def features(self):
        return self._data[4]

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
