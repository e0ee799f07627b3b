"""`workshop progress`: the whole course, and what a learner has shown of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..errors import SetupError
from ..paths import progress_file
from . import record
from .notebooks import find_notebooks, title_of
from .summary import Shown, shown_in


@dataclass(frozen=True)
class NotebookProgress:
    """A notebook and its exercises."""

    number: str
    title: str
    exercises: tuple[Shown, ...]

    @property
    def passed(self) -> int:
        return sum(row.state == "passed" for row in self.exercises)


def read_progress() -> list[NotebookProgress]:
    """Every notebook of the course, in order."""
    return [
        NotebookProgress(path.name[:2], title_of(path), tuple(shown_in(path.name[:2])))
        for path in find_notebooks()
    ]


def as_dict(progress: list[NotebookProgress]) -> dict[str, Any]:
    """For JSON."""
    notebooks = [
        {
            "notebook": row.number,
            "title": row.title,
            "passed": row.passed,
            "of": len(row.exercises),
            "exercises": [asdict(exercise) for exercise in row.exercises],
        }
        for row in progress
    ]
    return {"file": str(progress_file()), "notebooks": notebooks}


def table_of(progress: list[NotebookProgress]) -> Any:
    """A rich table: one row a notebook, its exercises as signs, in words what comes next."""
    from rich.table import Table

    signs = {"passed": "✔", "tried": "✘", "not tried": "·"}
    table = Table("", "notebook", "exercises", "next", title="What you have shown you can do")
    for row in progress:
        marks = " ".join(signs[exercise.state] for exercise in row.exercises)
        table.add_row(
            row.number, row.title, f"{marks}  {row.passed}/{len(row.exercises)}", _next(row)
        )
    return table


def reset() -> bool:
    """Forget everything; whether there was something. SetupError if the file can't be removed."""
    try:
        return record.forget()
    except OSError as error:
        raise SetupError(
            f"{progress_file()} can't be removed: {error.strerror}.", "Remove it by hand."
        ) from None


def _next(row: NotebookProgress) -> str:
    """The first exercise left, in a notebook that was begun."""
    left = [exercise for exercise in row.exercises if exercise.state != "passed"]
    begun = any(exercise.state != "not tried" for exercise in row.exercises)
    return f"{left[0].exercise}: {left[0].skill}" if left and begun else ""
