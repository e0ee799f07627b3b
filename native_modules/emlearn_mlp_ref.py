"""Small neural networks in integers, in plain Python: the readable twin of `emlearn_mlp.py`.

Same API, same answers bit by bit, same refusals; runs on MicroPython and on CPython. It is what a
board gets that can't run native code, and what the tests hold the viper module against. The file
is described there.
"""

import os
import struct
from array import array

_WIDEST = 4096  # features, neurons of a layer
_LIMIT = 0x7F000000  # sums stay within 32 bits, with room to round
_TANH, _SOFTMAX, _LOGISTIC, _LINEAR = 1, 2, 3, 4  # kinds of layers; 0 only clips


def _exp2(x, q):
    """2^-(x / 2^q) in units of 2^-19."""
    n = x >> q
    if n > 19:
        return 0
    x = (x - (n << q)) << (15 - q)
    return (32768 - (x * (22672 - (x * (7596 - (x * 1310 >> 15)) >> 15)) >> 15) << 4) >> n


def _tanh(x, q):
    """tanh(x / 2^q * ln(2) / 2), 0 to 65535 for -1 to 1."""
    e = _exp2(min(abs(x), 0x3FFFFFFF), q) >> 4
    y = (32768 - e) * 32767 // (32768 + e)
    return 32768 + (y if x >= 0 else -y)


def _half_up(x, shift):
    return (x + (1 << shift >> 1)) >> shift


def _clip(x):
    return min(max(x, 0), 0xFFFF)


def _float_bits(x, q):
    """The float32 pattern of x / 2^q, rounded to nearest even."""
    if not x:
        return 0
    sign, x = (1, -x) if x < 0 else (0, x)
    exponent = 149 - q
    while x < 0x800000:
        x += x
        exponent -= 1
    shift = 0
    while x >> shift >= 0x1000000:
        shift += 1
    if shift:
        low = x & ((1 << shift) - 1)
        x >>= shift
        if low + (x & 1) > 1 << (shift - 1):
            x += 1
    return (sign << 31) + ((exponent + shift) << 23) + x


def _share_bits(part, total):
    """The float32 pattern of part / total, rounded to nearest even."""
    if not part:
        return 0
    exponent = 150
    quotient = 0
    while quotient < 0x800000:
        quotient += quotient
        if part >= total:
            part -= total
            quotient += 1
        part += part
        exponent -= 1
    if part + (quotient & 1) > total:
        quotient += 1
    return (exponent << 23) + quotient


def _is_array(x, typecode):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    return type(x) is array and repr(x[:0]) == "array('%s')" % typecode


def _want(good, what):
    if not good:
        raise ValueError("model: bad " + what)


class _Layer:
    """neurons: one (bias, shift, row of weights) each; weights are signed here."""

    def __init__(self, kind, q):
        self.kind = kind
        self.q = q
        self.neurons = []


class Mlp:
    def __init__(self, data):
        size = len(data)
        _want(size > 8 and data[:4] == b"MLP1", "head")
        n, layers, bits = struct.unpack_from("<HBB", data, 4)
        bits *= 8
        _want(bits in (8, 16) and layers and 0 < n <= _WIDEST, "head")
        at = 8 + 6 * n
        _want(at <= size, "size")
        self._inputs = []
        for i in range(8, at, 6):
            low, gain, shift = struct.unpack_from("<3H", data, i)
            _want(gain < 0x4000 and shift <= 24, "feature %d" % (i // 6 - 1))
            self._inputs.append((low - 32768, gain, shift))
        self._layers = []
        for number in range(1, layers + 1):
            _want(at + 4 <= size, "size")
            neurons, kind, q = struct.unpack_from("<HBB", data, at)
            at += 4
            width = (n + 3) & ~3
            weights = at + 6 * neurons
            end = weights + neurons * width * bits // 8
            where = "layer %d" % number
            _want(0 < neurons <= _WIDEST and (kind > 1) == (number == layers), where)
            _want((kind < 4 and q < 16) or (kind == 4 and 38 <= q <= 248), where)
            _want(kind != 2 or neurons <= 256, where)
            _want(kind != 3 or neurons == 1, where)
            _want(end <= size, "size")
            layer = _Layer(kind, q)
            for i in range(neurons):
                bias, shift = struct.unpack_from("<iH", data, at + 6 * i)
                row = self._row(data, weights + i * width * bits // 8, width, bits)
                high = bias + 0xFFFF * sum([w for w in row if w > 0])
                low = bias + 0xFFFF * sum([w for w in row if w < 0])
                _want(-_LIMIT < low and high < _LIMIT and shift <= 24, "%s neuron %d" % (where, i))
                _want(kind < 2 or (shift == 0 if kind == 4 else shift > 1), where)
                for w in row[n:]:
                    _want(w == 0, where)
                layer.neurons.append((bias, shift, row[:n]))
            self._layers.append(layer)
            at = end
            n = neurons
        _want(at == size, "size")
        self._outputs = 2 if kind == _LOGISTIC else n

    def _row(self, data, at, width, bits):
        if bits == 8:
            return array("h", [w - 0x80 for w in data[at : at + width]])
        row = struct.unpack_from("<%dH" % width, data, at)
        return array("h", [w - 0x8000 for w in row])

    def features(self):
        """The number of features."""
        return len(self._inputs)

    def outputs(self):
        """The number of outputs: classes, or values."""
        return self._outputs

    def predict(self, features, out):
        """Run the layers over `features` (array 'h'), write the outputs into `out` (array 'f')."""
        if not _is_array(features, "h"):
            raise ValueError("features: want array 'h'")
        if not _is_array(out, "f"):
            raise ValueError("out: want array 'f'")
        n_features = len(self._inputs)
        if len(features) != n_features or len(out) != self._outputs:
            raise ValueError("want %d features, %d outputs" % (n_features, self._outputs))
        acts = []
        for i in range(n_features):
            low, gain, shift = self._inputs[i]
            acts.append(_clip(_half_up((features[i] - low) * gain, shift)))
        for layer in self._layers:
            sums = []
            for bias, shift, row in layer.neurons:
                for i in range(len(row)):
                    bias += row[i] * acts[i]
                sums.append(_half_up(bias, shift))
            if layer.kind == _TANH:
                acts = [_tanh(x, layer.q) for x in sums]
            elif not layer.kind:
                acts = [_clip(x) for x in sums]
        if layer.kind == _LINEAR:
            bits = [_float_bits(x, layer.q - 128) for x in sums]
        else:
            if layer.kind == _LOGISTIC:
                sums.insert(0, 0)
            top = max(sums)
            parts = [_exp2(top - x, layer.q) for x in sums]
            total = sum(parts)
            bits = [_share_bits(x, total) for x in parts]
        # Bits, because a float could be rounded on its way into the array.
        for i in range(len(bits)):
            struct.pack_into("<I", out, 4 * i, bits[i])


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
