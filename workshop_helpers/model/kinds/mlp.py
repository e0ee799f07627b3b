"""Neural networks of scikit-learn: model.bin, run by emlearn_mlp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, UnsupportedEstimatorError
from .. import features as feature_rules
from ..causes import CLIPPED, OTHER_ESTIMATOR, OVERFLOW, ROUNDING, UNEXPLAINED, Rows
from ..estimators import plain_label
from . import mlp_file
from .base import Converted, FloatArray, Kind, Options, refuse_voting, scale_rule
from .mlp_quantise import LINEAR, LOGISTIC, SOFTMAX, Floats, quantise
from .pipelines import fold, last_step

if TYPE_CHECKING:
    from ..answers import Answers
    from ..device_model import DeviceModel

_OUTPUTS = {"softmax": SOFTMAX, "logistic": LOGISTIC, "identity": LINEAR}
_HIDDEN = ("relu", "tanh", "logistic", "identity")
_LOOSEST = 0.15  # of a share, or of a regression's standard deviation
_MARGIN = 3.0  # the stated bound is this many times the largest error seen
_SAME_DIRECTION = 0.95  # cosine; 8-bit weights keep 0.99, two trainings hardly 0.5
_TABLE_ERROR = 0.0002  # of a share, by the board's powers of two
_SMALLEST = 2.0**-19  # the smallest share a board tells from none
_SMALLEST_SEEN = 1e-3  # smaller shares say little about errors: they have few bits


class Networks(Kind):
    name = "mlp"
    module = "emlearn_mlp"
    supported = ("MLPClassifier", "MLPRegressor")

    def reads(self, estimator: Any) -> bool:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        return isinstance(last_step(estimator), MLPClassifier | MLPRegressor)

    def read(self, estimator: Any) -> Floats:
        folded = fold(estimator)
        net = folded.final
        classes = getattr(net, "classes_", None)
        output = _OUTPUTS.get(net.out_activation_)
        if output is None or net.activation not in _HIDDEN:
            raise UnsupportedEstimatorError(
                f"There is no conversion for a network with {net.activation} inside and "
                f"{net.out_activation_} at the end.",
                f"Inside: {', '.join(_HIDDEN)}; at the end: {', '.join(_OUTPUTS)}.",
            )
        if net.n_outputs_ != 1 and output != SOFTMAX:
            raise UnsupportedEstimatorError(
                f"The estimator has {net.n_outputs_} outputs; a board's model has one.",
                "Fit one estimator for each column of y and convert each.",
            )
        labels = None if classes is None else tuple(plain_label(c) for c in classes)
        if labels is not None and not 2 <= len(labels) <= mlp_file.MAX_CLASSES:
            raise UnsupportedEstimatorError(
                f"The estimator has {len(labels)} classes; a network's file holds 2 to "
                f"{mlp_file.MAX_CLASSES}.",
                "Merge rare classes before training."
                if len(labels) > 1
                else "Train on rows of two classes or more.",
            )
        weights = [np.asarray(w, dtype=np.float64) for w in net.coefs_]
        biases = [np.asarray(b, dtype=np.float64) for b in net.intercepts_]
        widest = max(w.shape[i] for w in weights for i in (0, 1))
        if widest > mlp_file.WIDEST or len(weights) > 255:
            raise UnsupportedEstimatorError(
                f"{len(weights)} layers of up to {widest} neurons; a file holds 255 layers of "
                f"{mlp_file.WIDEST}.",
                "Train a smaller network.",
            )
        biases[0] = biases[0] + folded.offset @ weights[0]
        weights[0] = weights[0] * folded.factor[:, None]
        return Floats(tuple(weights), tuple(biases), net.activation, output, labels)

    def convert(self, source: Any, rows: FloatArray, options: Options) -> Converted:
        floats = cast(Floats, source)
        refuse_voting(options)
        if options.weight_bits not in ("auto", 8, 16):
            raise ModelError(f"weight_bits={options.weight_bits!r}.", "Use 'auto', 8 or 16.")
        used = np.asarray(floats.weights[0].any(axis=1))
        scales = feature_rules.choose_scale(rows, np.zeros(floats.n_features), options.scale, used)
        values = feature_rules.quantise(rows, scales)[0]
        exact = floats.outputs(rows)
        for bits in (8, 16) if options.weight_bits == "auto" else (options.weight_bits,):
            network = quantise(floats, rows, values, scales, bits)
            outputs = network.outputs(values).astype(np.float64)
            bounds = _bounds(exact, outputs, floats.output)
            if bounds["error_bound"] <= _loosest(exact, floats.output):
                break
        metadata = {
            "scale_rule": scale_rule(options.scale, scales),
            "weight_bits": network.weight_bits,
            **bounds,
        }
        task = "regression" if floats.classes is None else "classification"
        return Converted(mlp_file.write(network), task, scales, metadata=metadata)

    def parse(self, data: bytes) -> mlp_file.Network:
        return mlp_file.parse(data)

    def is_source(self, estimator: Any, model: DeviceModel) -> bool:
        """Whether most of the first layer's neurons point the same way."""
        floats = self.read(estimator)
        network = cast(mlp_file.Network, model.host)
        widths = [len(layer.bias) for layer in network.layers]
        if [w.shape[1] for w in floats.weights] != widths:
            return False
        found = network.layers[0].weights.astype(np.float64)
        by = network.gain / 2.0**network.shift * np.asarray(model.scale)
        wanted = (floats.weights[0] / np.maximum(by, 1e-300)[:, None]).T
        inside = np.abs(found) < 2 ** (network.weight_bits - 1) - 1  # the others may be cut
        found, wanted = found * inside, wanted * inside
        sizes = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
        alike = (found * wanted).sum(axis=1)[sizes > 0] / sizes[sizes > 0]
        return not len(alike) or float(np.median(alike)) >= _SAME_DIRECTION

    def causes(
        self, answers: Answers, rows: Rows, estimator: Any, which: npt.NDArray[np.int64]
    ) -> list[str]:
        model = answers.model
        if not self.is_source(estimator, model):
            return [OTHER_ESTIMATOR] * len(which)
        beyond = _beyond(cast(mlp_file.Network, model.host), rows.values[which])
        named = []
        for row, is_beyond in zip(which.tolist(), beyond.tolist(), strict=True):
            if rows.clipped[row].any():
                named.append(OVERFLOW)
            elif is_beyond:
                named.append(CLIPPED)
            else:
                named.append(ROUNDING if _is_near(answers, row) else UNEXPLAINED)
        return named


