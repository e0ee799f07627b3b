"""Gaussian components in the fixed-point file that emlearn_gmm and emlearn_bayes read.

The file and its arithmetic are described in native_modules/emlearn_gmm_ref.py; here it is written,
read, and evaluated for many rows with the same integers, and its error is bounded for each row.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FeatureError, ModelError, ModelFileError
from .base import FloatArray

DIAGONAL, TRIANGLES, ONE_TRIANGLE = 0, 1, 2
HALF, WHOLE = 13, 12  # units: constant - distance / 2, constant - distance
MOST = 255  # features, components
_HEAD = 16
_ZERO = 1 << 29
_MEAN = 1 << 15
_FRACTION = 12  # bits of y below the point
_MOST_SHIFT, _MOST_LEFT = 29, 24
IntArray = npt.NDArray[np.int64]


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
        factor = self.factors / (by if diagonal else by[:, None])
        if not (np.isfinite(centre).all() and np.isfinite(factor).all()):
            raise ModelError("The estimator's parameters are not finite.", "Fit it again.")
        mean = np.clip(np.rint(centre), -_MEAN, _MEAN - 1)
        h = 1 if diagonal else 1 + (n - 1).bit_length()
        largest = np.abs(factor) if diagonal else np.abs(factor).max(axis=1)  # [k or 1, n]
        # y = (d * a >> h) >> shift, with a below 2**15 and as large as it can be.
        with np.errstate(divide="ignore"):
            power = np.floor(np.log2((_MEAN - 1.0) / largest)) - _FRACTION - h
        shift = np.minimum(power, _MOST_SHIFT)
        if (shift < -_MOST_LEFT).any():
            raise FeatureError(
                "A component has hardly any width: a feature is constant in it.",
                "Leave that feature out, or fit with a larger reg_covar or var_smoothing.",
            )
        stretched = 2.0 ** (shift + _FRACTION + h)
        a = np.rint(factor * (stretched if diagonal else stretched[:, None, :]))
        parted = mean - centre
        if diagonal:
            moved = parted * a
        else:
            moved = np.einsum("ki,kij->kj", parted, np.broadcast_to(a, (k, n, n)))
        terms = np.ones(n) if diagonal else np.arange(1, n + 1)
        half = np.where(shift >= 1, 2.0 ** (shift - 1), 0)
        bias = np.rint(moved / 2.0**h + terms / 2 + half)
        cost = np.rint(_ZERO - self.constants * 2.0**self.unit)
        if not (np.abs(bias) < _ZERO).all():
            raise FeatureError(
                "A mean lies far outside the int16 range.", "Use scale='auto' or a smaller scale."
            )
        if not ((cost >= 0) & (cost < 2 * _ZERO)).all():
            raise ModelError(
                "A constant or threshold of the model is beyond all reason.",
                f"They must lie within ±{_ZERO >> self.unit}.",
            )
        layout = DIAGONAL if diagonal else ONE_TRIANGLE if len(a) < k else TRIANGLES
        if not diagonal:
            row, column = np.tril_indices(n)  # a[0..j, j] for each j
            a = a[:, column, row]
        parts = [
            cost.astype("<i4"),
            (bias + _ZERO).astype("<i4"),
            (mean + _MEAN).astype("<u2"),
            np.where(shift >= 0, shift, 32 - shift).astype("<u2"),
            (a + _MEAN).astype("<u2"),
        ]
        body = b"".join(part.tobytes() for part in parts)
        head = magic + np.array([n, k], "<u2").tobytes()
        head += bytes([layout, self.each, self.unit, h]) + zlib.crc32(body).to_bytes(4, "little")
        return head + body


@dataclass(frozen=True, eq=False)
class FixedGaussians:
    """A parsed file: cost [k], bias and mean [k, n], shift [k or 1, n], a [k or 1, n, n] or [k, n].

    All int64; biases of the file are taken off. `shift` is negative for a shift to the left.
    """

    layout: int
    each: bool
    unit: int
    h: int
    cost: IntArray
    bias: IntArray
    mean: IntArray
    shift: IntArray
    a: IntArray

    @property
    def n_features(self) -> int:
        return int(self.mean.shape[1])

    @property
    def n_components(self) -> int:
        return int(self.mean.shape[0])

    def distances(self, values: npt.NDArray[np.int16]) -> tuple[IntArray, IntArray]:
        """(sum, e), both [rows, k]: squared Mahalanobis distances are sum * 2**(e - 12)."""
        rows, k, n = len(values), self.n_components, self.n_features
        total = np.full((rows, k), n >> 1, dtype=np.int64)
        e = np.zeros((rows, k), dtype=np.int64)
        for j in range(n):
            y = np.abs(self._residual(values, j))
            x = np.maximum(-self._per_component(self.shift)[:, j], 0) + np.zeros_like(y)
            while (large := y > 32767).any():
                y = np.where(large, (y + 1) >> 1, y)
                x += large
            while (small := (y < 16384) & (x > 0)).any():
                y, x = np.where(small, 2 * y, y), x - small
            right = 12 + e - 2 * x
            e += np.maximum(-right, 0)
            total >>= np.minimum(np.maximum(-right, 0), 30)
            total += y * y >> np.minimum(np.maximum(right, 0), 30)
            over = total >> 30
            total >>= over
            e += over
        return total, e

    def costs(self, values: npt.NDArray[np.int16]) -> tuple[IntArray, IntArray]:
        """(cost, e), both [rows, k]: log-likelihoods are (2**29 - cost * 2**e) * 2**-unit."""
        total, e = self.distances(values)
        return total + (self.cost >> np.minimum(e, 30)), e

    def loglik(self, values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """float32 [rows, k], as the board computes them."""
        return as_float32(*self.costs(values), self.unit)

    def bound(self, values: npt.NDArray[np.int16], exact: bool) -> FloatArray:
        """How far each log-likelihood may be from that of the estimator in floats, [rows, k].

        Up to rows where a feature was clipped. `exact`: no feature was rounded.
        Each coefficient is off by half its last bit; each product and sum is rounded, each square
        is; and a feature was rounded by up to half a unit.
        """
        d = np.abs(values[:, None, :] - self.mean).astype(np.float64) + 0.5
        a = np.abs(self.a).astype(np.float64)
        shift = self._per_component(self.shift).astype(np.float64)
        unit = 2.0 ** -(shift + self.h)  # of a product, in units of y
        input_error = 0.0 if exact else 0.5 + 2.0**-8  # a float32 has 24 bits of a value of 15
        if self.layout == DIAGONAL:
            products = 0.5 * d + a * input_error
            terms: Any = 1
        else:
            used = np.triu(np.ones((self.n_features, self.n_features)))
            products = 0.5 * d @ used + input_error * a.sum(axis=1)
            terms = np.arange(1, self.n_features + 1)
        off = products * unit + (terms + 1) / 2 * 2.0**-shift + np.where(shift >= 1, 0.5, 0)
        y = np.stack([self._y(values, j) for j in range(self.n_features)], axis=2)
        off += np.where(y > 32767, y * 2.0**-14, 0)
        distance = (2 * y * off + off**2).sum(axis=2) * 2.0**-24
        _, e = self.distances(values)
        lost = (self.n_features / 2 + 1) * 2.0**-12 + np.where(e, self.n_features + 2, 0) * (
            2.0 ** (e - 12)
        )
        half = 0.5 if self.unit == HALF else 1.0
        return np.asarray(half * (distance + lost) + 2.0 ** -(self.unit + 1.0) + 2.0**-20)

    def _residual(self, values: npt.NDArray[np.int16], j: int) -> IntArray:
        """y of feature j, with 12 fractional bits or, for a shift to the left, fewer [rows, k]."""
        first = j if self.layout == DIAGONAL else 0
        d = values[:, None, first : j + 1].astype(np.int64) - self.mean[:, first : j + 1]
        if self.layout == DIAGONAL:
            factors = self.a[:, j : j + 1]
        else:
            factors = self._per_component(self.a)[:, : j + 1, j]
        y = (d * factors >> self.h).sum(axis=2) + self.bias[:, j]
        right: IntArray = y >> np.maximum(self._per_component(self.shift)[:, j], 0)
        return right

    def _y(self, values: npt.NDArray[np.int16], j: int) -> FloatArray:
        left = np.maximum(-self._per_component(self.shift)[:, j], 0)
        return np.abs(self._residual(values, j)) * 2.0**left

    def _per_component(self, shared: IntArray) -> IntArray:
        return np.broadcast_to(shared, (self.n_components, *shared.shape[1:]))

    def is_near(self, other: FixedGaussians) -> bool:
        """Whether the two differ by no more than another computer's rounding in the conversion."""
        if (self.layout, self.each, self.unit) != (other.layout, other.each, other.unit):
            return False
        pairs = [
            (getattr(self, name), getattr(other, name), limit)
            for name, limit in (("cost", 2), ("mean", 1), ("shift", 0), ("a", 1))
        ]
        return all(a.shape == b.shape and abs(a - b).max() <= limit for a, b, limit in pairs)


