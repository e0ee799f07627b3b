"""The board behind the port: its power, its resets, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable

from .config import Config
from .faults import ONCE
from .line_ends import LineEnds
from .platform_parts import Child, Flash, Input

_POWER_ON, _HARD_RESET, _SOFT_RESET = 1, 2, 5  # machine.reset_cause()
_SOFT_RESET_CODES = {64: False, 65: True, 66: None}
"""Exit codes of an interpreter that asks for a soft reset: in the raw REPL? None: it can't say."""
_BOOTS_TRIED = 3
_PROMPTS = (b">>> ", b"CTRL-B to exit\r\n>")


class Machine:
    """Attributes:
    child: the interpreter; None without power.
    input: the wire to it; None without power.
    booted: has its firmware come as far as boot.py? Input waits for that.
    line_ends: wants to know what the host sends.
    """

    def __init__(self, config: Config, flash: Flash, tell: Callable[..., None]) -> None:
        self._config = config
        self._flash = flash
        self._tell = tell
        self.child: Child | None = None
        self.input: Input | None = None
        self.booted = False
        self.line_ends = LineEnds()
        self._failed_boots = 0
        self._boot_output = b""
        self._starts_raw = False
        self._faults = set(config.faults.device)
        self._brown_out = config.faults.brown_out_at

    def power_on(self) -> None:
        if self.child is None:
            self._start(raw_repl=False, cause=_POWER_ON)

    def power_cut(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.end()
            self.child = None
        if self.input is not None:
            self.input.close()
            self.input = None

    def listen(self) -> bytes:
        """What it has written, for the host; obeys what its firmware says along the way."""
        child = self.child
        if child is None:
            return b""
        said = child.read_control()
        data = child.read_output()  # all that it wrote before it said so
        if data and not self.booted and not said:
            said = child.read_control()
        if b"B" in said:
            self.booted = True
            self._failed_boots = 0
            self._faults -= set(ONCE)  # they are on the flash now
            self._tell(event="booted")
        if data and not self.booted:
            self._boot_output += data  # nothing but a failure speaks before boot.py
            if self._boot_output.endswith(_PROMPTS):
                child.kill()
            return b""
        output = self.line_ends.translate(data or b"")
        if b"P" in said:
            self.line_ends.at_prompt()
        if b"F" in said:
            child.kill()
        if b"D" in said:
            self._brown_out = None
            self.power_cut()
            self._start(raw_repl=False, cause=_POWER_ON)
        elif b"R" in said:
            self.power_cut()
            self._start(raw_repl=False, cause=_HARD_RESET)
        elif b"S" in said:
            child.kill()
            child.end()
            self._start(self._starts_raw, _SOFT_RESET)
            output += b"MPY: soft reboot\r\n"
        elif data == b"":
            output += self._after_the_end_of(child)
        return output

    def _start(self, raw_repl: bool, cause: int) -> None:
        self.booted = False
        self._boot_output = b""
        self._starts_raw = raw_repl
        self.line_ends.starts(raw_repl)
        if self.input is None:
            self.input = Input()
        names = sorted(self._faults)
        if self._brown_out is not None:
            names.append(f"brown-out={self._brown_out}")
        faults = ",".join(names) or "none"
        self.child = Child(self._config, self._flash, self.input, raw_repl, cause, faults)

    def _after_the_end_of(self, child: Child) -> bytes:
        """Reset, as its end asks for; what the host reads about it."""
        code = child.end()
        self.child = None
        if not self.booted:
            self._failed_boots += 1
            if self._failed_boots < _BOOTS_TRIED:
                self.power_on()
            else:
                self._failed_boots = 0
                self.power_cut()
                text = self._boot_output.decode("utf-8", "replace")
                self._tell(event="no_boot", code=code, output=text)
            return b""
        if code in _SOFT_RESET_CODES:
            raw_repl = _SOFT_RESET_CODES[code]
            self._start(self.line_ends.raw_repl if raw_repl is None else raw_repl, _SOFT_RESET)
            return b"MPY: soft reboot\r\n"
        self.power_cut()
        self._start(raw_repl=False, cause=_HARD_RESET)
        return b"\r\nvirtual board: the interpreter crashed (%d), reset\r\n" % code
