"""Gaussian naive Bayes: model.bin, run by emlearn_bayes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import ModelFileError, UnsupportedEstimatorError
from .. import features as feature_rules
from ..causes import OTHER_ESTIMATOR, OVERFLOW, ROUNDING, UNEXPLAINED, Rows
from ..estimators import plain_label
from .base import (
    Converted,
    FloatArray,
    Kind,
    Options,
    refuse_voting,
    refuse_weight_bits,
    scale_rule,
)
from .fixed_gaussians import DIAGONAL, HALF, MOST, FixedGaussians, align, parse
from .gaussians import Gaussians, rounded_features
from .pipelines import fold, last_step

if TYPE_CHECKING:
    from ..answers import Answers
    from ..device_model import DeviceModel

_MAGIC = b"ENB1"
_SHARE_ERROR = 2.0**-13  # of the exponentials and the division; measured: 0.7 * 2**-13


@dataclass(frozen=True, eq=False)
class Source:
    gaussians: Gaussians
    classes: tuple[Any, ...]

    @property
    def n_features(self) -> int:
        return self.gaussians.n_features


@dataclass(frozen=True, eq=False)
class HostBayes:
    """The file with the arithmetic of emlearn_bayes; outputs are the classes' probabilities."""

    fixed: FixedGaussians

    @property
    def n_features(self) -> int:
        return self.fixed.n_features

    @property
    def n_outputs(self) -> int:
        return self.fixed.n_components

    @property
    def capacities(self) -> list[int]:
        return []

    def describe(self) -> str:
        return f"{self.n_outputs} Gaussian classes"

    def outputs(self, values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        costs, e = self.fixed.costs(values)
        best, best_e = costs[:, 0], e[:, 0]
        for c in range(1, self.n_outputs):
            mine, theirs = align(costs[:, c], e[:, c], best, best_e)
            wins = mine < theirs
            best, best_e = np.where(wins, costs[:, c], best), np.where(wins, e[:, c], best_e)
        mine, theirs = align(costs, e, best[:, None], best_e[:, None])
        shares = _exp(mine - theirs, np.maximum(e, best_e[:, None]))
        proportions: npt.NDArray[np.float32] = (shares / shares.sum(axis=1, keepdims=True)).astype(
            np.float32
        )
        return proportions

    def bound(self, values: npt.NDArray[np.int16], exact: bool) -> FloatArray:
        """How far each output may be from scikit-learn's, [n, n_outputs]; see FixedGaussians."""
        loglik = self.fixed.loglik(values).astype(np.float64)
        off = self.fixed.bound(values, exact)
        shares = _softmax(loglik)
        found = np.empty_like(shares)
        for c in range(self.n_outputs):
            for sign in (1, -1):
                moved = loglik - sign * off
                moved[:, c] = loglik[:, c] + sign * off[:, c]
                apart = np.abs(_softmax(moved)[:, c] - shares[:, c])
                found[:, c] = apart if sign == 1 else np.maximum(found[:, c], apart)
        return np.asarray(found + _SHARE_ERROR)


class Bayes(Kind):
    name = "bayes"
    module = "emlearn_bayes"
    supported = ("GaussianNB",)

    def reads(self, estimator: Any) -> bool:
        from sklearn.naive_bayes import GaussianNB

        return isinstance(last_step(estimator), GaussianNB)

    def read(self, estimator: Any) -> Source:
        folded = fold(estimator)
        final = folded.final
        classes = tuple(plain_label(c) for c in final.classes_)
        if max(len(classes), folded.n_features) > MOST:
            raise UnsupportedEstimatorError(
                f"The estimator has {folded.n_features} features and {len(classes)} classes; a "
                f"board's naive Bayes takes up to {MOST} of each.",
                "Choose fewer features, or merge rare classes.",
            )
        unseen = [label for label, p in zip(classes, final.class_prior_, strict=True) if not p > 0]
        if unseen:
            raise UnsupportedEstimatorError(
                f"The class {unseen[0]!r} has a prior of 0: the estimator never answers it.",
                "Fit with rows and a prior for each class, or without that class.",
            )
        spread = np.sqrt(np.asarray(final.var_, dtype=np.float64))
        if not (spread > 0).all():
            which = int(np.argmin((spread > 0).all(axis=0)))
            raise UnsupportedEstimatorError(
                f"Feature {which} has no variance in a class: scikit-learn divides by 0 there.",
                "Leave that feature out, or fit with a larger var_smoothing.",
            )
        constants = np.log(final.class_prior_) - np.log(spread * np.sqrt(2 * np.pi)).sum(axis=1)
        means = (np.asarray(final.theta_, dtype=np.float64) - folded.offset) / folded.factor
        return Source(Gaussians(constants, means, folded.factor / spread), classes)

    def convert(self, source: Any, rows: FloatArray, options: Options) -> Converted:
        refuse_voting(options)
        refuse_weight_bits(options)
        gaussians = cast(Source, source).gaussians
        largest = np.abs(gaussians.means).max(axis=0)
        scales = gaussians.choose_scale(rows, largest, options.scale)
        rounded = rounded_features(rows, scales)
        data = gaussians.pack(_MAGIC, scales, ~rounded)
        values = feature_rules.quantise(rows, scales)[0]
        metadata = {
            "scale_rule": scale_rule(options.scale, scales),
            "rounded": "".join("01"[cut] for cut in rounded.astype(int)),
            "error_bound": float(self.parse(data).bound(values, not rounded.any()).max()),
        }
        return Converted(data, "classification", scales, metadata=metadata)

    def parse(self, data: bytes) -> HostBayes:
        fixed = parse(data, _MAGIC, self.module)
        if fixed.layout != DIAGONAL or fixed.each or fixed.unit != HALF:
            raise ModelFileError("model.bin: bad head.", "Convert the estimator again.")
        return HostBayes(fixed)

    def reference(
        self, estimator: Any, X: Any, model: DeviceModel
    ) -> tuple[npt.NDArray[Any], FloatArray | None]:
        rows = feature_rules.as_rows(X)
        return np.asarray(estimator.predict(X)), self.read(estimator).gaussians.loglik(rows)

    def is_source(self, estimator: Any, model: DeviceModel) -> bool:
        rounded = np.array([digit == "1" for digit in model.metadata.get("rounded", "")])
        gaussians = self.read(estimator).gaussians
        if len(rounded) != gaussians.n_features:
            return False
        again = parse(gaussians.pack(_MAGIC, model.scale, ~rounded), _MAGIC, self.module)
        return again.is_near(cast(HostBayes, model.host).fixed)

    def causes(
        self, answers: Answers, rows: Rows, estimator: Any, which: npt.NDArray[np.int64]
    ) -> list[str]:
        model = answers.model
        if not self.is_source(estimator, model):
            return [OTHER_ESTIMATOR] * len(which)
        exact = "1" not in model.metadata["rounded"]
        bound = cast(HostBayes, model.host).fixed.bound(rows.values[which], exact)
        named = []
        for row, off in zip(which.tolist(), bound, strict=True):
            # The gap is one of log-likelihoods: both sides of it may be off.
            reach = off[answers.expected[row]] + off[answers.device[row]]
            if rows.clipped[row].any():
                named.append(OVERFLOW)
            else:
                named.append(ROUNDING if answers.gap(row) <= reach else UNEXPLAINED)
        return named


def _exp(d: npt.NDArray[np.int64], e: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """exp(-d * 2**(e - 13)) * 2**20 in the module's integers; d <= 0 counts as 0."""
    near = (e <= 17) & (d < 1 << (17 - np.minimum(e, 17)))
    z = np.where(near, np.maximum(d, 0) << np.minimum(e, 17), 0) * 11819 >> 11
    x = z & 32767
    p = np.full_like(x, 224)
    for c in (1744, 7845, 22709, 32768):
        p = c - (p * x >> 15)
    return np.where(d <= 0, 1 << 20, np.where(near, p << 5 >> (z >> 15), 0))


def _softmax(loglik: FloatArray) -> FloatArray:
    shares = np.exp(loglik - loglik.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
