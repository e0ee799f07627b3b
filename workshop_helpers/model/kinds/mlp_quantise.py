"""From a network in floats to one in integers.

Activations are counted up to 65535 for twice the range of values seen while the rows of convert
pass through. Each neuron's weights are multiplied by a gain of its own, as large as 8 (or 16) bits
and a sum of 32 bits allow. Behind a clipped neuron any gain will do, because the next layer divides
by it; before a tanh and at the end it is a power of two, so that a shift can undo it. What rounding
the weights does to the average row is made up for by the bias.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .mlp_file import (
    CLIP,
    LIMIT,
    LINEAR,
    LINEAR_Q,
    LOGISTIC,
    MAX_GAIN,
    MAX_Q,
    MAX_SHIFT,
    SOFTMAX,
    TANH,
    TOP,
    IntArray,
    Layer,
    Network,
)

FloatArray = npt.NDArray[np.float64]
HEADROOM = 2.0
_SPREAD = 0.25  # a column is taken to vary at least by this share of its neighbours
_SUM_SHARE = 0.9  # of what a sum may reach; leaves room for the bias to be corrected
_MOST_CUT = 16  # gains are tried up to this many times the one that cuts no weight
_SAMPLE = 500  # rows looked at for that
_UNSEEN = 0.01 * TOP  # an activation is taken to vary by as much, even if it hardly does there
_PER_TANH = {"tanh": 2 / math.log(2), "logistic": 1 / math.log(2)}  # tanh(x) in powers of 2


@dataclass(frozen=True, eq=False)
class Floats:
    """A network in floats. weights[i] float64 [inputs, neurons], biases[i] float64 [neurons].

    hidden: "relu", "tanh", "logistic" or "identity"; output: SOFTMAX, LOGISTIC or LINEAR.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    hidden: str
    output: int
    classes: tuple[Any, ...] | None

    @property
    def n_features(self) -> int:
        return int(self.weights[0].shape[0])

    def sums(self, rows: FloatArray) -> list[FloatArray]:
        """What each layer adds up, before its activation: float64 [n, neurons] each."""
        found: list[FloatArray] = []
        acts = rows
        for weights, bias in zip(self.weights, self.biases, strict=True):
            found.append(acts @ weights + bias)
            acts = _activate(found[-1], self.hidden)
        return found

    def outputs(self, rows: FloatArray) -> FloatArray:
        """[n, n_features] -> shares [n, n_classes] or values [n, 1], as scikit-learn's."""
        last = self.sums(rows)[-1]
        if self.output == LINEAR:
            return last
        if self.output == LOGISTIC:
            last = np.column_stack([np.zeros(len(last)), last])
        parts = np.exp(last - last.max(axis=1, keepdims=True))
        shares: FloatArray = parts / parts.sum(axis=1, keepdims=True)
        return shares


def _activate(sums: FloatArray, hidden: str) -> FloatArray:
    if hidden == "relu":
        return np.maximum(sums, 0)
    if hidden == "identity":
        return sums
    found: FloatArray = np.tanh(sums) if hidden == "tanh" else 0.5 + 0.5 * np.tanh(sums / 2)
    return found


def quantise(
    floats: Floats,
    rows: FloatArray,
    values: npt.NDArray[np.int16],
    scale: tuple[float, ...],
    weight_bits: int,
) -> Network:
    """Integers for `rows` float64 [n, n_features], which the board sees as `values`.

    ModelError if a weight is out of reach.
    """
    low, gain, shift = _input_gains(values, np.asarray(scale))
    network = Network(low, gain, shift, weight_bits, ())
    by = gain / 2.0**shift
    # Rounding down takes half a unit away, on average, where there are fractions.
    lost = np.where((rows * scale != np.floor(rows * scale)).any(axis=0), 0.5, 0.0)
    per_act = 1 / (by * scale)  # x = act * per_act + at_zero
    at_zero = (low + lost) / np.asarray(scale)
    acts = np.clip(network.inputs(values), 0, TOP)
    exact = floats.sums(rows)
    layers: list[Layer] = []
    for i, (weights, bias) in enumerate(zip(floats.weights, floats.biases, strict=True)):
        is_last = i == len(floats.weights) - 1
        inner = _Neurons(
            (weights * per_act[:, None]).T, bias + at_zero @ weights, acts, weight_bits
        )
        if is_last:
            layers.append(inner.last(floats.output))
            break
        if floats.hidden in _PER_TANH:
            factor = _PER_TANH[floats.hidden]
            layer = inner.powers(TANH, factor)
            amplitude = 1.0 if floats.hidden == "tanh" else 0.5
            width = np.ones(len(layer.bias))
            per_act, at_zero = width * amplitude / 32767, width * (1 - amplitude)
            at_zero = at_zero - per_act * 32768
        else:
            layer, per_act, at_zero = inner.clipped(exact[i], floats.hidden == "relu")
        layers.append(layer)
        network = Network(low, gain, shift, weight_bits, tuple(layers))
        acts = np.clip(network.activations(values)[-1], 0, TOP)
    return Network(low, gain, shift, weight_bits, tuple(layers))


def _input_gains(
    values: npt.NDArray[np.int16], scale: FloatArray
) -> tuple[IntArray, IntArray, IntArray]:
    """For each feature (low, gain, shift), so that its values, and some more, spread over 0..TOP.

    A column that hardly varies may do so later, if others in the same units do.
    """
    least = values.min(axis=0).astype(np.float64)
    most = values.max(axis=0).astype(np.float64)
    spread = most - least
    for factor in set(scale.tolist()):
        same = scale == factor
        spread[same] = np.maximum(spread[same], _SPREAD * spread[same].max())
    spread = np.maximum(spread, 1.0) * HEADROOM
    low = np.floor(np.clip((least + most - spread) / 2, -32768, 32767))
    high = np.clip(low + spread + 1, -32768, 32767)
    by = np.minimum(TOP / np.maximum(high - low, 1), MAX_GAIN)
    shift = np.clip(np.floor(np.log2(MAX_GAIN / by)), 0, MAX_SHIFT)
    gain = np.floor(by * 2**shift)
    return low.astype(np.int64), gain.astype(np.int64), shift.astype(np.int64)


