"""Boards that show themselves as a USB drive: find it, copy the file, see the drive vanish.

Where systems mount drives, by their documentation; tried on Linux only, with a folder for a drive.
"""

from __future__ import annotations

import getpass
import os
import re
import string
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..board.catalogue import KnownBoard
from ..errors import FlashingError, NoBootLoaderError, WrongChipError

INFO = "INFO_UF2.TXT"
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Drive:
    """A boot loader's drive, and what its INFO_UF2.TXT says: model and board id."""

    path: Path
    model: str
    board_id: str


def mount_points(platform: str = sys.platform) -> list[Path]:
    """Folders in which this system shows removable drives."""
    if platform == "win32":
        return [Path(f"{letter}:\\") for letter in string.ascii_uppercase[2:]]
    if platform == "darwin":
        parents = [Path("/Volumes")]
    else:
        user = ""
        with suppress(KeyError, OSError):  # a container may have no name for who is in it
            user = getpass.getuser()
        parents = [Path("/run/media") / user, Path("/media") / user, Path("/media")]
    return [drive for parent in parents if parent.is_dir() for drive in parent.iterdir()]


def find_drives(places: Iterable[Path] | None = None) -> list[Drive]:
    """Every UF2 drive that is plugged in."""
    drives = []
    for place in mount_points() if places is None else places:
        try:
            text = (place / INFO).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # no such drive, no medium in it, or not a boot loader's
        facts = dict(re.findall(r"^(Model|Board-ID):\s*(.+?)\s*$", text, re.MULTILINE))
        drives.append(Drive(place, facts.get("Model", ""), facts.get("Board-ID", "")))
    return drives


def wait_for_drive(
    board: KnownBoard,
    timeout_s: float,
    places: Callable[[], Iterable[Path]] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Drive:
    """The drive of this board's boot loader; `say` gets the steps to it, if it has to be awaited.

    Raises:
        NoBootLoaderError: none shows; the steps for this board are in the message.
        WrongChipError: a drive is there, but of another chip.
    """
    end = time.monotonic() + timeout_s
    told = False
    while True:
        drives = find_drives(places() if places else None)
        for drive in drives:
            if belongs(drive, board):
                return drive
        if time.monotonic() >= end:
            break
        if not told:
            say(f"waiting for the drive {board.uf2_drive}: {' '.join(board.boot_steps)}")
            told = True
        time.sleep(0.2)
    if drives:
        seen = ", ".join(f"{d.path} ({d.model}, {d.board_id})" for d in drives)
        raise WrongChipError(
            f"The drive that shows is not the {board.title}'s: {seen}.",
            f"Name the board that is plugged in; nothing was written. A {board.title} shows the "
            f"drive {board.uf2_drive}.",
        )
    raise NoBootLoaderError(
        f"No drive {board.uf2_drive} shows.", " ".join(board.boot_steps) + " Then run it again."
    )


def belongs(drive: Drive, board: KnownBoard) -> bool:
    """Whether the drive is of this board's chip, by what its file says."""
    words = f"{drive.model} {drive.board_id}".upper()
    if board.chip in ("RP2040", "RP2350"):
        return {"RP2040": "RPI-RP2", "RP2350": "RP2350"}[board.chip] in words
    return board.chip.upper() in words or board.name.split()[0].upper() in words


def copy_to_drive(
    drive: Drive,
    data: bytes,
    name: str,
    progress: Callable[[int, int], None],
    vanish_timeout_s: float = 20.0,
) -> None:
    """Write the file and wait until the drive is gone: the board has taken it and restarted.

    Raises:
        FlashingError: the drive went before all was written, or stays.
    """
    done = 0
    try:
        with (drive.path / name).open("wb") as file:
            for start in range(0, len(data), _BLOCK_BYTES):
                done = start
                file.write(data[start : start + _BLOCK_BYTES])
                file.flush()
                progress(min(start + _BLOCK_BYTES, len(data)), len(data))
            os.fsync(file.fileno())
    except OSError as error:
        # A board restarts with the last block: closing the file may fail when all is well.
        if done + _BLOCK_BYTES < len(data):
            raise FlashingError(
                f"Writing to {drive.path} broke off at {done} of {len(data)} bytes: {error}."
            ) from None
    end = time.monotonic() + vanish_timeout_s
    while os.path.exists(drive.path / INFO):  # unlike Path.exists it takes an I/O error for a no
        if time.monotonic() > end:
            raise FlashingError(
                f"{drive.path} is still there: the board did not take {name}.",
                "Look whether the firmware is for this board, then run it again.",
            )
        time.sleep(0.2)
