"""What goes wrong, as a table: how it is found, its code, its mend, and the test that provokes it.

table.toml is the only source; docs/errors.md is made of it. What a code means is the first line of
its exception's docstring, or stands in the table where no exception has it.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import errors
from ..errors import WorkshopError

TABLE = Path(__file__).with_name("table.toml")


@dataclass(frozen=True)
class Mend:
    """One line of what to do; `on`: the system or board that it is for, "" for all.

    `{...}` stands for what belongs there: a port, a group, a board's steps.
    """

    do: str
    on: str = ""


@dataclass(frozen=True)
class Row:
    """One way in which things go wrong.

    Args:
        name: of the row, and of the function that provokes it.
        code: of the exception, or of the doctor's finding.
        seen: what people see or say.
        found_by: how the workshop notices.
        mends: what the error then says; at least one.
        before: what the workshop does by itself before it gives up; "" for nothing.
        numbers: of the list of thirty failures, gathered from issue threads, that this began with.
        test: module of tests/ and function that does it.
    """

    name: str
    code: str
    seen: str
    found_by: str
    mends: tuple[Mend, ...]
    before: str
    numbers: tuple[int, ...]
    test: str


@functools.cache
def load_rows() -> tuple[Row, ...]:
    """Every row, in the order of the table."""
    return tuple(_row(entry) for entry in _table()["row"])


def meaning_of(code: str) -> str:
    """One sentence: what a code means. KeyError if nobody says."""
    kind = _kinds().get(code)
    if kind is None:
        return str(_table()["meanings"][code])
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _row(entry: dict[str, Any]) -> Row:
    code = entry["code"]
    mends = entry.get("mends") or [_kinds()[code].default_mend]
    return Row(
        name=entry["name"],
        code=code,
        seen=entry["seen"],
        found_by=entry["found_by"],
        mends=tuple(Mend(m) if isinstance(m, str) else Mend(m["do"], m["on"]) for m in mends),
        before=entry.get("before", ""),
        numbers=tuple(entry.get("numbers", ())),
        test=entry["test"],
    )


@functools.cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@functools.cache
def _kinds() -> dict[str, type[WorkshopError]]:
    """Code -> exception."""
    return {
        kind.code: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, WorkshopError)
    }
