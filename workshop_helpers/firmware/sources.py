"""Which file is this board's firmware: named, in a folder, or fetched by mpflash if it is there.

mpflash knows MicroPython's download index. It is called as a program and is no dependency: it
brings some forty packages, a test runner and a database among them. Without it the error names the
page to download from.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..board.catalogue import KnownBoard
from ..errors import FirmwareFileError
from ..paths import cache_dir

SUFFIXES = {
    "esptool": (".bin",),
    "uf2": (".uf2",),
    "dfu": (".dfu",),
    "stlink": (".hex", ".bin"),
    "bossac": (".bin", ".hex"),
    "teensy": (".hex",),
}
_TIMEOUT_S = 600.0


def find_firmware(board: KnownBoard, named: Path | str | None = None) -> Path:
    """The newest firmware file for a board: `named`, a bundle's, the cache's, or mpflash's.

    Raises:
        FirmwareFileError: there is none; the message names the page that has it.
    """
    if named is not None:
        path = Path(named)
        if not path.is_file():
            raise FirmwareFileError(f"There is no file {path}.", "Check the name and the path.")
        return path
    for folder in firmware_folders():
        if found := newest(board, folder):
            return found
    if (program := mpflash_program()) and (found := _fetch(program, board)):
        return found
    raise FirmwareFileError(
        f"There is no firmware for the {board.title} on this laptop.",
        f"Download {board.firmware}-….{SUFFIXES[board.flash_method][0][1:]} from "
        f"{board.download_page} and name it with --firmware (in a notebook: firmware=...).",
        page=board.download_page,
    )


def firmware_folders() -> list[Path]:
    """Where firmware may lie: the bundle in use, then the cache."""
    named = (os.environ.get(name, "") for name in ("WORKSHOP_BUNDLE", "WORKSHOP_MIRROR"))
    folders = [Path(name) / "firmware" for name in named if name and "://" not in name]
    return [folder for folder in [*folders, cache_dir() / "firmware"] if folder.is_dir()]


def newest(board: KnownBoard, folder: Path) -> Path | None:
    """The file of the highest version whose name is this board's, as MicroPython names them:
    ESP32_GENERIC_S3-SPIRAM_OCT-20251209-v1.27.0.bin."""
    name = re.compile(
        re.escape(board.firmware) + r"-(\d{8})-v(\d+)\.(\d+)(?:\.(\d+))?\.\w+", re.IGNORECASE
    )
    found = []
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        if match and path.suffix.lower() in SUFFIXES[board.flash_method]:
            found.append((tuple(int(part or 0) for part in match.groups()[1:]), path.name, path))
    return max(found)[2] if found else None


def mpflash_program() -> str | None:
    """Where mpflash is, if it is installed."""
    beside = shutil.which("mpflash", path=str(Path(sys.executable).parent))
    return beside or shutil.which("mpflash")


def _fetch(program: str, board: KnownBoard) -> Path | None:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            subprocess.run(
                [program, "download", "--version", "stable", "--board", board.micropython_id],
                env=dict(os.environ, MPFLASH_FIRMWARE=scratch),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        for folder in {path.parent for path in Path(scratch).rglob("*.*")}:
            if found := newest(board, folder):
                kept = cache_dir() / "firmware" / found.name
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, kept)
                return kept
    return None
