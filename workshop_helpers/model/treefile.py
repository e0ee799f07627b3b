"""The tree model file: what a board loads, parsed, checked and evaluated in NumPy.

One row of ASCII a fact (`f` features, `c` classes, `lb` leaf bits, `y` regression scale, `l` leaf,
`r` root, `n` node). The walk is the board's: go left if `value < threshold`; a positive child is
relative to its node, a negative one is a leaf. Only the file's bytes are used, so what is
evaluated here is what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..text import counted
from .damage import damaged, within

INT16_MIN, INT16_MAX = -32768, 32767
LEAF_BITS = {"hard": 0, "soft": 8, "mean": 32}
MAX_CLASSES = 255
MAX_REGRESSION_LEAF = 2**23
MAX_REGRESSION_TREES = 127
_ROW_FIELDS = {"f": 1, "c": 1, "lb": 1, "y": 2, "l": 1, "r": 1, "n": 4}
_CELLS_A_BLOCK = 2_000_000  # (row, tree) pairs walked at once: bounds the memory of `outputs`

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Forest:
    """A parsed model file. `nodes` is int64 [n_nodes, 5] as in the file; `leaves` int64 [rows]."""

    n_features: int
    n_outputs: int
    leaf_bits: int
    leaves: IntArray
    roots: IntArray
    nodes: IntArray
    offset: float = 0.0
    step: float = 1.0

    @property
    def n_trees(self) -> int:
        return len(self.roots)

    @property
    def capacities(self) -> list[int]:
        """Trees, nodes, rows of leaves: what the device module reserves."""
        return [self.n_trees, len(self.nodes), len(self.leaves)]

    def describe(self) -> str:
        return f"{counted(self.n_trees, 'tree')}, {counted(len(self.nodes), 'node')}"

    def walk(self, values: npt.NDArray[np.int16]) -> IntArray:
        """The leaf each tree ends in: int16 [n, n_features] -> leaf indices int64 [n, n_trees]."""
        at = np.broadcast_to(self.roots, (len(values), self.n_trees)).copy()
        feature, threshold, left, right = self.nodes[:, 1:].T
        while (inside := at >= 0).any():
            row, tree = np.nonzero(inside)
            node = at[row, tree]
            goes_left = values[row, feature[node]] < threshold[node]
            child = np.where(goes_left, left[node], right[node])
            at[row, tree] = np.where(child > 0, node + child, child)
        return -at - 1

    def outputs(self, values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """What the board puts in its output array: int16 [n, n_features] -> float32 [n, n_outputs].

        Sums are exact integers and the one division is correctly rounded: a quotient of integers
        below 2^24 rounded to double and then to single is the same as rounded to single at once,
        so boards with single and with double floats give the same bits (not so for regression).
        """
        out = np.empty((len(values), self.n_outputs), dtype=np.float32)
        block = max(1, _CELLS_A_BLOCK // max(1, self.n_trees))
        for start in range(0, len(values), block):
            leaves = self.walk(values[start : start + block])
            out[start : start + block] = self._combine(leaves)
        return out

    def _combine(self, leaves: IntArray) -> npt.NDArray[np.float32]:
        if self.leaf_bits == LEAF_BITS["mean"]:
            total = self.leaves[leaves].sum(axis=1)
            mean = self.offset + self.step * total.astype(np.float64) / self.n_trees
            value: npt.NDArray[np.float32] = mean[:, None].astype(np.float32)
            return value
        if self.leaf_bits == LEAF_BITS["soft"]:
            table = self.leaves.reshape(-1, self.n_outputs)
            sums = np.stack([table[:, c][leaves].sum(axis=1) for c in range(self.n_outputs)], 1)
            return (sums / (255 * self.n_trees)).astype(np.float32)
        winners = self.leaves[leaves]
        votes = np.stack([(winners == c).sum(axis=1) for c in range(self.n_outputs)], 1)
        return (votes / self.n_trees).astype(np.float32)


def parse(data: bytes) -> Forest:
    """Read and check a model file; ModelFileError says which line is wrong and why."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise damaged(f"byte {error.start} is not ASCII") from None
    rows: dict[str, list[list[str]]] = {kind: [] for kind in _ROW_FIELDS}
    for number, line in enumerate(text.splitlines(), 1):
        kind, *fields = line.strip().split(",")
        if kind not in rows:
            continue
        if len(fields) != _ROW_FIELDS[kind]:
            raise damaged(f"line {number} ({line[:40]!r}) has {len(fields)} fields")
        rows[kind].append(fields)
    forest = _forest(rows)
    _check(forest)
    return forest


