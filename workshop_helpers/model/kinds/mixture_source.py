"""Gaussian mixtures and elliptic envelopes of scikit-learn, read into the units of X."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import UnsupportedEstimatorError
from .base import FloatArray
from .fixed_gaussians import HALF, MOST, WHOLE
from .gaussians import Gaussians
from .mixture_host import log_sum
from .pipelines import Folded, fold


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
        return log_sum(self.gaussians.loglik(rows))


def read(estimator: Any) -> Source:
    """Check and read; UnsupportedEstimatorError, ModelError (not fitted)."""
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
