"""Checks of the exercises in notebook 10."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features import FeatureSet
from .checks import Verdict, check_for

RATE_HZ = 10
KEPT, REJECTED = 0.95, 0.9


@check_for("10.1", skill="choose window and hop, in samples, for a length and an overlap")
def window_and_hop(window: object, hop: object) -> Verdict:
    if window is None or hop is None:
        return Verdict(False, "Put two whole numbers in my_window and my_hop.")
    if not isinstance(window, int) or not isinstance(hop, int) or window < 1 or hop < 1:
        return Verdict(False, "A window and a hop are whole numbers of samples, 1 or more.")
    if window == 3:
        return Verdict(False, "3 samples are 0.3 s. The window is counted in samples.")
    if window != 3 * RATE_HZ:
        return Verdict(
            False,
            f"{window} samples at {RATE_HZ} Hz are {window / RATE_HZ:g} s, not 3 s.",
        )
    if hop >= window:
        return Verdict(False, f"With a hop of {hop}, windows of {window} do not overlap at all.")
    overlap = 1 - hop / window
    if overlap != 0.5:
        return Verdict(False, f"Your windows overlap by {overlap:.0%}, not by 50 %.")
    return Verdict(True, "30 samples, and a prediction every 1.5 s.")


@check_for("10.2", skill="smooth a stream of predictions by a vote")
def smoothing(smooth: Callable[[Sequence[str], int], Sequence[str]]) -> Verdict:
    cases = [
        (list("aabaa"), 3, list("aaaaa"), "one wrong label between right ones should vanish"),
        (list("aaabbb"), 3, list("aaaabb"), "a real change should come through, one label later"),
        (list("ab"), 3, list("ab"), "in a draw the latest label wins"),
        (list("abc"), 1, list("abc"), "with n = 1 nothing changes"),
        ([], 3, [], "no labels in, no labels out"),
    ]
    for labels, n, wanted, why in cases:
        try:
            got = list(smooth(list(labels), n))
        except Exception as error:  # whatever the learner's code raises is feedback, not a crash
            return Verdict(False, f"smooth({labels}, {n}) raised {type(error).__name__}: {error}")
        if len(got) != len(labels):
            return Verdict(False, f"{len(labels)} labels went in, {len(got)} came out.")
        if got != wanted:
            return Verdict(False, f"smooth({labels}, {n}) gave {got}: {why}.")
    return Verdict(True, "Steady, at the price of answering a little later.")


@check_for("10.3", skill="teach a classifier that some things are none of its classes")
def other_class(forest: Any, known: FeatureSet, drier: NDArray[np.int16]) -> Verdict:
    if "Other" not in getattr(forest, "classes_", ()):
        return Verdict(False, 'The forest has no class "Other" yet: give it rows with that label.')
    if forest.n_features_in_ != known.X.shape[1] or drier.shape[1] != known.X.shape[1]:
        return Verdict(False, "The forest was fitted on another number of features.")
    rejected = float(np.mean(forest.predict(drier) == "Other"))
    right = float(np.mean(forest.predict(known.X) == known.y))
    numbers = f"{rejected:.0%} of the drier is 'Other', {right:.1%} of known windows are right"
    if rejected < REJECTED:
        return Verdict(False, f"{numbers}: show it more kinds of shaking.")
    if right < KEPT:
        return Verdict(False, f"{numbers}: the new class spoils the old ones.")
    return Verdict(True, f"{numbers}.")


@check_for("10.4", skill="add a class from a recording of your own")
def own_class(forest: Any, known: FeatureSet, mine: FeatureSet) -> Verdict:
    labels = sorted(set(mine.y.tolist()))
    missing = [label for label in labels if label not in getattr(forest, "classes_", ())]
    if missing:
        return Verdict(
            False,
            f"The forest does not know {missing[0]!r} yet: add mine.X to its rows and mine.y to "
            "its labels.",
        )
    if forest.n_features_in_ != known.X.shape[1]:
        return Verdict(False, "The forest was fitted on another number of features.")
    yours = float(np.mean(forest.predict(mine.X) == mine.y))
    right = float(np.mean(forest.predict(known.X) == known.y))
    numbers = f"{yours:.0%} of your windows and {right:.1%} of the known ones are right"
    if yours < REJECTED:
        return Verdict(False, f"{numbers}: give it more of your rows.")
    if right < KEPT:
        return Verdict(False, f"{numbers}: the new class spoils the old ones.")
    return Verdict(True, f"{numbers}.")
