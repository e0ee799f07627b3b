"""Gaussian mixtures and elliptic envelopes: model.bin, run by emlearn_gmm.

What the board answers is chosen by convert's `answer` and `threshold`:

- "score": the estimator's score_samples, one value. A GaussianMixture's default.
- a threshold: -1 (anomaly) or 1 (normal), as scikit-learn's outlier detectors say; the one output
  is the score minus the threshold. An EllipticEnvelope's default, with its own offset_.
- "label": the likeliest component of a GaussianMixture; the outputs are the components'
  log-likelihoods, weights included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, UnsupportedEstimatorError
from .. import features as feature_rules
from ..causes import OTHER_ESTIMATOR, OVERFLOW, ROUNDING, UNEXPLAINED, Rows
from ..tables import counted
from .base import (
    Converted,
    FloatArray,
    Kind,
    Options,
    refuse_voting,
    refuse_weight_bits,
    scale_rule,
)
from .gaussians import (
    DIAGONAL,
    HALF,
    MOST,
    WHOLE,
    FixedGaussians,
    Gaussians,
    align,
    as_float32,
    parse,
    rounded_features,
)
from .pipelines import Folded, fold, last_step

if TYPE_CHECKING:
    from ..answers import Answers
    from ..device_model import DeviceModel

_MAGIC = b"EGM1"
_LOG_ADD_ERROR = 2.0**-12  # for each component but the first
_ROOM = 6.0  # standard deviations from the mean that automatic scales leave room for
# log(1 + exp(-d)) * 2**16 at d = 0, 1/4, 2/4, ..., as the module has it.
_TABLE = np.rint(np.log1p(np.exp(-np.arange(42) / 4)) * 2**16).astype(np.int64)
ANOMALY_CLASSES = (-1, 1)


@dataclass(frozen=True, eq=False)
class Source:
    """In the units of X. `offset`: the estimator's own threshold, None for a mixture."""

    gaussians: Gaussians
    offset: float | None

    @property
    def n_features(self) -> int:
        return self.gaussians.n_features

    @property
    def classes(self) -> tuple[Any, ...] | None:
        return None

    def scores(self, rows: FloatArray) -> FloatArray:
        """score_samples in floats: [n, n_features] -> [n]."""
        return _log_sum(self.gaussians.loglik(rows))


