"""Small neural networks (multi-layer perceptrons) in integers, run in viper.

Same API and answers, bit by bit, as the plain twin `emlearn_mlp_ref.py`, which spells out each
step. Features are int16, weights 8 or 16 bits, activations unsigned 16 bits, sums 32 bits that
can't overflow (`load` checks every neuron), outputs float32: made of bits, so no board's float
arithmetic takes part. Memory: the file, 2 bytes an activation, 36 bytes a layer. `predict`
allocates nothing once it has seen its two buffers (it keeps a reference to them).

The file, little-endian:
    "MLP1", u16 n_features, u8 n_layers, u8 bytes of a weight (1 or 2)
    for each feature u16 low + 32768, gain, shift:
        activation = clip((feature - low) * gain / 2^shift, 0, 65535)
    for each layer u16 n_neurons, u8 kind, u8 q, then
        for each neuron u32 bias, u16 shift:  sum = (bias + sum of weights * activations) / 2^shift
        for each neuron its weights, unsigned, 128 (or 32768) for zero; with zeros up to a multiple
        of four
    The kinds: 0 clip(sum, 0, 65535); 1 32768 + 32767 * (1 - x) / (1 + x) with x = 2^-(sum / 2^q),
    a tanh; and for the last layer 2 shares that grow as 2^(sum / 2^q), a softmax; 3 the same of
    0 and the one neuron's sum; 4 sum / 2^(q - 128). Divisions by a power of two round halves up.
A share is within 0.0002 of the exact one for these sums, a tanh within 0.0001.
"""

import os
import struct
from array import array

import micropython
from micropython import const

# 2^-x for x from 0 to 1: 1 - x * (a - x * (b - x * c)), in units of 2^-15.
_A = const(22672)
_B = const(7596)
_C = const(1310)
# Sums are kept clear of the ends of int32 by the largest number that is added to round.
_LIMIT = const(0x7F000000)
_WIDEST = const(4096)
_ZERO = const(0x20000000)  # added to sums that wait in `out`, so that none is negative
# The plan, int32: the number of features, then for each layer these.
_GROUPS = const(0)  # of four inputs
_NEURONS = const(1)
_KIND = const(2)
_Q = const(3)
_TABLE = const(4)  # byte offsets in the file
_WEIGHTS = const(5)
_FROM = const(6)  # byte offsets in the activations
_TO = const(7)
_BITS = const(8)
_LAYER = const(36)
_NEVER = array("i")  # the buffer that nobody passes
_len = len  # found sooner among the module's names than among the built-in ones

# Bytes that read as -32767 from an array 'h' only, and as a float between 1 and 2 from an array
# 'f' only: MicroPython's arrays do not tell their typecode, and their repr is slow. Eight of them
# make at least one element of any type, odd ones so that an array 'O' reads a small integer.
_AS_H = b"\x01\x80" * 4
_AS_F = b"\x01\x00\xc0\x3f" * 2


@micropython.viper
def _exp2(x: int, q: int) -> int:
    # 2^-(x / 2^q) in units of 2^-19. Fits a small integer, as x must.
    n = x >> q
    if n > 19:
        return 0
    x = (x - (n << q)) << (15 - q)
    return (32768 - (x * (_A - (x * (_B - (x * _C >> 15)) >> 15)) >> 15) << 4) >> n