def rounded_features(rows: FloatArray, scale: tuple[float, ...]) -> npt.NDArray[np.bool_]:
    """Which features floor(x * scale) cuts, bool [n_features]."""
    scaled = rows * np.asarray(scale)
    cut: npt.NDArray[np.bool_] = (scaled != np.floor(scaled)).any(axis=0)
    return cut


def parse(data: bytes, magic: bytes, what: str) -> FixedGaussians:
    """Read a file; ModelFileError for whatever the board's `load` would refuse."""
    if len(data) < _HEAD or data[:4] != magic:
        raise ModelFileError(f"This is not a file of {what}.", _AGAIN)
    n, k = (int(v) for v in np.frombuffer(data, "<u2", 2, 4))
    layout, each, unit, h = data[8:12]
    bits = 1 if layout == DIAGONAL else 1 + (n - 1).bit_length()
    if not (1 <= n <= MOST and 1 <= k <= MOST and layout <= ONE_TRIANGLE and each <= 1):
        raise ModelFileError("model.bin: bad head.", _AGAIN)
    if h != bits or not (unit == HALF or (unit == WHOLE and k == 1)):
        raise ModelFileError("model.bin: bad head.", _AGAIN)
    shifts = n if layout == ONE_TRIANGLE else n * k
    triangle = n * (n + 1) // 2
    factors = (n * k, k * triangle, triangle)[layout]
    at, found = _HEAD, []
    for count, kind in ((k, "<i4"), (n * k, "<i4"), (n * k, "<u2"), (shifts, "<u2"), (factors, "")):
        kind = kind or "<u2"
        end = at + count * int(kind[-1])
        if end > len(data):
            raise ModelFileError("model.bin is cut.", _AGAIN)
        found.append(np.frombuffer(data[at:end], kind).astype(np.int64))
        at = end
    if at != len(data):
        raise ModelFileError("model.bin is too long.", _AGAIN)
    want = int.from_bytes(data[12:16], "little")
    if want and zlib.crc32(data[_HEAD:]) != want:
        raise ModelFileError("model.bin is damaged: its CRC-32 differs.", _AGAIN)
    cost, bias, mean, shift, a = found
    if min(cost.min(), bias.min()) < 0 or max(cost.max(), bias.max()) >= 2 * _ZERO:
        raise ModelFileError("model.bin: bad number.", _AGAIN)
    if ((shift > 32 + _MOST_LEFT) | (shift == 31)).any():
        raise ModelFileError("model.bin: bad shift.", _AGAIN)
    a -= _MEAN
    if layout == DIAGONAL:
        square = a.reshape(k, n)
    else:
        row, column = np.tril_indices(n)
        square = np.zeros((len(a) // triangle, n, n), dtype=np.int64)
        square[:, column, row] = a.reshape(-1, triangle)
    return FixedGaussians(
        layout=layout,
        each=bool(each),
        unit=unit,
        h=h,
        cost=cost,
        bias=(bias - _ZERO).reshape(k, n),
        mean=(mean - _MEAN).reshape(k, n),
        shift=np.where(shift < 32, shift, 32 - shift).reshape(-1, n),
        a=square,
    )


def align(cost: IntArray, e: IntArray, other: IntArray, other_e: IntArray) -> tuple[Any, Any]:
    """Both costs at the coarser of their two shifts."""
    right = np.minimum(np.maximum(other_e - e, 0), 30)
    other_right = np.minimum(np.maximum(e - other_e, 0), 30)
    return cost >> right, other >> other_right


def as_float32(cost: IntArray, e: IntArray, unit: int) -> npt.NDArray[np.float32]:
    """(2**29 - cost * 2**e) * 2**-unit."""
    value = (_ZERO >> np.minimum(e, 30)) - cost
    return (value * 2.0 ** (e - unit)).astype(np.float32)


_AGAIN = "Convert the estimator again, or deploy the model again."
