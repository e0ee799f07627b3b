"""The number of a notebook, however it is written."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import CourseError
from ..paths import NOTEBOOKS


def notebook_number(notebook: int | str | Path) -> str:
    """5, "5", "05", "05_install..." or its path -> "05".

    Raises:
        CourseError: that is no number of a notebook.
    """
    name = notebook.name if isinstance(notebook, Path) else str(notebook).rpartition("/")[2]
    match = re.fullmatch(r"(\d{1,2})(_.*)?", name.strip(), re.DOTALL)
    if isinstance(notebook, bool) or match is None:
        raise CourseError(
            f"{notebook!r} is not the number of a notebook.", 'Write it like 5 or "05".'
        )
    return match[1].zfill(2)


def find_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """The course's notebooks, in order.

    Raises:
        CourseError: there is none; a runner that finds nothing must not look like one that passed.
    """
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise CourseError(f"There is no notebook in {folder}.")
    return found


def find_notebook(notebook: int | str | Path) -> Path:
    """The file of a notebook, by its number in any spelling.

    Raises:
        CourseError: there is no such notebook; the message names those that there are.
    """
    number = notebook_number(notebook)
    there = {path.name[:2]: path for path in find_notebooks()}
    if number not in there:
        raise CourseError(f"There is no notebook {number}.", f"There are: {', '.join(there)}.")
    return there[number]


def title_of(path: Path) -> str:
    """A notebook's title, its first heading; else its file's name."""
    from .files import read_notebook

    cells = read_notebook(path)["cells"]
    match = re.match(r"# (.+)", cells[0]["source"]) if cells else None
    return match[1].strip() if match else path.stem
