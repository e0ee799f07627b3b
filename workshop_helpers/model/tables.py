"""Small HTML tables for notebooks; every cell is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table_html(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a caption; `heads` may be empty strings for a table of pairs."""
    head = ""
    if any(heads):
        head = "<tr>" + "".join(f"<th>{escape(h)}</th>" for h in heads) + "</tr>"
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><caption>{escape(title)}</caption>{head}{body}</table>"
