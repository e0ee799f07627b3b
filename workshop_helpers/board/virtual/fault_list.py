"""Faults by name, for people: `workshop board --fault list`, and what a wrong name gets."""

from __future__ import annotations

from rich.table import Table

from ...errors import BoardError
from .supervisor.faults import FAULTS, Faults


def faults_from(specs: list[str], seed: int) -> Faults:
    """The faults that `--fault NAME` and `--fault NAME=VALUE` ask for. BoardError for others."""
    try:
        return Faults.named(*specs, seed=seed)
    except ValueError as error:
        raise BoardError(
            f"No board can misbehave so: {error}.", "`workshop board --fault list` shows them all."
        ) from None


def fault_table() -> Table:
    """Every fault with its one line."""
    table = Table("--fault", "what happens", title="Boards that misbehave on purpose", box=None)
    table.columns[0].no_wrap = True
    for fault in FAULTS:
        table.add_row(fault.name, fault.what)
        if fault.value:
            table.add_row("", f"[dim]=VALUE {fault.value}; else {fault.default:g}[/]")
    return table


def fault_rows() -> list[dict[str, object]]:
    """The same, for --json."""
    return [
        {"name": f.name, "what": f.what, "value": f.value or None, "default": f.default or None}
        for f in FAULTS
    ]
