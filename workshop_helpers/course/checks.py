"""Checks of exercises: each says what is wrong, and none of them raises for a wrong answer.

The checks of notebook NN are in `checks_NN.py`, imported when the first one is wanted:

    @check_for("10.1")
    def window_and_hop(window: object, hop: object) -> Verdict: ...
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
_PASSED: dict[str, bool] = {}


def check_for(exercise: str) -> Callable[[_F], _F]:
    """Register the function below as the check of an exercise such as "10.1"."""

    def register(function: _F) -> _F:
        known = _CHECKS.get(exercise)
        if known is not None and known.__qualname__ != function.__qualname__:
            raise CourseError(f"Exercise {exercise} has two checks.", "Remove one of them.")
        _CHECKS[exercise] = function
        return function

    return register


def checks_of(notebook: str) -> dict[str, CheckFunction]:
    """The checks of notebook "10", by exercise, in order; empty if there are none."""
    name = f"{__package__}.checks_{notebook}"
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name)
    mine = [key for key in _CHECKS if key.split(".")[0] == notebook]
    return {key: _CHECKS[key] for key in sorted(mine, key=lambda key: int(key.split(".")[1]))}


def find_check(exercise: str) -> CheckFunction:
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


def check(exercise: str, *values: Any) -> Verdict:
    """Look at the answer to an exercise, and show what is right or wrong about it.

    A wrong or unfinished answer never raises. Only these do: an exercise that does not exist
    (CourseError), and a board that is gone or does not answer (BoardError).
    """
    verdict = _judge(find_check(exercise), exercise, values)
    _PASSED[exercise] = verdict.passed
    _log(exercise, verdict)
    show_line(
        "✔" if verdict.passed else "✘", f"{exercise}: {verdict.feedback}", good=verdict.passed
    )
    return verdict


def show_progress(notebook: str) -> None:
    """Show which exercises of notebook "10" have passed since the kernel started."""
    for exercise, passed in progress(notebook).items():
        sign = {True: "✔", False: "✘", None: "·"}[passed]
        words = {True: "done", False: "tried", None: "not tried yet"}[passed]
        show_line(sign, f"{exercise}: {words}", good=passed is True)


def progress(notebook: str) -> dict[str, bool | None]:
    """Exercise -> whether its last check passed; None if it was not tried in this session."""
    return {exercise: _PASSED.get(exercise) for exercise in checks_of(notebook)}


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
