"""Why a row's answer differs from scikit-learn's, found out by experiment on the host.

For each differing row of a model of trees: follow scikit-learn's own way through every tree and
count the votes that the board's leaves would give there. If that gives scikit-learn's answer, the
way through the trees is to blame, and the first node where the two part names the reason; if not,
the voting is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .ensembles import Ensemble, SourceTree
from .flatten import int_thresholds

HARD_VOTING = "hard voting"
LEAF_QUANTISATION = "leaf quantisation"
TIED_VOTE = "tied vote"
THRESHOLD_TIE = "threshold tie"
OVERFLOW = "feature overflow"
UNSCALED = "unscaled floats"
WRONG_FILE = "wrong file on the device"
OTHER_ESTIMATOR = "another estimator"
SHARED_LEAVES = "shared leaves"
CLIPPED = "beyond the rows of convert"
ROUNDING = "fixed-point rounding"
UNEXPLAINED = "unexplained"

EXPLANATIONS = {
    HARD_VOTING: "each tree has one vote; scikit-learn adds up proportions. Try voting='soft'.",
    LEAF_QUANTISATION: "two classes are closer than the 8 bits of a soft leaf can tell.",
    TIED_VOTE: "several classes are level: the board takes the first, scikit-learn by fractions.",
    THRESHOLD_TIE: "a value just above a threshold becomes the same integer. Try a larger scale.",
    OVERFLOW: "a value times its scale is beyond int16 and was clipped. Try a smaller scale.",
    UNSCALED: "a model of integers was given fractions. Convert with such rows and scale='auto'.",
    WRONG_FILE: "the model on the board is not this one. Deploy it again.",
    OTHER_ESTIMATOR: "the estimator is not the one converted, or was fitted again. Convert again.",
    SHARED_LEAVES: "leaves that were nearly alike were made one. Share fewer of them.",
    CLIPPED: "a feature or an inner value is beyond any in X at convert. Convert with such rows.",
    ROUNDING: "two outputs are closer than the stated error of the fixed-point arithmetic.",
    UNEXPLAINED: "none of the known reasons; please report it with the model and the row.",
}
_ROUTES = (OVERFLOW, UNSCALED, THRESHOLD_TIE)  # the one named when several trees go astray
_FLOAT_ROUNDING = 1e-9  # class proportions closer than this are apart by float rounding only


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows in question. `raw` float64 and `values` int16, `clipped` bool [n, n_features]."""

    raw: npt.NDArray[np.float64]
    values: npt.NDArray[np.int16]
    clipped: npt.NDArray[np.bool_]

    def take(self, which: npt.NDArray[np.int64]) -> Rows:
        return Rows(self.raw[which], self.values[which], self.clipped[which])


def routing_causes(ensemble: Ensemble, scale: tuple[float, ...], rows: Rows) -> list[str | None]:
    """For each row the reason why some tree goes another way on the board; None if none does."""
    causes: list[str | None] = [None] * len(rows.raw)
    integers_only = all(factor == 1 for factor in scale)
    fractions = rows.raw != np.rint(rows.raw)
    for tree in ensemble.trees:
        for row, feature in enumerate(_first_parting(tree, scale, rows).tolist()):
            if feature < 0:
                continue
            if rows.clipped[row, feature]:
                cause = OVERFLOW
            elif integers_only and fractions[row, feature]:
                cause = UNSCALED
            else:
                cause = THRESHOLD_TIE
            before = causes[row]
            if before is None or _ROUTES.index(cause) < _ROUTES.index(before):
                causes[row] = cause
    return causes


def voting_cause(
    ensemble: Ensemble, voting: str, raw: npt.NDArray[np.float64], expected: int
) -> str | None:
    """Why the board's voting on scikit-learn's own leaves gives another class than `expected`.

    `raw` is one row, float64 [1, n_features]. None if it gives `expected`.
    """
    proportions = np.array([tree.value[tree.apply(raw)[0]] for tree in ensemble.trees])
    hard = voting == "hard"
    if hard:
        votes = np.bincount(proportions.argmax(axis=1), minlength=ensemble.n_outputs)
    else:
        votes = np.rint(proportions * 255).astype(np.int64).sum(axis=0)
    winner = int(votes.argmax())
    if winner == expected:
        return None
    exact = proportions.mean(axis=0)
    gap = float(exact[expected] - exact[winner])
    if abs(gap) < _FLOAT_ROUNDING or (hard and votes[expected] == votes[winner]):
        return TIED_VOTE
    if hard:
        return HARD_VOTING
    return LEAF_QUANTISATION if 0 < gap <= 1 / 255 + _FLOAT_ROUNDING else UNEXPLAINED


def _first_parting(tree: SourceTree, scale: tuple[float, ...], rows: Rows) -> npt.NDArray[np.int64]:
    """The feature at which the board first goes another way than scikit-learn, -1 if nowhere."""
    thresholds = int_thresholds(tree, scale)
    node = np.zeros(len(rows.raw), dtype=np.int64)
    parted = np.full(len(rows.raw), -1, dtype=np.int64)
    while (active := np.flatnonzero((tree.left[node] >= 0) & (parted < 0))).size:
        at = node[active]
        feature = tree.feature[at]
        exact = rows.raw[active, feature] <= tree.threshold[at]
        device = rows.values[active, feature] < thresholds[at]
        parted[active[exact != device]] = feature[exact != device]
        node[active] = np.where(exact, tree.left[at], tree.right[at])
    return parted