class _Neurons:
    """A layer's neurons on the way: weights float64 [neurons, inputs] for one unit of activation,

    bias float64 [neurons], acts int64 [n, inputs] as the board has them.
    """

    def __init__(
        self, weights: FloatArray, bias: FloatArray, acts: IntArray, weight_bits: int
    ) -> None:
        self.weights, self.bias = weights, bias
        self.top = 2 ** (weight_bits - 1) - 1
        self.mean = acts.mean(axis=0)
        self.sample = acts[:: -(-len(acts) // _SAMPLE)] - self.mean

    def gains(self, step: float, unit: float = 1.0, *, same: bool = False) -> FloatArray:
        """The best gain of each neuron, float64 [neurons]: those of step 2 are unit * 2^n.

        One large weight need not make all others coarse: from the gain that just keeps it within
        its bits, larger ones are tried, and the one taken whose sums err least over the rows, cut
        weights and all. `same`: one for all neurons.
        """
        above = np.maximum(self.weights, 0).sum(axis=1)
        below = np.minimum(self.weights, 0).sum(axis=1)
        reach = np.maximum(np.abs(self.bias + TOP * above), np.abs(self.bias + TOP * below))
        with np.errstate(divide="ignore"):
            by_weight = self.top / np.abs(self.weights).max(axis=1)
            by_sum = _SUM_SHARE * LIMIT / np.maximum(reach, np.abs(self.bias))
        gain = np.minimum(np.minimum(by_weight, by_sum), 2.0**100)
        if not np.isfinite(gain).all() or (gain <= 0).any():
            raise ModelError("A weight of the network is not a finite number.", _RETRAIN)
        if step == 2:
            gain = unit * np.exp2(np.floor(np.log2(gain / unit)))
        if same:
            gain = np.full_like(gain, gain.min())
            by_sum = np.full_like(gain, by_sum.min())
        best: FloatArray = gain
        least = self._error(gain, same)
        for _ in range(round(math.log(_MOST_CUT, step))):
            gain = gain * step
            error = np.where(gain <= by_sum, self._error(gain, same), np.inf)
            best = np.where(error < least, gain, best)
            least = np.minimum(error, least)
        return best

    def _error(self, gain: FloatArray, same: bool) -> FloatArray:
        """Mean square of what rounded and cut weights make of the sums, float64 [neurons]."""
        exact = self.weights * gain[:, None]
        lost = exact - np.clip(np.rint(exact), -self.top, self.top)
        error = np.empty(len(gain))
        error[:] = np.square(self.sample @ lost.T / gain).mean(axis=0)
        error += np.square(lost / gain[:, None] * _UNSEEN).sum(axis=1)
        found: FloatArray = np.full(len(error), error.sum()) if same else error
        return found

    def clipped(self, exact: FloatArray, is_relu: bool) -> tuple[Layer, FloatArray, FloatArray]:
        """A layer that clips, and what an activation is worth: value = act * per_act + at_zero."""
        most = exact.max(axis=0)
        least = np.zeros(len(most)) if is_relu else exact.min(axis=0)
        spread = most - least
        spread = np.maximum(spread, max(float(spread.max()) / 8, 1e-30)) * HEADROOM
        at_zero = least if is_relu else (least + most - spread) / 2
        self.bias = self.bias - at_zero
        gain = self.gains(math.sqrt(2))
        shift = np.clip(np.ceil(np.log2(gain * spread / TOP)), 0, MAX_SHIFT)
        gain = np.minimum(gain, TOP * 2.0**shift / spread)
        layer = self._rounded(CLIP, 0, shift.astype(np.int64), gain)
        return layer, 2.0**shift / gain, at_zero

    def last(self, output: int) -> Layer:
        if output != LINEAR:
            return self.powers(output, 1 / math.log(2), 2)
        gain = np.clip(self.gains(2, same=True), 2.0 ** LINEAR_Q[0], 2.0 ** LINEAR_Q[1])
        power = int(np.log2(gain[0]))
        return self._rounded(LINEAR, power, np.zeros(len(gain), dtype=np.int64), gain)

    def powers(self, kind: int, factor: float, least_shift: int = 0) -> Layer:
        """A layer whose gains are factor * 2^(q + shift), with one q."""
        power = np.rint(np.log2(self.gains(2, factor) / factor)).astype(np.int64)
        q = min(int(power.min()) - least_shift, MAX_Q)
        if q < 0:
            raise ModelError("A weight of the network is too large for 32-bit sums.", _RETRAIN)
        shift = np.minimum(power - q, MAX_SHIFT)
        gain: FloatArray = factor * 2.0 ** (q + shift).astype(np.float64)
        return self._rounded(kind, q, shift, gain)

    def _rounded(self, kind: int, q: int, shift: IntArray, gain: FloatArray) -> Layer:
        exact = self.weights * gain[:, None]
        weights = np.clip(np.rint(exact), -self.top, self.top)
        bias = np.rint(self.bias * gain + (exact - weights) @ self.mean)
        return Layer(kind, q, bias.astype(np.int64), shift, weights.astype(np.int64))


_RETRAIN = "Train on scaled features (a StandardScaler in a pipeline), or with a larger alpha."
__all__ = ["LINEAR", "LOGISTIC", "SOFTMAX", "Floats", "quantise"]
