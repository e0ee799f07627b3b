"""Which file is this board's firmware: named, in a folder, or fetched by mpflash if it is there.

Without it, or when it gets nothing, the error names the page to download from.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from ..board.catalogue import KnownBoard
from ..errors import FirmwareFileError
from ..files import write_whole
from ..paths import cache_dir
from . import mpflash

SUFFIXES = {
    "esptool": (".bin",),
    "uf2": (".uf2",),
    "dfu": (".dfu",),
    "stlink": (".hex", ".bin"),
    "bossac": (".bin", ".hex"),
    "teensy": (".hex",),
}


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
    said = ""
    if mpflash.program():
        try:
            if found := _fetch(board):
                return found
        except FirmwareFileError as error:
            said = " " + error.what
    raise FirmwareFileError(
        f"There is no firmware for the {board.title} on this laptop.{said}",
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


def _fetch(board: KnownBoard) -> Path | None:
    """What mpflash has for this board, now in the cache; None if it is of another variant."""
    print(f"getting firmware for the {board.title}, by mpflash", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        fetched = mpflash.download(board.micropython_id, Path(scratch))
        for folder in {path.parent for path in fetched}:
            if found := newest(board, folder):
                kept = cache_dir() / "firmware" / found.name
                write_whole(kept, found.read_bytes())
                return kept
    return None
