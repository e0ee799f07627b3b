"""The file of a neural network: written, parsed, checked and evaluated in NumPy.

native_modules/emlearn_mlp.py describes the format. All is integers, so what is evaluated here is,
bit by bit, what every board computes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...text import counted
from ..damage import damaged, within

IntArray = npt.NDArray[np.int64]
CLIP, TANH, SOFTMAX, LOGISTIC, LINEAR = range(5)
WIDEST = 4096
LIMIT = 0x7F000000  # sums stay within this
TOP = 0xFFFF  # the largest activation
MAX_GAIN, MAX_SHIFT, MAX_Q = 0x3FFF, 24, 15
LINEAR_Q = (38 - 128, 248 - 128)
MAX_CLASSES = 255
_MAGIC = b"MLP1"
_CELLS_A_BLOCK = 1_000_000  # (row, neuron) pairs at once: bounds the memory of `outputs`


@dataclass(frozen=True, eq=False)
class Layer:
    """weights int64 [neurons, inputs], bias and shift int64 [neurons]; q as a signed number."""

    kind: int
    q: int
    bias: IntArray
    shift: IntArray
    weights: IntArray

    def sums(self, acts: IntArray) -> IntArray:
        """Activations [n, inputs] -> [n, neurons]."""
        # In floats, for speed: every sum is below 2^53, so they are exact.
        total = (acts.astype(np.float64) @ self.weights.T.astype(np.float64)).astype(np.int64)
        return _half_up(total + self.bias, self.shift)


@dataclass(frozen=True, eq=False)
class Network:
    """A parsed file. low, gain, shift: int64 [n_features]."""

    low: IntArray
    gain: IntArray
    shift: IntArray
    weight_bits: int
    layers: tuple[Layer, ...]

    @property
    def n_features(self) -> int:
        return len(self.low)

    @property
    def n_outputs(self) -> int:
        return 2 if self.layers[-1].kind == LOGISTIC else len(self.layers[-1].bias)

    @property
    def capacities(self) -> list[int]:
        return []

    def describe(self) -> str:
        widths = "-".join(str(len(layer.bias)) for layer in self.layers)
        weights = sum(layer.weights.size for layer in self.layers)
        return (
            f"{counted(len(self.layers), 'layer')} ({widths} neurons), "
            f"{weights} weights of {self.weight_bits} bits"
        )

    def inputs(self, values: npt.NDArray[np.int16]) -> IntArray:
        """Features int16 [n, n_features] -> activations, same shape, not yet clipped."""
        return _half_up((values.astype(np.int64) - self.low) * self.gain, self.shift)

    def activations(self, values: npt.NDArray[np.int16]) -> list[IntArray]:
        """What each layer is given, before it is clipped, and the last layer's sums."""
        found = [self.inputs(values)]
        for layer in self.layers:
            sums = layer.sums(np.clip(found[-1], 0, TOP))
            found.append(_tanh(sums, layer.q) if layer.kind == TANH else sums)
        return found

    def outputs(self, values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """int16 [n, n_features] -> float32 [n, n_outputs], what the board puts into its array."""
        out = np.empty((len(values), self.n_outputs), dtype=np.float32)
        widest = max(self.n_features, *(len(layer.bias) for layer in self.layers))
        block = max(1, _CELLS_A_BLOCK // widest)
        for start in range(0, len(values), block):
            sums = self.activations(values[start : start + block])[-1]
            out[start : start + block] = finish(self.layers[-1], sums)
        return out


def finish(layer: Layer, sums: IntArray) -> npt.NDArray[np.float32]:
    """The last layer's sums [n, neurons] -> outputs float32 [n, n_outputs]."""
    if layer.kind == LINEAR:
        value: npt.NDArray[np.float32] = np.ldexp(sums.astype(np.float64), -layer.q).astype("f4")
        return value
    if layer.kind == LOGISTIC:
        sums = np.column_stack([np.zeros(len(sums), dtype=np.int64), sums])
    parts = exp2(sums.max(axis=1, keepdims=True) - sums, layer.q)
    # Parts are below 2^20 and their total below 2^28: rounded to double and then to single is
    # the same as rounded to single at once, which is what the board does.
    shares: npt.NDArray[np.float32] = (parts / parts.sum(axis=1, keepdims=True)).astype("f4")
    return shares


def exp2(x: IntArray, q: int) -> IntArray:
    """2^-(x / 2^q) in units of 2^-19, for x >= 0."""
    n = x >> q
    x = (x - (n << q)) << (MAX_Q - q)
    part = 32768 - (x * (22672 - (x * (7596 - (x * 1310 >> 15)) >> 15)) >> 15)
    found: IntArray = np.where(n > 19, 0, (part << 4) >> np.minimum(n, 20))
    return found


def _tanh(x: IntArray, q: int) -> IntArray:
    e = exp2(np.minimum(np.abs(x), 0x3FFFFFFF), q) >> 4
    y = (32768 - e) * 32767 // (32768 + e)
    found: IntArray = 32768 + np.where(x < 0, -y, y)
    return found


def _half_up(x: IntArray, shift: IntArray) -> IntArray:
    found: IntArray = (x + (1 << shift >> 1)) >> shift
    return found


def write(network: Network) -> bytes:
    """The file, checked as `parse` does."""
    size = network.weight_bits // 8
    zero = 1 << (network.weight_bits - 1)
    parts: list[Any] = [_MAGIC, struct.pack("<HBB", network.n_features, len(network.layers), size)]
    parts.append(np.column_stack([network.low + 32768, network.gain, network.shift]).astype("<u2"))
    for layer in network.layers:
        q = layer.q + 128 if layer.kind == LINEAR else layer.q
        parts.append(struct.pack("<HBB", len(layer.bias), layer.kind, q))
        bias = layer.bias & 0xFFFFFFFF
        parts.append(np.column_stack([bias & 0xFFFF, bias >> 16, layer.shift]).astype("<u2"))
        width = -(-layer.weights.shape[1] // 4) * 4
        rows = np.zeros((len(layer.bias), width), dtype=np.int64)
        rows[:, : layer.weights.shape[1]] = layer.weights
        parts.append((rows + zero).astype(f"<u{size}"))
    data = b"".join(part if isinstance(part, bytes) else part.tobytes() for part in parts)
    parse(data)
    return data


def parse(data: bytes) -> Network:
    """Read and check a file; ModelFileError for whatever the device refuses."""
    if len(data) <= 8 or data[:4] != _MAGIC:
        raise damaged("it does not begin as a network does")
    n, n_layers, size = struct.unpack_from("<HBB", data, 4)
    if size not in (1, 2) or not n_layers or not 0 < n <= WIDEST:
        raise damaged(f"{n} features, {n_layers} layers, weights of {size} bytes")
    reader = _Reader(data, 8)
    low, gain, shift = reader.table(n)
    within("gain", gain, 0, MAX_GAIN)
    within("shift", shift, 0, MAX_SHIFT)
    layers: list[Layer] = []
    width = n
    for i in range(n_layers):
        layers.append(_layer(reader, width, size, i == n_layers - 1))
        width = len(layers[-1].bias)
    if reader.at != len(data):
        raise damaged(f"{len(data) - reader.at} bytes are left over")
    return Network(low - 32768, gain, shift, 8 * size, tuple(layers))


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def table(self, rows: int) -> tuple[IntArray, IntArray, IntArray]:
        cells = self.take(3 * rows, "<u2").reshape(rows, 3)
        return cells[:, 0], cells[:, 1], cells[:, 2]

    def take(self, count: int, dtype: str) -> IntArray:
        end = self.at + count * np.dtype(dtype).itemsize
        if end > len(self.data):
            raise damaged("it is cut short")
        cells = np.frombuffer(self.data[self.at : end], dtype).astype(np.int64)
        self.at = end
        return cells


def _layer(reader: _Reader, inputs: int, size: int, is_last: bool) -> Layer:
    (head,) = reader.take(1, "<u4").tolist()
    neurons, kind, q = head & 0xFFFF, head >> 16 & 0xFF, head >> 24
    if not 0 < neurons <= WIDEST or (kind > TANH) != is_last or kind > LINEAR:
        raise damaged(f"a layer of {neurons} neurons of kind {kind}")
    if (kind == SOFTMAX and neurons > MAX_CLASSES + 1) or (kind == LOGISTIC and neurons != 1):
        raise damaged(f"{neurons} outputs of kind {kind}")
    q -= 128 if kind == LINEAR else 0
    lowest, highest = LINEAR_Q if kind == LINEAR else (0, MAX_Q)
    within("q", np.array([q]), lowest, highest)
    bias_low, bias_high, shift = reader.table(neurons)
    bias = ((bias_high ^ 0x8000) - 0x8000) * 65536 + bias_low
    least, most = {LINEAR: (0, 0), SOFTMAX: (2, MAX_SHIFT), LOGISTIC: (2, MAX_SHIFT)}.get(
        kind, (0, MAX_SHIFT)
    )
    within("shift", shift, least, most)
    width = -(-inputs // 4) * 4
    rows = reader.take(neurons * width, f"<u{size}").reshape(neurons, width)
    rows -= 1 << (8 * size - 1)
    within("sum", bias + TOP * np.maximum(rows, 0).sum(axis=1), -LIMIT + 1, LIMIT - 1)
    within("sum", bias + TOP * np.minimum(rows, 0).sum(axis=1), -LIMIT + 1, LIMIT - 1)
    within("spare weight", rows[:, inputs:], 0, 0)
    return Layer(kind, q, bias, shift, rows[:, :inputs])