# The first two locals of a function live in registers. All loads are unsigned (on 64 bits those
# of ptr32 are, too), so weights and activations are as well, and the bias is what makes up for it.
# Sums wrap on 32 bits on their way, never in the end.
@micropython.viper
def _run(w: ptr8, acc: int, a: ptr16, features: ptr16, out: ptr32, plan: ptr32):
    data = int(w)
    acts = int(a)
    t = ptr16(data + 8)
    total = 0
    i = 0
    n = plan[0]
    while i < n:
        j = t[2]
        acc = ((features[i] ^ 0x8000) - t[0]) * t[1]
        acc = (acc + (1 << j >> 1)) >> j
        if acc < 0:
            acc = 0
        elif acc > 0xFFFF:
            acc = 0xFFFF
        a[i] = acc
        total += acc
        t = ptr16(int(t) + 6)
        i += 1
    p = ptr32(int(plan) + 4)
    kind = 0
    while kind < 2:
        kind = p[_KIND]
        zeros = total << (p[_BITS] - 1)
        total = 0
        t = ptr16(data + p[_TABLE])
        w = ptr8(data + p[_WEIGHTS])
        v = ptr16(int(w))
        to = ptr16(acts + p[_TO])
        end = acts + p[_FROM] + (p[_GROUPS] << 3)
        n = p[_NEURONS]
        i = 0
        while i < n:
            acc = (((t[1] ^ 0x8000) - 0x8000) << 16) + t[0] - zeros
            a = ptr16(acts + p[_FROM])
            if p[_BITS] == 8:
                while int(a) != end:
                    acc += w[0] * a[0]
                    acc += w[1] * a[1]
                    acc += w[2] * a[2]
                    acc += w[3] * a[3]
                    w = ptr8(int(w) + 4)
                    a = ptr16(int(a) + 8)
            else:
                while int(a) != end:
                    acc += v[0] * a[0]
                    acc += v[1] * a[1]
                    acc += v[2] * a[2]
                    acc += v[3] * a[3]
                    v = ptr16(int(v) + 8)
                    a = ptr16(int(a) + 8)
            j = t[2]
            t = ptr16(int(t) + 6)
            if kind == 4:
                # A float32 of acc / 2^(q - 128), rounded to nearest even.
                if acc:
                    e = 277 - p[_Q]
                    if acc < 0:
                        acc = -acc
                        e += 256
                    while acc < 0x800000:
                        acc += acc
                        e -= 1
                    j = 0
                    while acc >> j >= 0x1000000:
                        j += 1
                    if j:
                        low = acc & ((1 << j) - 1)
                        acc >>= j
                        if low + (acc & 1) > 1 << (j - 1):
                            acc += 1
                    acc += (e + j) << 23
                out[i] = acc
            else:
                acc = (acc + (1 << j >> 1)) >> j
                if kind == 0:
                    if acc < 0:
                        acc = 0
                    elif acc > 0xFFFF:
                        acc = 0xFFFF
                    to[i] = acc
                    total += acc
                elif kind == 1:
                    low = acc
                    if acc < 0:
                        acc = -acc
                    if acc > 0x3FFFFFFF:
                        acc = 0x3FFFFFFF
                    acc = int(_exp2(acc, p[_Q])) >> 4
                    acc = (32768 - acc) * 32767 // (32768 + acc)
                    if low < 0:
                        acc = -acc
                    acc += 32768
                    to[i] = acc
                    total += acc
                else:
                    out[i] = acc + _ZERO
            i += 1
        if kind < 2:
            p = ptr32(int(p) + _LAYER)
    if kind == 4:
        return
    if kind == 3:
        out[1] = out[0]
        out[0] = _ZERO
        n = 2
    j = 0
    i = n
    while i:
        i -= 1
        if out[i] > j:
            j = out[i]
    total = 0
    i = n
    while i:
        i -= 1
        acc = int(_exp2(j - out[i], p[_Q]))
        out[i] = acc
        total += acc
    # Shares become float32 patterns by long division, rounded to nearest even.
    i = n
    while i:
        i -= 1
        acc = out[i]
        if acc:
            e = 150
            low = 0
            while low < 0x800000:
                low += low
                if acc >= total:
                    acc -= total
                    low += 1
                acc += acc
                e -= 1
            if acc + (low & 1) > total:
                low += 1
            acc = (e << 23) + low
        out[i] = acc


# Sums of the weights above zero and below zero, as positive numbers.
@micropython.viper
def _sums(p: ptr8, n: int, bits: int, sums: ptr32):
    v = ptr16(int(p))
    sums[0] = 0
    sums[1] = 0
    i = 0
    while i < n:
        if bits == 8:
            w = p[i] - 0x80
        else:
            w = v[i] - 0x8000
        if w > 0:
            sums[0] += w
        else:
            sums[1] -= w
        i += 1


