"""Checks of the exercises in notebook 06."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..board import Board
from ..errors import ModelError
from ..model import DeviceModel
from ..model.treefile import parse
from .checks import Verdict, check_for

DIALS = {"none", "one", "both"}
GOOD = 0.95


@check_for("06.1", skill="scale floats to the whole numbers that a board's model takes")
def scale_to_int16(to_int16: Callable[[list[float], float], Sequence[int]]) -> Verdict:
    cases = [
        ([0.5, 0.25], 100, [50, 25], "multiply by the scale before you cut off"),
        ([-0.251], 100, [-26], "-25.1 rounded down is -26: int() cuts towards zero"),
        ([0.999], 10, [9], "9.99 rounded down is 9, not the nearest"),
        ([5.0, -5.0], 16384, [32767, -32768], "int16 ends at -32768 and 32767: clip there"),
    ]
    for values, scale, wanted, why in cases:
        try:
            got = list(to_int16(list(values), scale))
        except Exception as error:  # whatever the learner's code raises is feedback, not a crash
            return Verdict(
                False, f"to_int16({values}, {scale}) raised {type(error).__name__}: {error}"
            )
        if got != wanted:
            return Verdict(False, f"to_int16({values}, {scale}) gave {got}: {why}.")
        if not all(isinstance(value, int | np.integer) for value in got):
            return Verdict(False, f"{got} are floats still: the board wants whole numbers.")
    return Verdict(True, "Scaled, rounded down, clipped: as convert and the board do it.")


@check_for("06.2", skill="write a small tree as a file, by hand")
def and_by_hand(rows: list[str]) -> Verdict:
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        return Verdict(False, "rows is a list of text, one row of the file each.")
    try:
        forest = parse(("\n".join(rows) + "\n").encode())
    except ModelError as error:
        return Verdict(False, f"The board would refuse this file. {error.what}")
    if (forest.n_features, forest.n_outputs) != (2, 2):
        return Verdict(False, "The file has 2 features (f,2) and 2 classes (c,2).")
    corners = [(-9000, -9000), (-9000, 9000), (9000, -9000), (9000, 9000)]
    said = forest.outputs(np.array(corners, dtype=np.int16)).argmax(axis=1)
    for (left, right), got in zip(corners, said.tolist(), strict=True):
        if got != (left > 0 and right > 0):
            return Verdict(
                False, f"For left = {left}, right = {right} your tree answers {got}: not AND yet."
            )
    return Verdict(True, "A model without any training.")


@check_for("06.3", skill="train a model of your own and run it on the board")
def dials_on_board(model: DeviceModel | None, board: Board) -> Verdict:
    if model is None:
        return Verdict(False, "dials is still None: put what convert(...) returns there.")
    if not isinstance(model, DeviceModel):
        return Verdict(False, f"That is a {type(model).__name__}; convert makes a DeviceModel.")
    classes = set(map(str, model.classes))
    if classes != DIALS:
        return Verdict(
            False, f"Your model knows {', '.join(sorted(classes))}; it is to know none, one, both."
        )
    X = np.random.default_rng(6).uniform(-1, 1, (500, 2))
    truth = np.array(["none", "one", "both"])[(X > 0).sum(axis=1)]
    right = float(np.mean(model.predict(X) == truth))
    if right < GOOD:
        return Verdict(
            False, f"It is right at {right:.0%} of points: look at the labels, or train more trees."
        )
    path = f"/models/{model.name}/{model.file}"
    if not board.exists(path):
        return Verdict(False, f"It is good, but not on the board: there is no {path}. Deploy it.")
    if board.get(path) != model.data:
        return Verdict(False, f"The board holds another model under {path}: deploy this one.")
    return Verdict(True, f"Right at {right:.0%} of points, and on the board.")
