"""Gaussian mixtures and elliptic envelopes: model.bin, run by emlearn_gmm.

What the board answers is chosen by convert's `answer` and `threshold`:

- "score": the estimator's score_samples, one value. A GaussianMixture's default.
- a threshold: -1 (anomaly) or 1 (normal), as scikit-learn's outlier detectors say; the one output
  is the score minus the threshold. An EllipticEnvelope's default, with its own offset_.
- "label": the likeliest component of a GaussianMixture; the outputs are the components'
  log-likelihoods, weights included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .. import features as feature_rules
from ..causes import OTHER_ESTIMATOR, OVERFLOW, ROUNDING, UNEXPLAINED, Rows
from .base import (
    Converted,
    FloatArray,
    Kind,
    Options,
    refuse_voting,
    refuse_weight_bits,
    scale_rule,
)
from .fixed_gaussians import parse
from .gaussians import Gaussians, rounded_features
from .mixture_host import HostMixture
from .mixture_source import Source, read
from .pipelines import last_step

if TYPE_CHECKING:
    from ..answers import Answers
    from ..device_model import DeviceModel

_MAGIC = b"EGM1"
_ROOM = 6.0  # standard deviations from the mean that automatic scales leave room for
ANOMALY_CLASSES = (-1, 1)


class Mixtures(Kind):
    name = "gmm"
    module = "emlearn_gmm"
    supported = ("GaussianMixture", "EllipticEnvelope")

    def reads(self, estimator: Any) -> bool:
        from sklearn.covariance import EllipticEnvelope
        from sklearn.mixture import GaussianMixture

        return isinstance(last_step(estimator), GaussianMixture | EllipticEnvelope)

    def read(self, estimator: Any) -> Source:
        return read(estimator)

    def classes(self, source: Any, options: Options) -> tuple[Any, ...] | None:
        answer, has_threshold = _answer(cast(Source, source), options)
        if has_threshold:
            return ANOMALY_CLASSES
        return tuple(range(len(source.gaussians.means))) if answer == "label" else None

    def convert(self, source: Any, rows: FloatArray, options: Options) -> Converted:
        refuse_voting(options)
        refuse_weight_bits(options)
        mixture = cast(Source, source)
        answer, has_threshold = _answer(mixture, options)
        largest = np.abs(rows.mean(axis=0)) + _ROOM * rows.std(axis=0)
        scales = mixture.gaussians.choose_scale(rows, largest, options.scale)
        rounded = rounded_features(rows, scales)
        metadata: dict[str, Any] = {
            "scale_rule": scale_rule(options.scale, scales),
            "rounded": "".join("01"[cut] for cut in rounded.astype(int)),
        }
        if has_threshold:
            metadata["threshold"] = _threshold(mixture, rows, options.threshold)
        data = _pack(mixture, scales, ~rounded, metadata.get("threshold"), answer == "label")
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
        return np.asarray(estimator.predict(X)), read(estimator).gaussians.loglik(rows)

    def is_source(self, estimator: Any, model: DeviceModel) -> bool:
        rounded = np.array([digit == "1" for digit in model.metadata.get("rounded", "")])
        source = read(estimator)
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