def _bounds(exact: FloatArray, outputs: FloatArray, output: int) -> dict[str, float]:
    """How far the board may be from scikit-learn: `_MARGIN` times the largest error seen.

    error_bound: of an output. For shares it follows from log_bound, that of ln(share / share) of
    any two classes, which is much the same for sure and for unsure rows.
    """
    if output == LINEAR:
        return {"error_bound": _MARGIN * float(np.abs(outputs - exact).max())}
    error = np.log(np.maximum(outputs, _SMALLEST)) - np.log(np.maximum(exact, _SMALLEST))
    error[exact < _SMALLEST_SEEN] = 0
    log_bound = _MARGIN * float(np.ptp(error, axis=1).max())
    return {"error_bound": math.tanh(log_bound / 4) + _TABLE_ERROR, "log_bound": log_bound}


def _is_near(answers: Answers, row: int) -> bool:
    """Whether scikit-learn's margin is within the stated bound."""
    if answers.is_regression:
        return False
    shares = np.maximum(answers.sureness[row], _SMALLEST)
    margin = math.log(shares[answers.expected[row]] / shares[answers.device[row]])
    return margin <= float(answers.model.metadata.get("log_bound", 0.0)) + 4 * _TABLE_ERROR


def _loosest(exact: FloatArray, output: int) -> float:
    """The largest stated bound for which 8-bit weights are thought good enough."""
    return _LOOSEST * (float(exact.std()) if output == LINEAR else 1.0)


def _beyond(network: mlp_file.Network, values: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """The rows in which a feature or an inner value is clipped at the top, bool [n]."""
    acts = network.activations(values)
    beyond = np.asarray((acts[0] < 0).any(axis=1))
    for inner in acts[:-1]:
        beyond = beyond | np.asarray((inner > mlp_file.TOP).any(axis=1))
    return beyond
