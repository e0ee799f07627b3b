"""`workshop board`: a virtual board that any program can connect to."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from ..commands import repl_command, workshop_command
from .supervisor.faults import Faults
from .virtual_board import VirtualBoard

_LOOK_S = 0.5


def run_board_forever(
    *,
    flash: Path | None = None,
    flash_size_bytes: int = 2 * 1024 * 1024,
    heap_size_bytes: int = 256 * 1024,
    baud: int | None = None,
    transport: Literal["auto", "pty", "socket"] = "auto",
    faults: Faults | None = None,
    as_json: bool = False,
) -> None:
    """Offer a virtual board until Ctrl-C (or SIGTERM), saying how to connect to it.

    Takes what `VirtualBoard` takes. With `as_json` the only output is one line of JSON, with
    "port", "flash" (path or null), "heap_size_bytes".

    Raises:
        SetupError, BoardError: it can't be started, or its process ended.
    """
    board = VirtualBoard(
        flash=flash,
        flash_size_bytes=flash_size_bytes,
        heap_size_bytes=heap_size_bytes,
        baud=baud,
        transport=transport,
        faults=faults,
    )
    earlier = _end_on_sigterm()
    try:
        with board:
            _say(board, flash, as_json)
            port = board.port
            while True:
                board.check()
                time.sleep(_LOOK_S)
                if board.port != port:
                    port = board.port
                    print(f"The board is back, as {port}.", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    finally:
        if earlier is not None:
            signal.signal(signal.SIGTERM, earlier)


def _end_on_sigterm() -> Any:
    """SIGTERM is from now on as Ctrl-C; the handler before that. None outside the main thread."""
    try:
        return signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:
        return None


def _say(board: VirtualBoard, flash: Path | None, as_json: bool) -> None:
    if as_json:
        answer = {
            "port": board.port,
            "flash": None if flash is None else str(flash),
            "heap_size_bytes": board.heap_size_bytes,
        }
        print(json.dumps(answer), flush=True)
        return
    console = Console(highlight=False, soft_wrap=True)
    kept = (
        f"kept in {escape(str(flash))}"
        if flash
        else "thrown away at the end (keep it with --flash FILE)"
    )
    console.print("[bold]The virtual board is on[/]: the real MicroPython on a serial port.")
    console.print(f"  Port         [bold]{board.port}[/]", markup=True)
    console.print(f"  Its files    {kept}")
    prompt, demo = repl_command(board.port), workshop_command("demo", "--port", board.port)
    console.print(f"  A prompt     {escape(prompt)}    (Ctrl-X leaves it)")
    console.print(f"  In Python    connect({board.port!r})")
    console.print(f"  The demo     {escape(demo)}")
    console.print("Ctrl-C here ends it.")
