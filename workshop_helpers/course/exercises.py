"""Exercises in a notebook file: where they are, and whether they, their solutions and their checks
belong together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..errors import CourseError
from .checks import checks_of
from .files import read_notebook
from .solutions import read_solutions

_FIRST_LINE = re.compile(r"# Exercise (\d\d\.\d+): \S")


def tags_of(cell: Any) -> list[str]:
    """Tags of a notebook cell."""
    return list(cell.get("metadata", {}).get("tags", []))


def exercises_of(notebook: Any, name: str = "notebook") -> dict[str, int]:
    """Exercise -> index of its stub cell, in the notebook's order.

    Raises:
        CourseError: a cell tagged `exercise` lacks its first line, or a number comes twice.
    """
    found: dict[str, int] = {}
    for index, cell in enumerate(notebook["cells"]):
        if "exercise" not in tags_of(cell):
            continue
        match = _FIRST_LINE.match(cell["source"])
        if not match:
            raise CourseError(
                f"{name}, cell {index + 1}: an exercise starts with '# Exercise NN.N: what to do'."
            )
        if match[1] in found:
            raise CourseError(f"{name}: exercise {match[1]} is there twice.")
        found[match[1]] = index
    return found


def solutions_for(path: Path) -> dict[str, str]:
    """The solutions of a notebook, from the folder `solutions` beside it."""
    return read_solutions(path.parent / "solutions" / f"{path.stem}.py")


def mismatches(path: Path) -> list[str]:
    """What does not belong together in a notebook's exercises, one sentence each."""
    notebook = read_notebook(path)
    number = path.name[:2]
    exercises = exercises_of(notebook, path.name)
    solutions, checks = solutions_for(path), checks_of(number)
    problems = [f"exercise {e} has another number" for e in exercises if e[:2] != number]
    problems += [f"exercise {e} has no solution" for e in exercises if e not in solutions]
    problems += [f"exercise {e} has no check" for e in exercises if e not in checks]
    problems += [f"solution {e} has no exercise" for e in solutions if e not in exercises]
    problems += [f"check {e} has no exercise" for e in checks if e not in exercises]
    return problems


def with_solutions(notebook: Any, path: Path) -> Any:
    """The notebook, with every exercise stub replaced by its solution (a copy).

    Raises:
        CourseError: an exercise has no solution.
    """
    from copy import deepcopy

    solved, solutions = deepcopy(notebook), solutions_for(path)
    for exercise, index in exercises_of(notebook, path.name).items():
        if exercise not in solutions:
            raise CourseError(f"{path.name}: exercise {exercise} has no solution.")
        solved["cells"][index]["source"] = solutions[exercise]
    return solved
