"""What the doctor found: a sign, what it is, and the mend."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape

from ..error_page import link_from_notebook, page_of
from ..errors import SetupError, WorkshopError
from ..files import write_whole
from ..start import package_at_fault
from ..text import printable

BACK_TO_THE_LOCK = "Run `python3 workshop.py demo`: it brings .venv back to the lock."
_ASK_FOR_HELP = (
    "Run it again; if it stays, ask for help with what `workshop doctor --report FILE` writes."
)
GOOD, NOTE, WRONG = "✔", "!", "✘"
# Told apart by everybody; the sign says it without colour.
_COLOURS = {GOOD: "#007a5a", NOTE: "#8a6100", WRONG: "#c33d00"}
_STYLES = {GOOD: "green", NOTE: "yellow", WRONG: "bold red"}


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    ok: False for what keeps the workshop from running. mend: None when nothing needs doing; with
    `ok` it is a note. code: its entry in docs/errors.md. facts: the same for programs.
    """

    name: str
    ok: bool
    found: str
    mend: str | None = None
    code: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def sign(self) -> str:
        """A tick, "!" for a note, or a cross."""
        if not self.ok:
            return WRONG
        return NOTE if self.mend else GOOD

    @property
    def lines(self) -> list[str]:
        """As text: what was found, then the mend with where to read on."""
        more = f"  [{self.code}: {page_of(self.code)}]" if self.code else ""
        mend = [f"    {self.mend}{more}"] if self.mend else []
        return [f"{self.sign} {self.name}: {self.found}", *mend]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        sign = f"[{_STYLES[self.sign]}]{self.sign}[/]"
        yield f"{sign} [bold]{escape(self.name)}[/]: {escape(self.found)}"
        for line in self.lines[1:]:
            yield f"[yellow]{escape(line)}[/]"


@dataclass(frozen=True)
class DoctorReport:
    """What the doctor found; `ok` when nothing that matters is wrong."""

    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with paths and ports as they are: `write_report` is what to pass on."""
        return {"ok": self.ok, "private": "kept", "checks": [vars(check) for check in self.checks]}

    def __repr__(self) -> str:
        return "\n".join(line for check in self.checks for line in check.lines)

    def _repr_html_(self) -> str:
        rows = []
        for c in self.checks:
            mend = f"<div><b>{html.escape(c.mend)}</b>{_link(c.code)}</div>" if c.mend else ""
            rows.append(
                f"<tr><td style='color:{_COLOURS[c.sign]};font-size:1.3em'>{c.sign}</td>"
                f"<td style='text-align:left;white-space:nowrap'><b>{html.escape(c.name)}</b></td>"
                f"<td style='text-align:left'>{html.escape(c.found)}{mend}</td></tr>"
            )
        return f"<table>{''.join(rows)}</table>"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.checks


def _link(code: str | None) -> str:
    return f" {link_from_notebook(code, html.escape(code))}" if code else ""


def guard(name: str, look: Callable[[], Check]) -> Check:
    """What `look` finds; what it raises is a finding as well, for the others are still to come."""
    return next(guarded(name, lambda: iter([look()])))


def guarded(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The same for several checks."""
    try:
        yield from look()
    except Exception as error:
        yield failed(name, error)


def failed(name: str, error: Exception) -> Check:
    """A check for what an error says."""
    if isinstance(error, WorkshopError):
        return Check(name, False, error.what, error.mend, error.code)
    if isinstance(error, ImportError | SyntaxError) and (package := package_at_fault(error)):
        found = f"the package {package} is missing or damaged: {error}"
        return Check(name, False, printable(found), BACK_TO_THE_LOCK, "PACKAGES")
    found = f"the check itself failed: {type(error).__name__}: {error}"
    return Check(name, False, printable(found), _ASK_FOR_HELP, "DOCTOR")


def write_report(report: DoctorReport, path: Path) -> None:
    """Write what was found, without names, homes, addresses, secrets and serial numbers.

    Raises SetupError if the file can't be written.
    """
    from ..health.private import without_private

    try:
        write_whole(path, (without_private(repr(report)) + "\n").encode())
    except OSError as error:
        why = error.strerror or str(error)
        raise SetupError(f"{path} can't be written: {why}.", "Name another file.") from error
