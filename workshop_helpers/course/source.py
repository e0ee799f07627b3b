"""Device code shown from its file, so that what a notebook shows is what runs."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

from ..errors import CourseError
from ..paths import DEVICE_SCRIPTS, ROOT
from .display import show_code


def show_source(
    path: str,
    function: str | None = None,
    lines: tuple[int, int] | tuple[str, str] | None = None,
) -> None:
    """Show a file of `device_scripts`, or part of it, highlighted in a notebook.

    Args:
        path: relative to `device_scripts` ("apps/har_live.py"), else to the project
            ("native_modules/emlearn_trees.py").
        function: only this function or class; a method is "Class.method".
        lines: only these lines, first and last: counted from 1, or by what stands in them.

    Raises:
        CourseError: no such file, function or lines.
    """
    file = find_source(path)
    show_code(f"{file.relative_to(ROOT).as_posix()}", cut(file, function, lines))


def find_source(path: str) -> Path:
    """The file that `show_source(path)` shows."""
    for base in (DEVICE_SCRIPTS, ROOT):
        file = (base / path).resolve()
        if file.is_file() and file.is_relative_to(ROOT):
            return file
    there = sorted(f.relative_to(DEVICE_SCRIPTS).as_posix() for f in DEVICE_SCRIPTS.rglob("*.py"))
    raise CourseError(f"There is no file {path!r}.", f"There are: {', '.join(there)}.")


def cut(
    file: Path,
    function: str | None = None,
    lines: tuple[int, int] | tuple[str, str] | None = None,
) -> str:
    """The text of a file, of one function in it, or of some of its lines."""
    text = file.read_text(encoding="utf-8")
    rows = text.splitlines()
    if function is not None:
        first, last = _function_lines(ast.parse(text), function, file.name)
    elif lines is not None:
        first, last = (_line(rows, each, file.name) for each in lines)
        if not 1 <= first <= last <= len(rows):
            raise CourseError(
                f"{file.name} has no lines {first} to {last}.", f"It has {len(rows)} lines."
            )
    else:
        return text
    return textwrap.dedent("\n".join(rows[first - 1 : last]))


def _line(rows: list[str], named: int | str, file: str) -> int:
    """The number of a line, from 1: as given, or of the first that holds this text."""
    if isinstance(named, int):
        return named
    for number, row in enumerate(rows, 1):
        if named in row:
            return number
    raise CourseError(f"{file} has no line with {named!r}.")


def _function_lines(tree: ast.Module, name: str, file: str) -> tuple[int, int]:
    found: list[ast.stmt] = list(tree.body)
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None = None
    for part in name.split("."):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        named = [item for item in found if isinstance(item, kinds)]
        node = next((item for item in named if item.name == part), None)
        if node is None:
            there = ", ".join(item.name for item in named) or "none"
            raise CourseError(f"{file} has no function {name!r}.", f"There are: {there}.")
        found = node.body
    assert node is not None and node.end_lineno is not None
    first = min([node.lineno] + [item.lineno for item in node.decorator_list])
    return first, node.end_lineno
