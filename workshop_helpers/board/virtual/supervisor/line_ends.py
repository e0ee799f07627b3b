"""Line ends of the friendly REPL: a board's are CR LF, this interpreter's are LF.

Only text that the prompt's user sees is changed. What the raw REPL says, and what boot.py and
main.py write, passes byte by byte: programs read that.
"""

from __future__ import annotations

import re

_CTRL_A, _CTRL_B = 1, 2
_TO_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_TO_FRIENDLY = b"\r\nMicroPython "
_LONE_LF = re.compile(rb"(?<!\r)\n")


class LineEnds:
    """Follows the interpreter's output from mode to mode.

    A mode changes where the interpreter says so and the host asked for it; what a program prints
    does not count.

    Attributes:
        raw_repl: is it in the raw REPL?
    """

    def __init__(self) -> None:
        self.starts(raw_repl=False)

    def starts(self, raw_repl: bool) -> None:
        """A reset: boot.py comes next, and then this mode."""
        self.raw_repl = raw_repl
        self._prompt = False
        self._asked = False
        self._tail = b""

    def at_prompt(self) -> None:
        """boot.py and main.py are done."""
        self._prompt = True

    def heard(self, data: bytes) -> None:
        """The host sent this to the interpreter."""
        if (_CTRL_B if self.raw_repl else _CTRL_A) in data:
            self._asked = True

    def translate(self, data: bytes) -> bytes:
        """What the host gets for what the interpreter wrote."""
        translated = b""
        while data:
            seen = self._tail + data
            marker = _TO_FRIENDLY if self.raw_repl else _TO_RAW
            at = seen.find(marker) if self._asked else -1
            size = len(data) if at < 0 else at + len(marker) - len(self._tail)
            part, data = data[:size], data[size:]
            translated += self._with_cr(part)
            self._tail = (self._tail + part)[1 - len(_TO_RAW) :]
            if at >= 0:
                self.raw_repl = not self.raw_repl
                self._asked = False
        return translated

    def _with_cr(self, part: bytes) -> bytes:
        if self.raw_repl or not self._prompt or b"\n" not in part:
            return part
        cr = self._tail[-1:] if self._tail.endswith(b"\r") else b""
        return _LONE_LF.sub(b"\r\n", cr + part)[len(cr) :]
