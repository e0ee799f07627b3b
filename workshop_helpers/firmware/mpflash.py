"""mpflash, which knows MicroPython's download index: found, and asked for a board's firmware.

It is called as a program and is no dependency: it brings some forty packages, a test runner and a
database among them. It has been read about, not tried: it needs the network. Tests put a program of
the same options in its place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import FirmwareFileError
from ..programs import run

SUFFIXES = (".uf2", ".bin", ".hex", ".dfu", ".zip", ".elf")
_TIMEOUT_S = 600.0


def program() -> list[str] | None:
    """The command that starts mpflash; None if it is not installed."""
    beside = shutil.which("mpflash", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("mpflash")
    return [found] if found else None


def download(micropython_id: str, scratch: Path) -> list[Path]:
    """The newest stable firmware files of a board (its id at MicroPython), under `scratch`.

    Raises:
        FirmwareFileError: mpflash is not installed, does not run, or got nothing; says which.
    """
    command = program()
    if command is None:
        raise FirmwareFileError(
            f"mpflash, which would fetch the firmware for {micropython_id}, is not installed.",
            "Install it (`pip install mpflash`), or name firmware files with --firmware FILE.",
        )
    try:
        done = run(
            [*command, "download", "--version", "stable", "--board", micropython_id],
            dict(os.environ, MPFLASH_FIRMWARE=str(scratch)),
            _TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FirmwareFileError(f"mpflash does not run: {error}.") from None
    found = sorted(path for path in scratch.rglob("*") if path.suffix.lower() in SUFFIXES)
    if done.returncode or not found:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise FirmwareFileError(
            f"mpflash got no firmware for {micropython_id}. It says:\n{said or '(nothing)'}",
            "Look at the board's id (`mpflash list`), or use --firmware FILE.",
        )
    return found
