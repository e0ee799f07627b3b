"""From what an estimator eats to what a board eats: checked rows, scales, int16.

Why powers of two: `x * scale` is then exact, and a threshold scaled by the same number moves to
exactly the same place, so the only thing that can go wrong is rounding `x` to an integer.

Why rounding down: scikit-learn goes left if `x <= t`, the board if
`floor(x*scale) < floor(t*scale) + 1`. So whatever goes left there goes left here, a value that
equals the threshold included, which is common where features are steps of something; and where
`x*scale` is an integer the two are the same. Only an `x` above `t` by less than one unit can go
astray. Rounding to nearest would put the border half a unit from `t` at most, but on either side,
and would send every second value that equals its threshold the wrong way: tried on scikit-learn's
own data at automatic scales, it parts from scikit-learn up to twice as often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FeatureError
from .treefile import INT16_MAX, INT16_MIN

FloatArray = npt.NDArray[np.float64]
Quantised = tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]
HEADROOM = 1.25  # automatic scales leave room for values a quarter larger than any seen
_MAX_EXPONENT = 100  # keeps a scale and its inverse normal numbers in single precision too
_FEWEST_LEVELS = 8  # a feature that is cut to fewer integers than this was not scaled


def as_rows(X: Any, n_features: int | None = None) -> FloatArray:
    """Any table of numbers -> float64 [n, n_features], values as scikit-learn sees them (float32).

    FeatureError for sparse tables, text, NaN, infinity, one dimension or the wrong width.
    """
    if hasattr(X, "toarray"):
        raise FeatureError("X is sparse; a board needs every value.", "Pass X.toarray().")
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FeatureError(f"X is not a table of numbers ({error}).", _NUMBERS) from None
    if rows.ndim != 2:
        raise FeatureError(
            f"X has {rows.ndim} dimensions, not 2.", "One row a sample: X.reshape(1, -1) for one."
        )
    if n_features is not None and rows.shape[1] != n_features:
        raise FeatureError(
            f"X has {rows.shape[1]} features, the model {n_features}.",
            "Compute the same features, in the same order, as for training.",
            found=rows.shape[1],
            expected=n_features,
        )
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32).astype(np.float64)
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise FeatureError(
            f"X[{row}, {column}] is {rows[row, column]} as a 32-bit float: missing or too large.",
            "Drop or fill such rows: a board's int16 features have no missing value.",
        )
    return rows


def names_of(X: Any, estimator: Any, features: Sequence[str] | None, n: int) -> tuple[str, ...]:
    """Feature names: those given, else those the estimator was fitted with, else X's columns."""
    found = features
    if found is None:
        found = getattr(estimator, "feature_names_in_", None)
    if found is None:
        found = getattr(X, "columns", None)
    names = tuple(str(name) for name in found) if found is not None else ()
    if not names:
        return tuple(f"f{i}" for i in range(n))
    if len(names) != n:
        raise FeatureError(
            f"There are {len(names)} feature names for {n} features.", "Name each column once."
        )
    return names


def check_columns(X: Any, estimator: Any) -> None:
    """A table whose columns are named must have the estimator's columns, in its order."""
    columns = getattr(X, "columns", None)
    if columns is None or getattr(estimator, "feature_names_in_", None) is None:
        return
    found = [str(c) for c in columns]
    expected = [str(c) for c in estimator.feature_names_in_]
    if found != expected:
        raise FeatureError(
            f"X's columns are not those of the training: {found[:4]}… and {expected[:4]}…",
            "Select them by name: X[list(estimator.feature_names_in_)].",
        )


