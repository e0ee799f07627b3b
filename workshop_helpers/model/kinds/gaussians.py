"""Gaussian components in the units of X, written as the fixed-point file that boards read."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FeatureError, ModelError
from .. import features as feature_rules
from .base import FloatArray
from .fixed_gaussians import (
    DIAGONAL,
    FRACTION,
    HALF,
    MEAN,
    MOST,
    MOST_LEFT,
    ONE_TRIANGLE,
    TRIANGLES,
    ZERO,
)

_MOST_SHIFT = 29


@dataclass(frozen=True, eq=False)
class Gaussians:
    """In the units of X: constants [k], means [k, n], factors [k or 1, n, n] or [k, n] (diagonal).

    With y = (x - mean) @ factor, a component's log-likelihood is constant - |y|**2 / 2, or
    constant - |y|**2 if `unit` is WHOLE. Triangles are zero below the diagonal.
    """

    constants: FloatArray
    means: FloatArray
    factors: FloatArray
    unit: int = HALF
    each: bool = False

    @property
    def n_features(self) -> int:
        return int(self.means.shape[1])

    def loglik(self, rows: FloatArray) -> FloatArray:
        """float64 [n, n_features] in the units of X -> [n, k]."""
        found = np.empty((len(rows), len(self.means)))
        for c, (constant, mean) in enumerate(zip(self.constants, self.means, strict=True)):
            factor = self.factors[min(c, len(self.factors) - 1)]
            y = (rows - mean) * factor if factor.ndim == 1 else (rows - mean) @ factor
            distance = (y**2).sum(axis=1)
            found[:, c] = constant - (distance / 2 if self.unit == HALF else distance)
        return found

    @property
    def _product_shift(self) -> int:
        return 1 if self.factors.ndim == 2 else 1 + (self.n_features - 1).bit_length()

    def _steps(self, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Factors for x * scale, and for each y the shift to its 12 fractional bits [k or 1, n].

        y = (d * a >> h) >> shift, with a below 2**15 and as large as it can be.
        """
        diagonal = self.factors.ndim == 2
        factor = self.factors / (scale if diagonal else scale[:, None])
        largest = np.abs(factor) if diagonal else np.abs(factor).max(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.floor(np.log2((MEAN - 1.0) / largest)) - FRACTION - self._product_shift
        return factor, np.minimum(power, _MOST_SHIFT)

    def choose_scale(self, rows: FloatArray, largest: FloatArray, asked: Any) -> tuple[float, ...]:
        """As `features.choose_scale`; but small integers are spread over int16, too, where a
        component is so narrow that steps of 1 lose digits."""
        used = np.ones(self.n_features, dtype=bool)
        scales = feature_rules.choose_scale(rows, largest, asked, used)
        if not isinstance(asked, str) or set(scales) != {1.0}:
            return scales
        if (self._steps(np.ones(self.n_features))[1] >= 0).all():
            return scales
        most = max(float(np.abs(rows).max()), float(largest.max()), 1.0)
        room = math.floor(math.log2((MEAN - 1) / feature_rules.HEADROOM / most))
        return (2.0 ** max(room, 0),) * self.n_features

    def pack(self, magic: bytes, scale: tuple[float, ...], exact: npt.NDArray[np.bool_]) -> bytes:
        """The file for features floor(x * scale). `exact` [n]: x * scale are integers.

        Where they are not, floor(x * scale) + 1/2 is the best guess of x * scale.

        Raises:
            FeatureError: a component is too narrow, too wide or too far off in these units.
            ModelError: too many features or components, or numbers out of all reason.
        """
        k, n = self.means.shape
        if max(k, n) > MOST:
            raise ModelError(
                f"{n} features and {k} components; the board's module takes up to {MOST} of each.",
                "Choose fewer of them.",
            )
        by = np.asarray(scale, dtype=np.float64)
        diagonal = self.factors.ndim == 2
        centre = self.means * by - np.where(exact, 0.0, 0.5)
        factor, shift = self._steps(by)
        if not (np.isfinite(centre).all() and np.isfinite(factor).all()):
            raise ModelError("The estimator's parameters are not finite.", "Fit it again.")
        mean = np.clip(np.rint(centre), -MEAN, MEAN - 1)
        if (shift < -MOST_LEFT).any():
            raise FeatureError(
                "A component has hardly any width: a feature is constant in it.",
                "Leave that feature out, or fit with a larger reg_covar or var_smoothing.",
            )
        h = self._product_shift
        stretched = 2.0 ** (shift + FRACTION + h)
        a = np.rint(factor * (stretched if diagonal else stretched[:, None, :]))
        parted = mean - centre
        if diagonal:
            moved = parted * a
        else:
            moved = np.einsum("ki,kij->kj", parted, np.broadcast_to(a, (k, n, n)))
        half = np.where(shift >= 1, 2.0 ** (shift - 1), 0)
        bias = np.rint(moved / 2.0**h + half)
        cost = np.rint(ZERO - self.constants * 2.0**self.unit)
        if not (np.abs(bias) < ZERO).all():
            raise FeatureError(
                "A mean lies far outside the int16 range.", "Use scale='auto' or a smaller scale."
            )
        if not ((cost >= 0) & (cost < 2 * ZERO)).all():
            raise ModelError(
                "A constant or threshold of the model is beyond all reason.",
                f"They must lie within ±{ZERO >> self.unit}.",
            )
        layout = DIAGONAL if diagonal else ONE_TRIANGLE if len(a) < k else TRIANGLES
        if not diagonal:
            row, column = np.tril_indices(n)  # a[0..j, j] for each j
            a = a[:, column, row]
        parts = [
            cost.astype("<i4"),
            (bias + ZERO).astype("<i4"),
            (mean + MEAN).astype("<u2"),
            np.where(shift >= 0, shift, 32 - shift).astype("<u2"),
            (a + MEAN).astype("<u2"),
        ]
        body = b"".join(part.tobytes() for part in parts)
        head = magic + np.array([n, k], "<u2").tobytes()
        head += bytes([layout, self.each, self.unit, h]) + zlib.crc32(body).to_bytes(4, "little")
        return head + body


def rounded_features(rows: FloatArray, scale: tuple[float, ...]) -> npt.NDArray[np.bool_]:
    """Which features floor(x * scale) cuts, bool [n_features]."""
    scaled = rows * np.asarray(scale)
    cut: npt.NDArray[np.bool_] = (scaled != np.floor(scaled)).any(axis=0)
    return cut
