"""What every notebook file of the course must look like, checked without running it."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .checks import skills_of
from .exercises import exercises_of, mismatches, tags_of
from .files import read_notebook

TAGS = {"parameters", "exercise", "check", "raises-exception", "hide-input"}
LONGEST_CELL = 12  # lines that are not blank
OPENING = ("You will do", "You will learn", "You need", "Minutes")
ENDING = ("Recap", "If it failed", "What comes next")
METADATA = {"language_info": {"name": "python"}}
CLEAN = "python3 scripts/strip_notebooks.py"

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)[^)]*\)")


def problems_of(path: Path, long_cells: Collection[str] = ()) -> list[str]:
    """What is wrong with a notebook file, one sentence each; empty if nothing is.

    Args:
        path: the notebook; links in it are looked up from its folder.
        long_cells: ids of cells that may be longer than `LONGEST_CELL`.
    """
    notebook = read_notebook(path)
    cells = notebook["cells"]
    problems = []
    if dict(notebook["metadata"]) != METADATA:
        problems.append(f"metadata is {dict(notebook['metadata'])}, not {METADATA}: {CLEAN}")
    for number, cell in enumerate(cells, 1):
        problems += [f"cell {number}: {text}" for text in _cell_problems(cell, long_cells)]
        if cell["cell_type"] == "markdown":
            problems += [f"cell {number}: {text}" for text in link_problems(cell["source"], path)]
    problems += _story_problems(cells) + _ending_problems(cells, path.name[:2])
    if len(exercises_of(notebook, path.name)) < 2:
        problems.append("there are fewer than two exercises")
    return problems + mismatches(path)


def _cell_problems(cell: Any, long_cells: Collection[str]) -> list[str]:
    problems = []
    unknown = set(tags_of(cell)) - TAGS
    if unknown:
        problems.append(f"unknown tags {sorted(unknown)}; there are {sorted(TAGS)}")
    if not cell.get("id"):
        problems.append("has no id")
    if set(cell["metadata"]) - {"tags"}:
        problems.append(f"has metadata {sorted(cell['metadata'])}: {CLEAN}")
    if cell["cell_type"] != "code":
        return problems
    if cell["outputs"] or cell["execution_count"] is not None:
        problems.append(f"holds outputs or an execution count: {CLEAN}")
    lines = [line for line in cell["source"].splitlines() if line.strip()]
    if not lines:
        problems.append("is empty")
    if len(lines) > LONGEST_CELL and cell.get("id") not in long_cells:
        problems.append(f"has {len(lines)} lines; {LONGEST_CELL} at most")
    return problems


def link_problems(text: str, path: Path) -> list[str]:
    """What is wrong with the links of a Markdown text in the file `path`: files and headings are
    looked up, addresses must be well-formed https (nothing is asked of the network)."""
    problems = []
    for image, alt, target in _LINK.findall(text):
        if image and not alt.strip():
            problems.append(f"the picture {target} has no text for those who can't see it")
        if re.match(r"[A-Za-z][A-Za-z+.-]*:", target):
            if not _is_address(target):
                problems.append(f"{target} is not an https address")
            continue
        name, _, heading = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists():
            problems.append(f"there is no {target}")
        elif heading and file.suffix == ".ipynb" and heading not in _headings(file):
            problems.append(f"there is no heading for {target}")
    return problems


def _is_address(target: str) -> bool:
    try:
        parts = urlsplit(target)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    labels = host.split(".")
    good = all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) for label in labels)
    return parts.scheme == "https" and len(labels) > 1 and good and not parts.username


def _headings(path: Path) -> set[str]:
    """What a link in a notebook can name after '#', as JupyterLab makes it from a heading."""
    text = "\n".join(
        cell["source"] for cell in read_notebook(path)["cells"] if cell["cell_type"] == "markdown"
    )
    return {title.replace(" ", "-") for title in re.findall(r"^#+ (.*?) *$", text, re.MULTILINE)}


def _story_problems(cells: Any) -> list[str]:
    """The first cell says what this is about, the last ones what it was and what follows."""
    problems = []
    first = cells[0]["source"] if cells and cells[0]["cell_type"] == "markdown" else ""
    if not first.startswith("# "):
        problems.append("the first cell does not start with a title")
    problems += [f"the first cell lacks '**{w}:**'" for w in OPENING if f"**{w}:**" not in first]
    if not re.search(r"\*\*Minutes:\*\* *\d+", first):
        problems.append("the first cell does not say how many minutes")
    last_code = max((i for i, c in enumerate(cells) if c["cell_type"] == "code"), default=-1)
    ending = "\n".join(cell["source"] for cell in cells[last_code + 1 :])
    headings = re.findall(r"^## (.*?) *$", ending, re.MULTILINE)
    if [heading for heading in headings if heading in ENDING] != list(ENDING):
        problems.append(f"it does not end with the headings {', '.join(ENDING)}")
    return problems


def _ending_problems(cells: Any, number: str) -> list[str]:
    """The last code cell says what was shown, and each exercise has a skill to say."""
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    last = code[-1].rstrip().splitlines()[-1:] if code else []
    problems = [
        f"exercise {exercise} has no skill: check_for({exercise!r}, skill='...')"
        for exercise, skill in skills_of(number).items()
        if not skill
    ]
    if last not in ([f'check("{number}")'], ["check()"]):
        problems.append(f'the last code cell does not end with check("{number}")')
    return problems
