"""Watching a board start: what `main.py` says when nobody holds it up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ..board import Board
from ..errors import BoardGoneError
from ..text import printable

_BAUD = 115200
_TO_FRIENDLY_PROMPT = b"\r\x03\x03\x02"
_SOFT_RESET = b"\x04"  # at that prompt it runs main.py, from the raw REPL it does not
_PROMPT = b">>> "
_REBOOT = b"soft reboot"
_SHOWN_LINES = 12


@dataclass(frozen=True)
class Boot:
    """Lines with the seconds since the reset at which they came, and whether main.py ended."""

    lines: tuple[tuple[float, str], ...]
    ended: bool

    def __repr__(self) -> str:
        end = "\n(the prompt is back)" if self.ended else "\n(still running; interrupted now)"
        shown = [f"{at_s:4.1f} s  {line}" for at_s, line in self.lines[:_SHOWN_LINES]]
        if more := len(self.lines) - len(shown):
            shown.append(f"and {more} lines more")
        return "\n".join(shown) + end


def watch_boot(board: Board, seconds: float = 6.0) -> Boot:
    """Reset the board so that boot.py and main.py run, listen, then interrupt and come back.

    Ends early if main.py does. Afterwards the board is at its prompt, with an empty heap.

    Raises:
        BoardGoneError: the port died meanwhile.
        NoPromptError: main.py can't be interrupted.
    """
    import serial

    with board.released() as port:
        try:
            with serial.serial_for_url(port, baudrate=_BAUD, timeout=0.05) as line:
                boot = _listen(line, seconds)
        except (OSError, serial.SerialException) as error:
            raise BoardGoneError(f"{port} died while the board started: {error}.") from None
    board.soft_reset()
    return boot


def _listen(line: Any, seconds: float) -> Boot:
    line.write(_TO_FRIENDLY_PROMPT)
    _after(line, _PROMPT, 2.0)
    line.write(_SOFT_RESET)
    # What the prompt said before the reset may still be on its way.
    rest = _after(line, _REBOOT, 5.0)
    began = time.monotonic()
    lines: list[tuple[float, str]] = []
    while True:
        at_s = time.monotonic() - began
        *whole, rest = rest.split(b"\n")
        said = [printable(row.decode("utf-8", "replace").rstrip()) for row in whole]
        lines += [(at_s, text) for text in said if text]
        if at_s >= seconds or rest.endswith(_PROMPT):
            return Boot(tuple(lines), rest.endswith(_PROMPT))
        rest += line.read(line.in_waiting or 1)


def _after(line: Any, wanted: bytes, timeout_s: float) -> bytes:
    """Read until `wanted` has come, or for `timeout_s`; what came after it."""
    end, said = time.monotonic() + timeout_s, b""
    while wanted not in said and time.monotonic() < end:
        said += line.read(line.in_waiting or 1)
    return bytes(said.partition(wanted)[2])
