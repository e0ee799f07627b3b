"""Firmware for a bundle: files that the user names, or what mpflash fetches if it is installed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import BundleError, FirmwareFileError
from ..files import write_whole
from ..firmware import mpflash
from .manifest import Progress


def gather(folder: Path, files: Iterable[Path], boards: Iterable[str], progress: Progress) -> None:
    """Copy firmware files into `folder`; fetch that of `boards` (mpflash's board ids).

    Raises:
        BundleError: a file is missing, is no firmware, or there is no mpflash for the boards.
    """
    for path in files:
        if path.suffix.lower() not in mpflash.SUFFIXES:
            raise BundleError(
                f"{path} does not look like firmware.", f"It ends in {', '.join(mpflash.SUFFIXES)}."
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BundleError(
                f"The firmware {path} can't be read: {error.strerror}.",
                "Look at the path after --firmware.",
            ) from None
        if (folder / path.name).exists():
            raise BundleError(f"Two firmware files have the name {path.name}.", "Rename one.")
        write_whole(folder / path.name, data)
        progress(f"firmware {path.name}", 1, 1)
    for board in boards:
        progress(f"firmware for {board}, by mpflash", 0, 1)
        _fetch(folder, board)


def _fetch(folder: Path, board: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found = mpflash.download(board, Path(scratch))
        except FirmwareFileError as error:
            raise BundleError(error.what, error.mend) from None
        for path in found:
            write_whole(folder / path.name, path.read_bytes())
