"""Fitted trees -> the rows of a model file, with integer thresholds that decide the same.

scikit-learn goes left if `x <= t`. For integers `q` that is `q < floor(t * scale) + 1`, the
board's comparison. A split that no int16 value can make (or that an earlier split on the way has
decided) is left out, and so is one with the same leaf on both sides: neither changes an output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .ensembles import Ensemble, SourceTree
from .treefile import INT16_MAX, INT16_MIN, LEAF_BITS, MAX_REGRESSION_LEAF

Leaf = tuple[int, ...]
_MAX_LEAVES = 32768  # a leaf's index is a negative int16


def int_thresholds(tree: SourceTree, scale: Sequence[float]) -> npt.NDArray[np.int64]:
    """floor(t * scale) + 1 for each node, int64 [n]; beyond int16 it says so by INT16_MAX + 1."""
    with np.errstate(invalid="ignore"):
        factors = np.asarray(scale)[np.maximum(tree.feature, 0)]
        whole = np.floor(tree.threshold * factors) + 1
    clipped: npt.NDArray[np.float64] = np.clip(np.nan_to_num(whole), INT16_MIN, INT16_MAX + 1)
    return clipped.astype(np.int64)


def flatten(ensemble: Ensemble, scale: Sequence[float], voting: str) -> bytes:
    """The model file. ModelError if a tree or the number of leaves is too large for it."""
    offset, step = (0.0, 1.0) if ensemble.classes else regression_scale(ensemble)
    leaf_of = _leaf_function(voting, offset, step)
    leaves: dict[Leaf, int] = {}
    nodes: list[list[int]] = []
    roots = [_emit(tree, scale, leaf_of, leaves, nodes) for tree in ensemble.trees]
    if len(leaves) > _MAX_LEAVES:
        raise ModelError(
            f"The model has {len(leaves)} different leaves; a file holds {_MAX_LEAVES}.", _SMALLER
        )
    lines = [f"f,{ensemble.n_features}", f"c,{ensemble.n_outputs}", f"lb,{LEAF_BITS[voting]}"]
    if not ensemble.classes:
        lines.append(f"y,{offset!r},{step!r}")
    lines += [f"l,{value}" for leaf in leaves for value in leaf]
    lines += [f"r,{root}" for root in roots]
    lines += ["n," + ",".join(map(str, node)) for node in nodes]
    return ("\n".join(lines) + "\n").encode("ascii")


def regression_scale(ensemble: Ensemble) -> tuple[float, float]:
    """Offset (12 significant bits) and step (a power of two), exact in single precision.

    Leaf values become round((value - offset) / step), at most 2^23 in size.
    """
    values = np.concatenate([tree.value[tree.is_leaf, 0] for tree in ensemble.trees])
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high))
    if not 2.0**-60 < largest < 2.0**100:
        if largest == 0:
            return 0.0, 1.0
        raise ModelError(
            f"The targets reach {largest:.3g}, out of reach of a board's 32-bit floats.",
            "Train on y in other units.",
        )
    unit = 2.0 ** (math.frexp(largest)[1] - 12)
    offset = round((low + high) / 2 / unit) * unit
    half = max(high - offset, offset - low)
    if half == 0:
        return offset, 1.0
    return offset, 2.0 ** math.ceil(math.log2(half / MAX_REGRESSION_LEAF))


def error_bounds(ensemble: Ensemble) -> tuple[float, float]:
    """How far the board's regression may be from scikit-learn's on the same path through the trees.

    In units of y: (boards with double floats, boards with single floats). Half a step for the
    leaves, plus the rounding of the 32-bit output; with single floats plus that of the sum, the
    quotient and the offset, on ports that keep 22 bits of a float (30-bit objects).
    """
    offset, step = regression_scale(ensemble)
    values = np.concatenate([tree.value[tree.is_leaf, 0] for tree in ensemble.trees])
    largest, half = float(np.abs(values).max()), float(np.abs(values - offset).max())
    exact = step / 2 if half else 0.0
    return exact + largest * (2.0**-24 + 2.0**-50), exact + (2 * half + largest) * 2.0**-21


def _leaf_function(
    voting: str, offset: float, step: float
) -> Callable[[npt.NDArray[np.float64]], Leaf]:
    """The integers that a leaf's value becomes. Ties go to the first class, as in argmax."""
    if voting == "hard":
        return lambda value: (int(np.argmax(value)),)
    if voting == "soft":
        return lambda value: tuple(int(v) for v in np.rint(value * 255))
    return lambda value: (round((float(value[0]) - offset) / step),)


