"""Tables of modules for a terminal."""

from __future__ import annotations

from rich.table import Table

from .build import BuiltModule
from .inventory import KnownModule
from .lock import Lock


def known_table(lock: Lock, known: list[KnownModule]) -> Table:
    """What can be installed, and from whom."""
    table = Table(title=f"native modules (official: {lock.version}, .mpy {lock.abi})")
    for column in ("module", "workshop", "official", "in the cache", "what it is"):
        table.add_column(column, no_wrap=column == "module")
    for module in known:
        official = f"{len(module.official)} builds" if module.official else "—"
        here = ", ".join(module.cached) or "—"
        table.add_row(module.name, "✔" if module.ours else "—", official, here, module.summary)
    return table


def size_table(lock: Lock, built: list[BuiltModule]) -> Table:
    """What was built: bytes beside those of the official file for the same architecture."""
    table = Table(title=f"native modules (official: {lock.version})")
    for column in ("module", "architecture", ".mpy", "bytes", "official", "SHA-256"):
        number = column in ("bytes", "official")
        table.add_column(column, justify="right" if number else "left", no_wrap=not number)
    for module in built:
        official = lock.find(module.name, module.arch) if module.arch else None
        table.add_row(
            module.name,
            module.arch or "any (plain)",
            module.abi,
            str(module.size_bytes),
            str(official.size_bytes) if official else "—",
            module.sha256[:12],
        )
    return table
