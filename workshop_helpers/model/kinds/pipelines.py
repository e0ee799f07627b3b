"""Pipelines of scalers and one estimator: the scalers are folded into the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import UnsupportedEstimatorError
from ..estimators import require_fitted

SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")


@dataclass(frozen=True, eq=False)
class Folded:
    """`final` sees x * factor + offset, with x in the units of X; both float64 [n_features]."""

    final: Any
    factor: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    @property
    def n_features(self) -> int:
        return len(self.factor)


def last_step(estimator: Any) -> Any:
    """The estimator itself, or a pipeline's last step. Looks only at the surface."""
    from sklearn.pipeline import Pipeline

    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def fold(estimator: Any) -> Folded:
    """Multiply out the scalers before the last step.

    Raises:
        UnsupportedEstimatorError: a step before the last is no scaler of `SCALERS`.
        ModelError: not fitted.
    """
    from sklearn.pipeline import Pipeline

    require_fitted(estimator)
    final = last_step(estimator)
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [final]
    n = next(int(step.n_features_in_) for step in steps if hasattr(step, "n_features_in_"))
    factor, offset = np.ones(n), np.zeros(n)
    for step in steps[:-1]:
        by, shift = _affine(step, n)
        factor, offset = factor * by, offset * by + shift
    return Folded(final, factor, offset)


def _affine(step: Any, n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A step as x * factor + offset."""
    from sklearn import preprocessing

    if step is None or step == "passthrough":
        return np.ones(n), np.zeros(n)
    if isinstance(step, preprocessing.MinMaxScaler) and not step.clip:
        return np.asarray(step.scale_, float), np.asarray(step.min_, float)
    if isinstance(step, preprocessing.MaxAbsScaler) and not getattr(step, "clip", False):
        return 1 / np.asarray(step.scale_, float), np.zeros(n)
    if isinstance(step, preprocessing.StandardScaler | preprocessing.RobustScaler):
        middle = getattr(step, "mean_" if hasattr(step, "mean_") else "center_", None)
        spread = step.scale_
        if isinstance(step, preprocessing.StandardScaler) and not step.with_mean:
            middle = None
        by = np.ones(n) if spread is None else 1 / np.asarray(spread, float)
        return by, np.zeros(n) if middle is None else -np.asarray(middle, float) * by
    raise UnsupportedEstimatorError(
        f"The pipeline's step {type(step).__name__} can't be folded into a board's model.",
        f"Before the last step, use only: {', '.join(SCALERS)} (without clip); or pass the last "
        "step alone, and X as the steps before it leave it.",
    )