def _emit(
    tree: SourceTree,
    scale: Sequence[float],
    leaf_of: Callable[[npt.NDArray[np.float64]], Leaf],
    leaves: dict[Leaf, int],
    nodes: list[list[int]],
) -> int:
    """Append one tree's nodes, parents first, and return its root as the file has it."""
    thresholds = int_thresholds(tree, scale).tolist()
    root, kids = _reachable(tree, thresholds)
    merged = _merge(tree, kids, leaf_of)
    root_row = [0]
    todo: list[tuple[int, list[int], int, int]] = [(root, root_row, 0, 0)]
    while todo:
        node, parent, side, origin = todo.pop()
        leaf = merged[node]
        if leaf is not None:
            parent[side] = -leaves.setdefault(leaf, len(leaves)) - 1
            continue
        index = len(nodes)
        if side and index - origin > INT16_MAX:
            raise ModelError(f"A tree has a branch of over {INT16_MAX} nodes.", _SMALLER)
        parent[side] = index - origin
        row = [int(tree.feature[node]), thresholds[node], 0, 0]
        nodes.append(row)
        left, right = kids[node]
        todo += [(right, row, 3, index), (left, row, 2, index)]
    return root_row[0]


def _reachable(tree: SourceTree, thresholds: list[int]) -> tuple[int, dict[int, tuple[int, int]]]:
    """The root and each kept node's two children, past the splits int16 values can't make."""
    feature, left, right = tree.feature.tolist(), tree.left.tolist(), tree.right.tolist()
    Bounds = dict[int, tuple[int, int]]

    def settle(node: int, bounds: Bounds) -> int:
        while left[node] >= 0:
            low, high = bounds.get(feature[node], (INT16_MIN, INT16_MAX))
            if thresholds[node] > high:
                node = left[node]
            elif thresholds[node] <= low:
                node = right[node]
            else:
                break
        return node

    root = settle(0, {})
    kids: dict[int, tuple[int, int]] = {}
    todo: list[tuple[int, Bounds]] = [(root, {})]
    while todo:
        node, bounds = todo.pop()
        if left[node] < 0:
            continue
        low, high = bounds.get(feature[node], (INT16_MIN, INT16_MAX))
        below = {**bounds, feature[node]: (low, thresholds[node] - 1)}
        above = {**bounds, feature[node]: (thresholds[node], high)}
        kids[node] = settle(left[node], below), settle(right[node], above)
        todo += [(kids[node][0], below), (kids[node][1], above)]
    return root, kids


def _merge(
    tree: SourceTree,
    kids: dict[int, tuple[int, int]],
    leaf_of: Callable[[npt.NDArray[np.float64]], Leaf],
) -> dict[int, Leaf | None]:
    """The leaf each node amounts to, or None where it decides something."""
    merged: dict[int, Leaf | None] = {}
    for node in np.flatnonzero(tree.is_leaf).tolist():
        merged[node] = leaf_of(tree.value[node])
    for node in sorted(kids, reverse=True):  # scikit-learn numbers children after their parents
        left, right = (merged[kid] for kid in kids[node])
        merged[node] = left if left == right else None
    return merged


_SMALLER = "Train smaller trees: max_leaf_nodes, max_depth, or min_samples_leaf."
