"""What a learner has shown they can do, exercise by exercise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import CourseError
from .checks import Verdict, skills_of
from .display import show_line
from .record import Tried, read_record

State = Literal["passed", "tried", "not tried"]


@dataclass(frozen=True)
class Shown:
    """An exercise: the skill it is about ("read a board's architecture"), and how it went."""

    exercise: str
    skill: str
    state: State
    tries: int


def shown_in(notebook: str) -> list[Shown]:
    """The exercises of notebook "10", in order; empty if it has none."""
    record = read_record()
    return [
        Shown(exercise, skill, _state(record.get(exercise)), record.get(exercise, _NEVER).tries)
        for exercise, skill in skills_of(notebook).items()
    ]


def show_summary(notebook: str) -> Verdict:
    """Show what was shown in notebook "10", in words of skills. Passed if all of it was.

    Raises:
        CourseError: the notebook has no exercises.
    """
    rows = shown_in(notebook)
    if not rows:
        raise CourseError(f"Notebook {notebook} has no exercises.", 'Write it like check("10").')
    done = sum(row.state == "passed" for row in rows)
    show_line("★", f"What you have shown you can do: {done} of {len(rows)}", good=True)
    for row in rows:
        if row.state == "passed":
            show_line("✔", f"You can {row.skill} ({row.exercise}).", good=True)
        elif row.state == "tried":
            show_line("✘", f"Tried, not there yet: {row.skill} ({row.exercise}).", good=False)
        else:
            show_line("·", f"Not tried yet: {row.skill} ({row.exercise}).", good=None)
    if done == len(rows):
        ending = "All of it. It is kept: `workshop progress` shows the whole course."
    else:
        ending = "solution(...) shows one way; what you have shown is kept when you come back."
    show_line("·", ending, good=None)
    return Verdict(done == len(rows), f"{done} of {len(rows)}")


_NEVER = Tried(0, False)


def _state(tried: Tried | None) -> State:
    if tried is None:
        return "not tried"
    return "passed" if tried.passed else "tried"
