"""What a recording says of the board it comes from, and nothing that tells whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..board import Board


def board_identity(board: Board | None) -> dict[str, str] | None:
    """Kind of board, chip and MicroPython; no serial number, no port, no path."""
    if board is None:
        return None
    info = board.info
    return {"name": info.name, "chip": info.chip, "micropython": info.version}
