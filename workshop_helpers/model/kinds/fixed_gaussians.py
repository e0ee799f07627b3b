"""The fixed-point file that emlearn_gmm and emlearn_bayes read, evaluated as they do.

The file and its arithmetic are described in native_modules/emlearn_gmm_ref.py; `gaussians` writes
it. Here it is read and evaluated for many rows with the same integers, and its error is bounded
for each row.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelFileError
from .base import FloatArray

DIAGONAL, TRIANGLES, ONE_TRIANGLE = 0, 1, 2
HALF, WHOLE = 13, 12  # units: constant - distance / 2, constant - distance
MOST = 255  # features, components
FRACTION = 12  # bits of y below the point
ZERO = 1 << 29  # what costs and sums are stored plus
MEAN = 1 << 15  # what means and coefficients are stored plus
MOST_LEFT = 24
_HEAD = 16
IntArray = npt.NDArray[np.int64]


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
        y = (d * factors + (1 << self.h - 1) >> self.h).sum(axis=2) + self.bias[:, j]
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
    if min(cost.min(), bias.min()) < 0 or max(cost.max(), bias.max()) >= 2 * ZERO:
        raise ModelFileError("model.bin: bad number.", _AGAIN)
    if ((shift > 32 + MOST_LEFT) | (shift == 31)).any():
        raise ModelFileError("model.bin: bad shift.", _AGAIN)
    a -= MEAN
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
        bias=(bias - ZERO).reshape(k, n),
        mean=(mean - MEAN).reshape(k, n),
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
    value = (ZERO >> np.minimum(e, 30)) - cost
    return (value * 2.0 ** (e - unit)).astype(np.float32)


_AGAIN = "Convert the estimator again, or deploy the model again."
