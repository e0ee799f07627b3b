"""Notebook 03's way to flash: without esptool it says so, and the rest of the notebook goes on."""

from __future__ import annotations

from pathlib import Path

from ..errors import FlashToolError
from ..firmware import FlashResult, PracticeChip, flash


class NotFlashed:
    """Nothing was flashed: the program for it is missing. Shows what to do."""

    def __init__(self, error: FlashToolError) -> None:
        self.error = error

    def __repr__(self) -> str:
        return (
            "Not flashed: esptool is not on this laptop and there is no network. "
            "Connect once, or start with: workshop.py --bundle DIR. Then run this cell again."
        )


def flash_or_say(
    board: str, port: str | PracticeChip, firmware: Path, *, progress: bool = True
) -> FlashResult | NotFlashed:
    """As `workshop_helpers.firmware.flash`, but a missing esptool is a note and no error."""
    try:
        return flash(board, port, firmware, progress=progress)
    except FlashToolError as error:
        return NotFlashed(error)
