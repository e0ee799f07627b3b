"""Solutions of exercises, in `notebooks/solutions/<notebook>.py`, one `# %% NN.N` cell each."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import CourseError
from ..paths import NOTEBOOKS
from .display import show_code

SOLUTIONS = NOTEBOOKS / "solutions"
_CELL = re.compile(r"^# %% *(.*?) *$", re.MULTILINE)


def solution(exercise: str) -> None:
    """Show one way to solve an exercise, such as "10.1".

    Raises:
        CourseError: there is no such exercise.
    """
    number = str(exercise).split(".")[0]
    found = sorted(SOLUTIONS.glob(f"{number}_*.py")) if re.fullmatch(r"\d\d", number) else []
    known = read_solutions(found[0]) if found else {}
    if exercise not in known:
        there = ", ".join(known) or "none"
        raise CourseError(
            f"There is no solution {exercise!r}.",
            f'Write it like solution("10.1"); in this notebook there are: {there}.',
        )
    show_code(f"Solution {exercise}", known[exercise])


def read_solutions(path: Path) -> dict[str, str]:
    """Exercise -> source, from a file of percent cells.

    Raises:
        CourseError: a cell has no number or no code, a number comes twice, or code stands before
            the first cell.
    """
    if not path.exists():
        return {}
    parts = _CELL.split(path.read_text(encoding="utf-8"))
    if parts[0].strip():
        raise CourseError(f"{path.name} has code before its first '# %%' line.")
    solutions: dict[str, str] = {}
    for exercise, code in zip(parts[1::2], parts[2::2], strict=True):
        if not re.fullmatch(r"\d\d\.\d+", exercise) or exercise in solutions or not code.strip():
            raise CourseError(
                f"{path.name}: '# %% {exercise}' is empty, twice there, or no number."
            )
        solutions[exercise] = code.strip("\n")
    return solutions
