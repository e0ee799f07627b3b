"""Firmware for a bundle: files that the user names, or what mpflash fetches if it is installed.

mpflash has been read about, not tried: it needs the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import BundleError
from ..files import write_whole
from .manifest import Progress

_TIMEOUT_S = 600.0
_SUFFIXES = (".uf2", ".bin", ".hex", ".dfu", ".zip", ".elf")


def gather(folder: Path, files: Iterable[Path], boards: Iterable[str], progress: Progress) -> None:
    """Copy firmware files into `folder`; fetch that of `boards` (mpflash's board ids).

    Raises:
        BundleError: a file is missing, is no firmware, or there is no mpflash for the boards.
    """
    for path in files:
        if path.suffix.lower() not in _SUFFIXES:
            raise BundleError(
                f"{path} does not look like firmware.", f"It ends in {', '.join(_SUFFIXES)}."
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BundleError(f"The firmware {path} can't be read: {error.strerror}.") from None
        if (folder / path.name).exists():
            raise BundleError(f"Two firmware files have the name {path.name}.", "Rename one.")
        write_whole(folder / path.name, data)
        progress(f"firmware {path.name}", 1, 1)
    for board in boards:
        progress(f"firmware for {board}, by mpflash", 0, 1)
        _fetch(folder, board)


def _fetch(folder: Path, board: str) -> None:
    program = shutil.which("mpflash", path=str(Path(sys.executable).parent)) or shutil.which(
        "mpflash"
    )
    if program is None:
        raise BundleError(
            f"mpflash, which would fetch the firmware for {board}, is not installed.",
            "Install it (`pip install mpflash`), or name firmware files with --firmware FILE.",
        )
    with tempfile.TemporaryDirectory() as scratch:
        try:
            done = subprocess.run(
                [program, "download", "--version", "stable", "--board", board],
                env=dict(os.environ, MPFLASH_FIRMWARE=scratch),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BundleError(f"mpflash does not run: {error}.") from None
        found = [path for path in Path(scratch).rglob("*") if path.suffix.lower() in _SUFFIXES]
        if done.returncode or not found:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise BundleError(
                f"mpflash got no firmware for {board}. It says:\n{said or '(nothing)'}",
                "Look at the board's id (`mpflash list`), or use --firmware FILE.",
            )
        for path in found:
            write_whole(folder / path.name, path.read_bytes())
