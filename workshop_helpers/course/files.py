"""Notebook files, read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def read_notebook(path: Path) -> Any:
    """A notebook as nested dicts (`nbformat`'s node, version 4)."""
    import nbformat

    read: Any = nbformat.read  # not annotated there
    return read(path, as_version=4)


def write_notebook(notebook: Any, path: Path) -> None:
    import nbformat

    write: Any = nbformat.write
    write(notebook, path)


def new_code_cell(source: str, tags: list[str]) -> Any:
    import nbformat

    new: Any = nbformat.v4.new_code_cell
    return new(source, metadata={"tags": tags})
