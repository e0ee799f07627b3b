"""Asks this operating system; what the answers mean is in `system`."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

from . import system
from .system import Finding

_TIMEOUT_S = 3.0


def findings(boards: int, board_wanted: bool = False) -> list[Finding]:
    """What keeps boards away on this computer.

    Args:
        boards: how many ports look like one.
        board_wanted: somebody named a port that is not the virtual board's.
    """
    found: list[Finding | None] = []
    if sys.platform.startswith("linux"):
        processes = _processes()
        version = _text("/proc/version")
        usbipd = _output("usbipd.exe", "list") if "microsoft" in version.lower() else None
        found = [
            system.wsl(version, usbipd, boards, board_wanted),
            system.brltty(processes, _kernel_log(), boards),
            system.modem_manager(processes, boards, board_wanted),
        ]
    elif sys.platform == "win32":
        found = [system.windows_problem(_output("pnputil", "/enum-devices", "/problem") or "")]
    return [one for one in found if one is not None]


def _kernel_log() -> str:
    """ "" where this user may read neither."""
    return _output("dmesg") or _output("journalctl", "-k", "-b", "-q", "--no-pager") or ""


def _processes() -> str:
    return "\n".join(_text(path).strip() for path in Path("/proc").glob("[0-9]*/comm"))


def _text(path: str | Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return Path(path).read_text(encoding="utf-8")
    return ""


def _output(*command: str) -> str | None:
    """What a program prints; None if it is not there, fails or takes too long."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    text = done.stdout
    return text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-8", "replace")
