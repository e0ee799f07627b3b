"""Which program has a port open, as far as this user may see it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

_TIMEOUT_S = 3.0


def holder(port: str) -> tuple[int, str] | None:
    """(process, program) that has this port open; None if there is none, or nobody can tell.

    Linux and macOS; Windows keeps it to itself. On macOS it is untried.
    """
    if sys.platform.startswith("linux"):
        return _from_proc(port)
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["/usr/sbin/lsof", "-F", "pc", port]
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S
            )
            return from_lsof(done.stdout)
    return None


def _from_proc(port: str, proc: Path = Path("/proc")) -> tuple[int, str] | None:
    real = os.path.realpath(port)
    for process in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # somebody else's, or one that has just ended
            if any(_leads_to(link, real) for link in (process / "fd").iterdir()):
                # A long name is cut at a byte, which may be in the middle of a letter.
                name = (process / "comm").read_text(encoding="utf-8", errors="replace")
                return int(process.name), name.strip()
    return None


def _leads_to(link: Path, target: str) -> bool:
    with contextlib.suppress(OSError):
        return os.readlink(link) == target
    return False


def from_lsof(text: str) -> tuple[int, str] | None:
    """(process, program) in the output of `lsof -F pc PORT`."""
    pid = re.search(r"^p(\d+)$", text, re.MULTILINE)
    name = re.search(r"^c(.+)$", text, re.MULTILINE)
    return (int(pid[1]), name[1].strip()) if pid and name else None
