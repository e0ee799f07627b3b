"""A file of emlearn_gmm, evaluated with the module's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...text import counted
from .base import FloatArray
from .fixed_gaussians import DIAGONAL, FixedGaussians, align, as_float32

_LOG_ADD_ERROR = 2.0**-12  # for each component but the first
# log(1 + exp(-d)) * 2**16 at d = 0, 1/4, 2/4, ..., as the module has it.
_TABLE = np.rint(np.log1p(np.exp(-np.arange(42) / 4)) * 2**16).astype(np.int64)


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
        total = log_sum(loglik)
        found = np.maximum(log_sum(loglik + off) - total, total - log_sum(loglik - off))
        found += (k - 1) * _LOG_ADD_ERROR + np.abs(total) * 2.0**-24
        # Far out the likeliest component counts alone.
        found += np.where(self.fixed.costs(values)[1].min(axis=1) > 0, np.log(k), 0)
        return np.asarray(found[:, None])


def log_sum(loglik: FloatArray) -> FloatArray:
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
