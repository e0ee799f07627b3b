"""`doctor()`: a tick or the mend for everything between this laptop and a first inference."""

from __future__ import annotations

from collections.abc import Iterator

from ..board import Board
from .board import check_board
from .laptop import check_bundle, check_compiler, check_disk, check_packages, check_python
from .ports import check_ports, check_system
from .report import Check, DoctorReport, failed, guard, guarded, write_report
from .widgets import check_widgets

__all__ = ["Check", "DoctorReport", "doctor", "examine", "failed", "write_report"]


def doctor(board: Board | str | None = None) -> DoctorReport:
    """Look at Python, packages, widgets, the compiler, ports, caches and a board.

    A program that runs on the board is stopped, and named in the report.

    Args:
        board: a connected board, or a port as for `connect()`; None chooses as `connect()` does.

    Returns:
        A report that shows itself in a terminal and in a notebook. Nothing is raised: what is
        wrong stands in the report with its mend.
    """
    return DoctorReport(list(examine(board)))


def examine(board: Board | str | None = None) -> Iterator[Check]:
    """The checks of `doctor()`, each as it is found: those of a board may take ten seconds."""
    yield guard("Python", check_python)
    yield guard("packages", check_packages)
    yield guard("widgets", check_widgets)
    yield guard("mpy-cross", check_compiler)
    yield from guarded("serial ports", lambda: check_ports(board))
    yield from guarded("this computer", lambda: check_system(board))
    yield guard("disk and cache", check_disk)
    yield from guarded("bundle", check_bundle)
    yield from guarded("board", lambda: check_board(board))
