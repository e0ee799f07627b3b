"""`catch_up`: what a notebook starts from, brought back for whoever fell behind."""

from __future__ import annotations

from pathlib import Path

from ..board import Board, connect
from ..errors import CourseError
from ..start import say
from .checkpoints import CHECKPOINTS
from .notebooks import find_notebook
from .steps import fresh_board


def catch_up(notebook: int | str | Path, board: Board | None = None) -> Board:
    """Bring back what the notebooks before this one leave behind; twice is fine.

    Run it in the notebook that you go on with, after its first cell: a virtual board belongs to
    the notebook that connected to it.

        catch_up("06", board)

    Args:
        notebook: 6, "06" or "06_deploy_your_first_model".
        board: where to; None: connects as `connect()` does.

    Returns:
        The board, at its prompt.

    Raises:
        CourseError: there is no such notebook.
        WorkshopError: what goes wrong on the board; run it again afterwards.
    """
    path = find_notebook(notebook)
    if path.name[:2] not in CHECKPOINTS:
        raise CourseError(
            f"{path.stem} has no checkpoint.", "Give it a row in course/checkpoints.py."
        )
    board = connect() if board is None else board
    steps = (fresh_board(), *CHECKPOINTS[path.name[:2]])
    for number, step in enumerate(steps, 1):
        say(f"[{number}/{len(steps)}] {step.what} … ", end="")
        try:
            how = step.restore(board)
        except BaseException:
            say("✘")
            raise
        say(how)
    say(f"✔ Ready for {path.stem}.")
    return board
