"""Gives the interpreter what the host sends: bytes as bytes, Ctrl-C as an interrupt."""

from __future__ import annotations

import time

from .child_state import State
from .machine import Machine
from .platform_parts import Child

FULL_BYTES = 1 << 20
_CHUNK_BYTES = 65536
_CTRL_C = 3
_PATIENCE_S = 0.25
_LOOK_S = 0.002


class Feeder:
    """Bytes on their way to the interpreter."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._waiting = bytearray()
        self._ctrl_c_since: float | None = None

    @property
    def is_full(self) -> bool:
        """No more for now: no program reads what is here."""
        return len(self._waiting) >= FULL_BYTES

    @property
    def can_feed(self) -> bool:
        return bool(self._waiting) and self._machine.booted and self._machine.child is not None

    def look_again_s(self) -> float | None:
        """When to try again although the interpreter takes no bytes; None: no need to."""
        if not self.can_feed or _CTRL_C not in self._waiting:
            return None
        return _LOOK_S if self._ctrl_c_since is not None else 10 * _LOOK_S

    def add(self, data: bytes) -> None:
        """From the host. A board without power hears nothing."""
        if self._machine.child is not None:
            self._waiting += data

    def clear(self) -> None:
        self._waiting.clear()
        self._ctrl_c_since = None

    def feed(self) -> None:
        """As much as goes now."""
        while self.can_feed:
            child = self._machine.child
            assert child is not None
            position = self._waiting.find(_CTRL_C)
            if position != 0:
                end = len(self._waiting) if position < 0 else position
                written = self._write(self._waiting[: min(end, _CHUNK_BYTES)])
                position -= written
                if position > 0 and not written:
                    # As on a board, a Ctrl-C overtakes what no program reads.
                    self._interrupted(child, position)
                if not written:
                    return
            elif not self._ctrl_c(child):
                return

    def _ctrl_c(self, child: Child) -> bool:
        """Handle the Ctrl-C that comes next; False: later."""
        if not self._interrupted(child, 0):
            now = time.monotonic()
            if self._ctrl_c_since is None:
                self._ctrl_c_since = now
            state = child.state()
            patient = now - self._ctrl_c_since < _PATIENCE_S
            if state is State.RUNS or (state is State.BUSY and patient):
                return False  # it may be about to run what came before
            if not self._write(self._waiting[:1]):
                return False
        self._ctrl_c_since = None
        return True

    def _interrupted(self, child: Child, position: int) -> bool:
        if child.state() is not State.RUNS or not child.interrupt():
            return False
        end = position
        while end < len(self._waiting) and self._waiting[end] == _CTRL_C:
            end += 1  # several at once are one, as in a board's interrupt
        del self._waiting[position:end]
        return True

    def _write(self, data: bytearray) -> int:
        assert self._machine.input is not None
        written = self._machine.input.write(data)
        self._machine.line_ends.heard(bytes(data[:written]))
        del self._waiting[:written]
        return written
