"""Checks of the exercises in notebook 00."""

from __future__ import annotations

from ..board import Board
from .checks import Verdict, check_for


@check_for("00.1", skill="let the board compute, and read its answer as a value")
def sum_of_squares(answer: object) -> Verdict:
    if answer is None:
        return Verdict(False, "answer is still None: ask the board with board.eval(...).")
    if isinstance(answer, str):
        return Verdict(
            False, "That is text, as board.exec() gives it. board.eval() gives a number."
        )
    if answer == 338350:
        return Verdict(False, "That includes 100². range(100) ends at 99.")
    if answer != sum(i * i for i in range(100)):
        return Verdict(False, f"{answer!r} is not the sum of the squares of 0 to 99.")
    return Verdict(True, "The board can count.")


@check_for("00.2", skill="put a file of your own on the board")
def name_on_board(board: Board) -> Verdict:
    if not board.exists("/me.txt"):
        return Verdict(False, "There is no /me.txt on the board yet: board.put(bytes, path).")
    if not board.get("/me.txt").strip():
        return Verdict(False, "/me.txt is there, but empty.")
    return Verdict(True, "It will still be there after the next power cut.")
