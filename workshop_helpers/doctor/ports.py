"""Ports, each with what it is, who may open it and who has it; and what keeps boards away."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from ..board import Board, list_ports
from ..board.discovery import GOOD_ENOUGH, PortRecord
from ..board.holder import holder
from ..board.permission import ask_permission
from ..health.system import modem_manager
from ..text import printable
from .report import Check


def check_ports(which: Board | str | None = None) -> Iterator[Check]:
    """Which boards does USB show? None is fine: another port is named, or the virtual one is it."""
    asked = which or os.environ.get("WORKSHOP_PORT")
    ports = _boards()
    found = ", ".join(port.device for port in ports) or "no board on USB"
    if isinstance(asked, str):
        found += f"; asked for {'the virtual board' if asked == 'virtual' else asked}"
    elif asked is not None:
        found += f"; connected to {asked.port}"
    elif not ports:
        found += "; the virtual board stands in"
    yield Check("serial ports", True, printable(found))
    wanted = asked if isinstance(asked, str) else asked.port if asked else None
    for port in ports:
        good = wanted is None and port.score >= GOOD_ENOUGH
        yield check_port(port, good or port.device == wanted)


def check_port(port: PortRecord, wanted: bool = True) -> Check:
    """What is at a port, may this user open it, and does another program have it?

    Args:
        wanted: it is the one to use, or may be: what is wrong with it matters.
    """
    usb = "" if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}"
    name, what = f"port {printable(port.device)}", printable(f"{port.why} ({usb})")
    facts: dict[str, object] = {"port": port.device, "usb": usb, "what": port.why}
    held = holder(port.device)
    facts["may_open"] = _may_open(port.device)
    facts["holder"] = None if held is None else {"process": held[0], "program": held[1]}
    if not facts["may_open"]:
        error = ask_permission(port.device)
        return Check(
            name, not wanted, f"{what}; you may not open it", error.mend, error.code, facts
        )
    if held is None:
        return Check(name, True, f"{what}; you may open it", facts=facts)
    if held[0] == os.getpid():
        return Check(name, True, f"{what}; this program has it open", facts=facts)
    program = printable(f"{held[1]} (process {held[0]})")
    code, mend = "PORT_BUSY", f"Close {program}, or its connection to this port, then try again."
    if found := modem_manager(held[1]):
        code, mend = found.code, found.mend
    return Check(name, not wanted, f"{what}; {program} has it open", mend, code, facts)


def check_system(which: Board | str | None = None) -> Iterator[Check]:
    """What on this computer keeps boards away: drivers, programs that take ports, WSL."""
    from ..health.gather import findings

    asked = which or os.environ.get("WORKSHOP_PORT") or ""
    virtual = asked == "virtual" or (isinstance(asked, Board) and asked.is_virtual)
    for found in findings(boards=len(_boards()), board_wanted=bool(asked) and not virtual):
        what = printable(found.what)
        yield Check("this computer", not found.matters, what, printable(found.mend), found.code)


def _boards() -> list[PortRecord]:
    return [port for port in list_ports() if port.score > 0]


def _may_open(port: str) -> bool:
    """False only where ports are files, and have owners."""
    if sys.platform == "win32" or not os.path.exists(port):
        return True
    return os.access(port, os.R_OK | os.W_OK)
