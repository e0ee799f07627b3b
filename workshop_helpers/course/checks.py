"""Checks of exercises: each says what is wrong, and none of them raises for a wrong answer.

The checks of notebook NN are in `checks_NN.py`, imported when the first one is wanted:

    @check_for("10.1", skill="choose window and hop for a length and an overlap")
    def window_and_hop(window: object, hop: object) -> Verdict: ...

The skill completes the sentence "You can ...", which `check("10")` says at a notebook's end.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import (
    BoardGoneError,
    CourseError,
    NoBoardError,
    NoPromptError,
    PortBusyError,
    WorkshopError,
)
from .display import show_line
from .notebooks import notebook_number
from .record import note

CHECK_LOG = "WORKSHOP_CHECK_LOG"  # names a file that gets one JSON line a verdict


@dataclass(frozen=True)
class Verdict:
    """What a check found: whether the answer is right, and what to say about it."""

    passed: bool
    feedback: str

    def __bool__(self) -> bool:
        return self.passed

    def _ipython_display_(self) -> None:
        """Nothing: `check()` has shown it already, and is mostly the last line of a cell."""


CheckFunction = Callable[..., Verdict]
_F = TypeVar("_F", bound=CheckFunction)
_CHECKS: dict[str, CheckFunction] = {}
_SKILLS: dict[str, str] = {}
_last: list[str] = []  # the exercise checked last in this kernel


def check_for(exercise: str, skill: str = "") -> Callable[[_F], _F]:
    """Register the function below as the check of an exercise such as "10.1".

    `skill` is what passing it shows, as in "You can <skill>."; hygiene wants one.
    """

    def register(function: _F) -> _F:
        known = _CHECKS.get(exercise)
        if known is not None and known.__qualname__ != function.__qualname__:
            raise CourseError(f"Exercise {exercise} has two checks.", "Remove one of them.")
        _CHECKS[exercise] = function
        _SKILLS[exercise] = skill
        return function

    return register


def checks_of(notebook: str) -> dict[str, CheckFunction]:
    """The checks of notebook "10", by exercise, in order; empty if there are none."""
    name = f"{__package__}.checks_{notebook}"
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name)
    mine = [key for key in _CHECKS if key.split(".")[0] == notebook]
    return {key: _CHECKS[key] for key in sorted(mine, key=lambda key: int(key.split(".")[1]))}


def skills_of(notebook: str) -> dict[str, str]:
    """What each exercise of notebook "10" shows, in order."""
    return {exercise: _SKILLS[exercise] for exercise in checks_of(notebook)}


def find_check(exercise: object) -> CheckFunction:
    """The check of an exercise.

    Raises:
        CourseError: there is no such exercise; the message names those that there are.
    """
    if not isinstance(exercise, str) or not re.fullmatch(r"\d\d\.\d+", exercise):
        raise CourseError(
            f"{exercise!r} is not the number of an exercise.", 'Write it like check("10.1", ...).'
        )
    known = checks_of(exercise.split(".")[0])
    if exercise not in known:
        there = ", ".join(known) or "none"
        raise CourseError(
            f"There is no exercise {exercise} to check.", f"In this notebook there are: {there}."
        )
    return known[exercise]


def check(exercise: int | str | None = None, *values: Any) -> Verdict:
    """Look at the answer to an exercise, and show what is right or wrong about it.

    With the number of a notebook, or with nothing for the notebook of the last exercise: what you
    have shown you can do there.

    A wrong or unfinished answer never raises. Only these do: an exercise that does not exist
    (CourseError), and a board that is gone or does not answer (BoardError).
    """
    if exercise is None or (not values and "." not in str(exercise)):
        return _sum_up(exercise)
    function = find_check(exercise)
    name = str(exercise)
    verdict = _judge(function, name, values)
    _last[:] = [name]
    note(name, verdict.passed)
    _log(name, verdict)
    show_line("✔" if verdict.passed else "✘", f"{name}: {verdict.feedback}", good=verdict.passed)
    return verdict


def _sum_up(notebook: int | str | None) -> Verdict:
    from .summary import show_summary  # which asks this module for the skills

    if notebook is None and not _last:
        raise CourseError(
            "No exercise was checked yet, so it is not clear which notebook this is.",
            'Name it: check("10").',
        )
    return show_summary(notebook_number(_last[0].split(".")[0] if notebook is None else notebook))


def _judge(function: CheckFunction, exercise: str, values: tuple[Any, ...]) -> Verdict:
    signature = inspect.signature(function)
    try:
        signature.bind(*values)
    except TypeError:
        names = ", ".join(signature.parameters)
        return Verdict(False, f'Write it like this: check("{exercise}", {names}).')
    try:
        return function(*values)
    except (BoardGoneError, NoBoardError, NoPromptError, PortBusyError):
        raise  # says nothing about the answer, and has its own remedy
    except WorkshopError as error:
        return Verdict(False, error.what)
    except Exception as error:  # the answer was something the check did not think of
        if any(value is None for value in values):
            return Verdict(False, "Something is still None: fill it in, then run the cell again.")
        return Verdict(
            False, f"Your answer can't be used as it is. {type(error).__name__}: {error}"
        )


def _log(exercise: str, verdict: Verdict) -> None:
    path = os.environ.get(CHECK_LOG)
    if path:
        line = {"exercise": exercise, "passed": verdict.passed, "feedback": verdict.feedback}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
