"""The virtual board: the real MicroPython on a serial port of this computer."""

from .forever import run_board_forever
from .virtual_board import VirtualBoard

__all__ = ["VirtualBoard", "run_board_forever"]