@dataclass(frozen=True, eq=False)
class HostMixture:
    """The file with the arithmetic of emlearn_gmm."""

    fixed: FixedGaussians

    @property
    def n_features(self) -> int:
        return self.fixed.n_features

    @property
    def n_outputs(self) -> int:
        return self.fixed.n_components if self.fixed.each else 1

    @property
    def capacities(self) -> list[int]:
        return []

    def describe(self) -> str:
        shape = "diagonal" if self.fixed.layout == DIAGONAL else "full"
        return f"{counted(self.fixed.n_components, 'Gaussian')} ({shape})"

    def outputs(self, values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        costs, e = self.fixed.costs(values)
        if self.fixed.each:
            return as_float32(costs, e, self.fixed.unit)
        total, total_e = costs[:, 0], e[:, 0]
        for c in range(1, self.fixed.n_components):
            near = (e[:, c] == 0) & (total_e == 0)
            mine, theirs = align(costs[:, c], e[:, c], total, total_e)
            wins = mine < theirs
            summed = _log_add(np.where(near, total, 0), np.where(near, costs[:, c], 0))
            total = np.where(near, summed, np.where(wins, costs[:, c], total))
            total_e = np.where(wins & ~near, e[:, c], total_e)
        return as_float32(total, total_e, self.fixed.unit)[:, None]

    def bound(self, values: npt.NDArray[np.int16], exact: bool) -> FloatArray:
        """How far each output may be from scikit-learn's, [n, n_outputs]; see FixedGaussians."""
        loglik = self.fixed.loglik(values).astype(np.float64)
        off = self.fixed.bound(values, exact)
        if self.fixed.each:
            return np.asarray(off + np.abs(loglik) * 2.0**-24)
        k = self.fixed.n_components
        total = _log_sum(loglik)
        found = np.maximum(_log_sum(loglik + off) - total, total - _log_sum(loglik - off))
        found += (k - 1) * _LOG_ADD_ERROR + np.abs(total) * 2.0**-24
        # Far out the likeliest component counts alone.
        found += np.where(self.fixed.costs(values)[1].min(axis=1) > 0, np.log(k), 0)
        return np.asarray(found[:, None])


class Mixtures(Kind):
    name = "gmm"
    module = "emlearn_gmm"
    supported = ("GaussianMixture", "EllipticEnvelope")

    def reads(self, estimator: Any) -> bool:
        from sklearn.covariance import EllipticEnvelope
        from sklearn.mixture import GaussianMixture

        return isinstance(last_step(estimator), GaussianMixture | EllipticEnvelope)

    def read(self, estimator: Any) -> Source:
        folded = fold(estimator)
        mixture = hasattr(folded.final, "precisions_cholesky_")
        source = _read_mixture(folded) if mixture else _read_envelope(folded)
        if max(source.gaussians.means.shape) > MOST:
            raise UnsupportedEstimatorError(
                f"The estimator has {len(source.gaussians.means)} components of {source.n_features}"
                f" features; a board's mixture takes up to {MOST} of each.",
                "Choose fewer of them.",
            )
        return source

    def classes(self, source: Any, options: Options) -> tuple[Any, ...] | None:
        answer, has_threshold = _answer(cast(Source, source), options)
        if has_threshold:
            return ANOMALY_CLASSES
        return tuple(range(len(source.gaussians.means))) if answer == "label" else None

    def convert(self, source: Any, rows: FloatArray, options: Options) -> Converted:
        refuse_voting(options)
        refuse_weight_bits(options)
        read = cast(Source, source)
        answer, has_threshold = _answer(read, options)
        n = read.n_features
        largest = np.abs(rows.mean(axis=0)) + _ROOM * rows.std(axis=0)
        scales = feature_rules.choose_scale(rows, largest, options.scale, np.ones(n, dtype=bool))
        rounded = rounded_features(rows, scales)
        metadata: dict[str, Any] = {
            "scale_rule": scale_rule(options.scale, scales),
            "rounded": "".join("01"[cut] for cut in rounded.astype(int)),
        }
        if has_threshold:
            metadata["threshold"] = _threshold(read, rows, options.threshold)
        data = _pack(read, scales, ~rounded, metadata.get("threshold"), answer == "label")
        values = feature_rules.quantise(rows, scales)[0]
        bound = self.parse(data).bound(values, not rounded.any())
        metadata["error_bound"] = metadata["error_bound_single"] = float(bound.max())
        task = "classification" if has_threshold or answer == "label" else "regression"
        return Converted(data, task, scales, metadata=metadata)

    def parse(self, data: bytes) -> HostMixture:
        return HostMixture(parse(data, _MAGIC, self.module))

    def labels(self, estimator: Any, model: DeviceModel) -> tuple[Any, ...]:
        """scikit-learn's labels: -1 and 1, or the numbers of the components."""
        is_anomaly = "threshold" in model.metadata
        return ANOMALY_CLASSES if is_anomaly else tuple(range(len(model.classes)))

    def reference(
        self, estimator: Any, X: Any, model: DeviceModel
    ) -> tuple[npt.NDArray[Any], FloatArray | None]:
        if "threshold" in model.metadata:
            margin = np.asarray(estimator.score_samples(X)) - model.metadata["threshold"]
            return np.where(margin >= 0, 1, -1), margin[:, None]
        if model.task == "regression":
            return np.asarray(estimator.score_samples(X)), None
        rows = feature_rules.as_rows(X)
        return np.asarray(estimator.predict(X)), self.read(estimator).gaussians.loglik(rows)

    def is_source(self, estimator: Any, model: DeviceModel) -> bool:
        rounded = np.array([digit == "1" for digit in model.metadata.get("rounded", "")])
        source = self.read(estimator)
        if len(rounded) != source.n_features:
            return False
        fixed = cast(HostMixture, model.host).fixed
        threshold = model.metadata.get("threshold")
        again = self.parse(_pack(source, model.scale, ~rounded, threshold, fixed.each))
        return again.fixed.is_near(fixed)

    def causes(
        self, answers: Answers, rows: Rows, estimator: Any, which: npt.NDArray[np.int64]
    ) -> list[str]:
        model = answers.model
        if not self.is_source(estimator, model):
            return [OTHER_ESTIMATOR] * len(which)
        exact = "1" not in model.metadata["rounded"]
        bound = cast(HostMixture, model.host).bound(rows.values[which], exact)
        named = []
        for row, off in zip(which.tolist(), bound, strict=True):
            reach = off[0]
            if len(off) > 1:
                reach = off[int(answers.expected[row])] + off[int(answers.device[row])]
            if rows.clipped[row].any():
                named.append(OVERFLOW)
            else:
                named.append(ROUNDING if answers.gap(row) <= reach else UNEXPLAINED)
        return named


def _answer(source: Source, options: Options) -> tuple[str, bool]:
    """("score" or "label", whether there is a threshold); ModelError for what makes no sense."""
    answer, threshold = options.answer, options.threshold
    if answer not in ("auto", "score", "label"):
        raise ModelError(f"answer={answer!r} is unknown.", "Use 'auto', 'score' or 'label'.")
    if answer == "score" and threshold is not None:
        raise ModelError("A score has no threshold.", "Leave out threshold=, or answer='score'.")
    if answer == "auto":
        answer = "score" if threshold is None and source.offset is None else "label"
    has_threshold = answer == "label" and (threshold is not None or source.offset is not None)
    return answer, has_threshold


def _threshold(source: Source, rows: FloatArray, asked: Any) -> float:
    """The score below which a row is an anomaly: the estimator's, a number, or a percentile."""
    if asked is None and source.offset is not None:
        return source.offset
    try:
        if isinstance(asked, str) and asked.endswith("%"):
            share = float(asked[:-1])
            if 0 <= share <= 100:
                return float(np.percentile(source.scores(rows), share))
        elif not isinstance(asked, str | bool) and np.isfinite(asked):
            return float(asked)
    except (TypeError, ValueError):
        pass
    raise ModelError(
        f"threshold={asked!r} is neither a score nor a share of X.",
        "Use a number in the units of score_samples, or '1%' to call that share of X anomalies.",
    )


def _pack(
    source: Source,
    scale: tuple[float, ...],
    exact: npt.NDArray[np.bool_],
    threshold: float | None,
    each: bool,
) -> bytes:
    read = source.gaussians
    constants = read.constants - (threshold or 0.0)
    each = each and threshold is None
    found = Gaussians(constants, read.means, read.factors, read.unit, each)
    return found.pack(_MAGIC, scale, exact)


def _read_mixture(folded: Folded) -> Source:
    mixture = folded.final
    n = mixture.means_.shape[1]
    factors = np.asarray(mixture.precisions_cholesky_, dtype=np.float64)
    kind = mixture.covariance_type
    if kind == "spherical":
        factors = np.repeat(factors[:, None], n, axis=1)
    elif kind == "tied":
        factors = factors[None]
    diagonal = factors if factors.ndim == 2 else np.diagonal(factors, axis1=1, axis2=2)
    log_det = np.log(diagonal).sum(axis=1)
    with np.errstate(divide="ignore"):
        constants = np.log(mixture.weights_) + log_det - n / 2 * np.log(2 * np.pi)
    return Source(_unfolded(folded, constants, mixture.means_, factors, HALF), None)


def _read_envelope(folded: Folded) -> Source:
    envelope = folded.final
    try:
        # The factor is a triangle with zeros below the diagonal: a Cholesky factor from the end.
        precision = np.asarray(envelope.get_precision(), dtype=np.float64)
        factor = np.linalg.cholesky(precision[::-1, ::-1])[::-1, ::-1]
    except np.linalg.LinAlgError:
        raise UnsupportedEstimatorError(
            "The envelope's covariance is singular: a feature follows from the others.",
            "Leave such features out, or use more rows than features.",
        ) from None
    location = np.asarray(envelope.location_, dtype=np.float64)[None]
    found = _unfolded(
        folded, np.zeros(1), location, np.asarray(factor[None], dtype=np.float64), WHOLE
    )
    return Source(found, float(envelope.offset_))


def _unfolded(
    folded: Folded, constants: FloatArray, means: Any, factors: FloatArray, unit: int
) -> Gaussians:
    """Components that see x * factor + offset as components that see x."""
    by = folded.factor if factors.ndim == 2 else folded.factor[:, None]
    unscaled = (np.asarray(means, dtype=np.float64) - folded.offset) / folded.factor
    return Gaussians(constants, unscaled, factors * by, unit)


def _log_sum(loglik: FloatArray) -> FloatArray:
    largest = loglik.max(axis=1)
    return np.asarray(largest + np.log(np.exp(loglik - largest[:, None]).sum(axis=1)))


def _log_add(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The cost of both together, in the module's integers."""
    d = np.abs(a - b)
    i = np.minimum(d >> 11, 39)
    f0, f1, f2 = _TABLE[i], _TABLE[i + 1], _TABLE[i + 2]
    t = d & 2047
    bend = (t * (t - 2048) >> 12) * (f2 - f1 - (f1 - f0)) >> 11
    less = (f0 + (t * (f1 - f0) >> 11) + bend + 4) >> 3
    return np.asarray(np.minimum(a, b) - np.where(d >> 11 < 40, less, 0))