def choose_scale(
    rows: FloatArray, largest_threshold: FloatArray, scale: Any, used: npt.NDArray[np.bool_]
) -> tuple[float, ...]:
    """One factor a feature. `largest_threshold` float64 [n_features], 0 where there is none.

    "auto": 1 for all if every value of X is an integer within int16; else, for each feature, the
    largest power of two that keeps 1.25 times the largest value seen (rows and thresholds) in
    int16, and no less than 1 for a column of integers that fits as it is. Values beyond are
    clipped, which changes no decision: every threshold lies below.
    """
    n_features = int(rows.shape[1])
    if isinstance(scale, str):
        if scale != "auto":
            raise FeatureError(f"scale={scale!r} is neither 'auto' nor numbers.", _SCALE)
        if _all_int16(rows):
            return (1.0,) * n_features
        largest = np.maximum(np.abs(rows).max(axis=0), largest_threshold)
        return tuple(_power_of_two(largest[i], rows[:, i]) for i in range(n_features))
    try:
        factors = np.broadcast_to(np.asarray(scale, dtype=np.float64), (n_features,))
    except (TypeError, ValueError):
        raise FeatureError(f"scale fits no {n_features} features.", _SCALE) from None
    if not (np.isfinite(factors).all() and (factors > 0).all()):
        raise FeatureError("A scale must be a positive number.", _SCALE)
    refuse_unscaled(rows, factors, used)
    return tuple(float(f) for f in factors)


def refuse_unscaled(rows: FloatArray, factors: FloatArray, used: npt.NDArray[np.bool_]) -> None:
    """FeatureError if a feature that decides something is cut to a handful of integers."""
    scaled = rows * factors
    whole = np.floor(scaled)
    levels = whole.max(axis=0) - whole.min(axis=0) + 1
    cut = (scaled != whole).any(axis=0) & (levels < _FEWEST_LEVELS) & used
    cut &= np.ptp(rows, axis=0) > 0
    if cut.any():
        which = int(np.argmax(cut))
        low, high = rows[:, which].min(), rows[:, which].max()
        raise FeatureError(
            f"Unscaled floats: feature {which} runs from {low:.4g} to {high:.4g}, and a board that "
            f"compares int16 would see only {int(levels[which])} different values of it."
            + (f" {int(cut.sum())} features are like that." if cut.sum() > 1 else ""),
            "Use scale='auto', or a scale that spreads each feature over the int16 range.",
            features=[int(i) for i in np.flatnonzero(cut)],
        )


def quantise(rows: FloatArray, scale: Sequence[float]) -> Quantised:
    """floor(x * scale), clipped -> (int16 [n, n_features], bool same shape: what was clipped)."""
    whole = np.floor(rows * np.asarray(scale, dtype=np.float64))
    clipped = (whole < INT16_MIN) | (whole > INT16_MAX)
    return np.clip(whole, INT16_MIN, INT16_MAX).astype(np.int16), clipped


def refuse_unscaled_input(rows: FloatArray, scale: Sequence[float]) -> None:
    """FeatureError for rows of a model of integers that are all floats within -1..1."""
    if not rows.size or any(factor != 1 for factor in scale):
        return
    if (np.abs(rows) <= 1).all() and (rows != np.rint(rows)).any():
        raise FeatureError(
            "Unscaled floats: this model was made for integers, and X lies within -1..1.",
            "Give X in the units of the training, or convert again with such X and scale='auto'.",
        )


def _all_int16(rows: FloatArray) -> bool:
    whole = (rows == np.rint(rows)).all()
    return bool(whole and rows.min() >= INT16_MIN and rows.max() <= INT16_MAX)


def _power_of_two(largest: float, column: FloatArray) -> float:
    if largest == 0:
        return 1.0
    exponent = math.floor(math.log2(INT16_MAX / HEADROOM) - math.log2(largest))
    exponent = max(-_MAX_EXPONENT, min(_MAX_EXPONENT, exponent))
    if exponent < 0 and largest <= INT16_MAX and (column == np.rint(column)).all():
        exponent = 0
    return 2.0**exponent


_NUMBERS = "Encode text and categories as numbers before training."
_SCALE = "Use scale='auto', one number, or one number a feature."
