"""`connect`: from nothing, a port name or an address to a Board."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..notebook import in_notebook
from .board import Board
from .discovery import choose, list_ports

VIRTUAL = "virtual"


def connect(
    port: str | None = None,
    *,
    timeout_s: float = 10.0,
    heap_size_bytes: int = 256 * 1024,
    flash: Path | None = None,
) -> Board:
    """Connect to a board and get its prompt, without a soft reset.

    Args:
        port: a device (`COM5`, `/dev/ttyACM0`), a PTY, any pyserial address
            (`socket://host:port`), or "virtual". Without it: `WORKSHOP_PORT`, else the best board
            on USB, else a virtual board, which is said in one line.
        timeout_s: how long to try for a prompt; a program that runs is interrupted.
        heap_size_bytes, flash: of a virtual board; `flash` keeps its files.

    Raises NoBoardError, ManyBoardsError, PortBusyError, PortPermissionError, NoPromptError.
    """
    chosen = port or os.environ.get("WORKSHOP_PORT")
    if not chosen:
        best = choose(list_ports())
        chosen = best.device if best else VIRTUAL
        if best:
            _say(f"Using {best.device}: {best.why}.")
        else:
            _say("No board on USB: using a virtual board, the real MicroPython on this computer.")
    if chosen != VIRTUAL:
        return Board(chosen, timeout_s=timeout_s)
    from .virtual import VirtualBoard

    virtual = VirtualBoard(flash=flash, heap_size_bytes=heap_size_bytes).start(timeout_s)
    return Board(virtual.port, timeout_s=timeout_s, virtual=virtual)


def _say(text: str) -> None:
    """To standard error, so that what a command prints can be piped; in a notebook, which shows
    that in a red box, to standard output."""
    print(text, file=sys.stdout if in_notebook() else sys.stderr)
