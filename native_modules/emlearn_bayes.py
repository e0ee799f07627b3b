"""Gaussian naive Bayes on int16 features, in viper.

Same API and answers as the plain twin `emlearn_bayes_ref.py`, which spells out each step.
Fixed point: differences to a mean are integers, times 16-bit inverse standard deviations; squares
of up to 8 deviations are kept to 2**-12, beyond that to 14 bits. Their sum has a shift of its own,
so that nothing saturates: classes a million deviations away are still told apart. The exponentials
are polynomials of 15 bits (off by 6e-5), the shares a division rounded to nearest even. Against
floats: see `error_bound` in model.json.
Cost: two multiplications a class and feature; on x64, 0.5 us for 3 classes of 13 features, 4.3 us
for 10 of 64, a fortieth of the twin's time.
Memory: the file's size, and 8 bytes a class. `predict` and `loglik` allocate nothing once they
have seen their two buffers (the model keeps a reference to them).
"""

from array import array

try:
    from binascii import crc32
except ImportError:  # some small ports
    crc32 = None

import micropython
from micropython import const

_HEAD = const(16)  # bytes; the file is described in emlearn_bayes_ref.py
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
    if not isinstance(features, array) or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if not isinstance(out, array) or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


class Bayes:
    def __init__(self, data):
        self._data = data
        self._costs = array("i", bytes(8 * data[6]))
        self._seen_f = self._seen_out = _UNSEEN

    def outputs(self):
        return self._data[6]

    def features(self):
        return self._data[4]

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