def _check(features, out, n_features, n_outputs):
    # No `try`: on some builds entering one costs more than a prediction. Few locals, too: a frame
    # of more than eleven words is allocated on the heap.
    if not isinstance(features, array) or (features[:0] + _AS_H)[0] != -32767:
        raise ValueError("features: want array 'h'")
    if not isinstance(out, array) or not 1 < (out[:0] + _AS_F)[0] < 2:
        raise ValueError("out: want array 'f'")
    if len(features) != n_features or len(out) != n_outputs:
        raise ValueError("want %d features, %d outputs" % (n_features, n_outputs))


def _want(good, what):
    if not good:
        raise ValueError("model: bad " + what)


class Mlp:
    def __init__(self, data):
        size = len(data)
        _want(size > 8 and data[:4] == b"MLP1", "head")
        n, layers, bits = struct.unpack_from("<HBB", data, 4)
        bits *= 8
        _want(bits in (8, 16) and layers and 0 < n <= _WIDEST, "head")
        at = 8 + 6 * n
        _want(at <= size, "size")
        for i in range(8, at, 6):
            _, gain, shift = struct.unpack_from("<3H", data, i)
            _want(gain < 0x4000 and shift <= 24, "feature %d" % (i // 6 - 1))
        plan = array("i", (n,))
        sums = array("i", (0, 0))
        self._features = n
        acts = 0
        for layer in range(1, layers + 1):
            _want(at + 4 <= size, "size")
            neurons, kind, q = struct.unpack_from("<HBB", data, at)
            at += 4
            width = (n + 3) & ~3
            weights = at + 6 * neurons
            end = weights + neurons * width * bits // 8
            where = "layer %d" % layer
            _want(0 < neurons <= _WIDEST and (kind > 1) == (layer == layers), where)
            _want((kind < 4 and q < 16) or (kind == 4 and 38 <= q <= 248), where)
            _want(kind != 2 or neurons <= 256, where)
            _want(kind != 3 or neurons == 1, where)
            _want(end <= size, "size")
            plan.extend(array("i", (width // 4, neurons, kind, q, at, weights)))
            plan.extend(array("i", (2 * acts, 2 * (acts + width), bits)))
            acts += width
            rows = memoryview(data)[weights:end]
            step = width * bits // 8
            for i in range(neurons):
                bias, shift = struct.unpack_from("<iH", data, at + 6 * i)
                _sums(rows[i * step : i * step + step], width, bits, sums)
                high = bias + 0xFFFF * sums[0]
                low = bias - 0xFFFF * sums[1]
                _want(-_LIMIT < low and high < _LIMIT and shift <= 24, "%s neuron %d" % (where, i))
                _want(kind < 2 or (shift == 0 if kind == 4 else shift > 1), where)
                _sums(rows[i * step + n * bits // 8 : i * step + step], width - n, bits, sums)
                _want(sums[0] == sums[1] == 0, where)
            at = end
            n = neurons
        _want(at == size, "size")
        self._outputs = 2 if kind == 3 else n
        self._data = data
        self._plan = plan
        self._acts = array("H", bytes(2 * acts))
        self._seen_f = self._seen_out = _NEVER

    def features(self):
        return self._features

    def outputs(self):
        return self._outputs

    def _see(self, features, out):
        self._seen_f = _NEVER
        _check(features, out, self._features, self._outputs)
        self._seen_f = features
        self._seen_out = out

    @micropython.viper
    def predict(self, features, out):
        if (
            features is not self._seen_f
            or out is not self._seen_out
            or int(_len(features)) != int(self._features)
            or int(_len(out)) != int(self._outputs)
        ):
            self._see(features, out)
        _run(self._data, 0, self._acts, features, out, self._plan)


def load(source):
    """A model from the path of a file, an open binary file, or bytes; ValueError if it is bad."""
    if isinstance(source, str):
        data = bytearray(os.stat(source)[6])
        with open(source, "rb") as f:
            _want(f.readinto(data) == len(data), "size")
        return Mlp(data)
    if hasattr(source, "read"):
        source = source.read()
    if not isinstance(source, (bytes, bytearray)):
        raise ValueError("want a path, a binary file or bytes")
    return Mlp(bytearray(source))