def _forest(rows: dict[str, list[list[str]]]) -> Forest:
    for kind, meaning in (("f", "features"), ("c", "classes")):
        if len(rows[kind]) != 1:
            raise damaged(f"it has {len(rows[kind])} rows that give the number of {meaning}")
    if len(rows["lb"]) > 1 or len(rows["y"]) > 1:
        raise damaged("a row that may be there once is there twice")
    try:
        nodes = np.array(rows["n"], dtype=np.int64).reshape(-1, 4)
        offset, step = (float(v) for v in rows["y"][0]) if rows["y"] else (0.0, 1.0)
        return Forest(
            n_features=int(rows["f"][0][0]),
            n_outputs=int(rows["c"][0][0]),
            leaf_bits=int(rows["lb"][0][0]) if rows["lb"] else 0,
            leaves=np.array(rows["l"], dtype=np.int64).reshape(-1),
            roots=np.array(rows["r"], dtype=np.int64).reshape(-1),
            nodes=np.column_stack([np.arange(len(nodes)), nodes]),
            offset=offset,
            step=step,
        )
    except (ValueError, OverflowError) as error:
        raise damaged(f"a number can't be read ({error})") from None


def _check(forest: Forest) -> None:
    """Refuse whatever would send a walk out of the arrays, or make it endless."""
    if forest.leaf_bits not in LEAF_BITS.values():
        raise damaged(f"{forest.leaf_bits} leaf bits is none of 0, 8, 32")
    if not 1 <= forest.n_outputs <= MAX_CLASSES or forest.n_features < 1:
        raise damaged(f"{forest.n_features} features and {forest.n_outputs} classes")
    if not forest.n_trees or not len(forest.leaves):
        raise damaged("it has no tree or no leaf")
    _check_leaves(forest)
    width = forest.n_outputs if forest.leaf_bits == LEAF_BITS["soft"] else 1
    n_leaves, n_nodes = len(forest.leaves) // width, len(forest.nodes)
    _, feature, threshold, left, right = forest.nodes.T
    within("feature", feature, 0, forest.n_features - 1)
    within("threshold", threshold, INT16_MIN, INT16_MAX)
    within("root", forest.roots, -n_leaves, n_nodes - 1)
    for child in (left, right):
        if (child == 0).any():
            raise damaged("a node is its own child")
        within("child", child, max(INT16_MIN, -n_leaves), INT16_MAX)
        within("child", np.where(child > 0, np.arange(n_nodes) + child, 0), 0, n_nodes - 1)


def _check_leaves(forest: Forest) -> None:
    if forest.leaf_bits == LEAF_BITS["hard"]:
        within("leaf", forest.leaves, 0, forest.n_outputs - 1)
    elif forest.leaf_bits == LEAF_BITS["soft"]:
        within("leaf", forest.leaves, 0, 255)
        if len(forest.leaves) % forest.n_outputs:
            raise damaged("the last soft leaf is cut short")
    else:
        within("leaf", forest.leaves, -MAX_REGRESSION_LEAF, MAX_REGRESSION_LEAF)
        if forest.n_outputs != 1 or forest.n_trees > MAX_REGRESSION_TREES:
            raise damaged(f"regression with {forest.n_outputs} outputs, {forest.n_trees} trees")
        if not (np.isfinite(forest.offset) and np.isfinite(forest.step)):
            raise damaged("the regression scale is not finite")
