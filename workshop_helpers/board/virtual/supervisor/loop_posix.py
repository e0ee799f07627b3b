"""Carries bytes between the port and the interpreter, and does what a board does at a reset."""

from __future__ import annotations

import json
import os
import select
import time

from .child_posix import Child, State
from .config import Config
from .flash import Flash, FlashInUseError
from .host_links import PtyLink, SocketLink
from .interpreter import RAN_TO_ITS_END
from .line_ends import LineEnds
from .pacing import Pace

_CHUNK_BYTES = 65536
_FULL_BYTES = 1 << 20  # of input that no program reads
_CTRL_C = 3
_DETACHED_LOOK_S = 0.02
_CTRL_C_LOOK_S = 0.002
_CTRL_C_PATIENCE_S = 0.25
_POWER_ON, _HARD_RESET, _SOFT_RESET = 1, 2, 5  # machine.reset_cause()


class Loop:
    """The supervisor's one thread."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._child: Child | None = None
        self._booted = False
        self._failed_boots = 0
        self._to_child = bytearray()
        self._to_host = bytearray()
        self._line_ends = LineEnds()
        self._in_pace = Pace(config.bytes_per_s)
        self._out_pace = Pace(config.bytes_per_s)
        self._commands = b""
        self._ctrl_c_since: float | None = None
        self._ended = False

    def run(self) -> None:
        try:
            self._flash = Flash(self._config.flash, self._config.flash_size_bytes)
        except (OSError, FlashInUseError) as error:
            in_use = isinstance(error, FlashInUseError)
            self._tell(event="no_flash", in_use=in_use, why=str(error))
            return
        self._link = PtyLink() if self._config.transport == "pty" else SocketLink()
        self._tell(event="port", port=self._link.port)
        os.set_blocking(0, False)
        self._reset(raw_repl=False, cause=_POWER_ON)
        try:
            while not self._ended:
                self._turn()
        finally:
            self._power_cut()
            self._link.close()
            self._flash.close()

    def _turn(self) -> None:
        """Wait until something can be done, and do it."""
        child, link = self._child, self._link
        attached = link.attached
        poller = select.poll()
        wait_s = 3600.0
        poller.register(0, select.POLLIN)
        events: dict[int, int] = {}
        if not attached:
            wait_s = _DETACHED_LOOK_S
            if self._config.transport == "socket":
                wait_s = 3600.0
                events |= dict.fromkeys(link.fds_to_read(), select.POLLIN)
        elif len(self._to_child) < _FULL_BYTES:
            events |= dict.fromkeys(link.fds_to_read(), select.POLLIN)
        if self._to_host and attached:
            if self._out_pace.allowed(1):
                for fd in link.fds_to_write():
                    events[fd] = events.get(fd, 0) | select.POLLOUT
            else:
                wait_s = min(wait_s, self._out_pace.wait_s() or wait_s)
        if child is not None:
            if len(self._to_host) < _CHUNK_BYTES:
                events[child.stdout] = select.POLLIN
            events[child.control] = select.POLLIN
            if self._to_child and self._booted:
                if self._ctrl_c_since is not None:
                    wait_s = min(wait_s, _CTRL_C_LOOK_S)
                elif not self._in_pace.allowed(1):
                    wait_s = min(wait_s, self._in_pace.wait_s() or wait_s)
                else:
                    events[child.stdin] = select.POLLOUT
                    if _CTRL_C in self._to_child:
                        wait_s = min(wait_s, _DETACHED_LOOK_S)
        for fd, mask in events.items():
            poller.register(fd, mask)
        ready = dict(poller.poll(wait_s * 1000))

        if 0 in ready:
            self._obey()
        if len(self._to_child) < _FULL_BYTES:
            self._to_child += link.read(_CHUNK_BYTES)
        if child is None:
            self._to_child.clear()  # a board without power hears nothing
        if child is not None and child is self._child:
            if child.control in ready:
                self._hear(child)
            if child is self._child and child.stdout in ready:
                self._take_output(child)
            if child is self._child and self._booted and self._to_child:
                self._give_input(child)
        self._send_output()

    # --- host to board --------------------------------------------------------------------
    def _give_input(self, child: Child) -> None:
        """Up to the next Ctrl-C as bytes; that as an interrupt, if code runs that can be."""
        while self._to_child:
            position = self._to_child.find(_CTRL_C)
            size = len(self._to_child) if position < 0 else position
            size = self._in_pace.allowed(min(size, _CHUNK_BYTES))
            try:
                written = os.write(child.stdin, self._to_child[:size]) if size else 0
            except BlockingIOError:
                written = 0
            except BrokenPipeError:
                return
            self._in_pace.passed(written)
            self._line_ends.heard(bytes(self._to_child[:written]))
            del self._to_child[:written]
            if position < 0:
                return
            position -= written
            # As on a board, Ctrl-C overtakes what no program reads.
            if position > 0 and (self._in_pace.wait_s() or not self._interrupted(child, position)):
                return
            if position == 0 and not self._ctrl_c(child):
                return

    def _ctrl_c(self, child: Child) -> bool:
        """Handle the Ctrl-C at the head of the input; False: not yet."""
        if self._interrupted(child, 0):
            self._ctrl_c_since = None
            return True
        now = time.monotonic()
        if self._ctrl_c_since is None:
            self._ctrl_c_since = now
        if child.state() is State.BUSY and now - self._ctrl_c_since < _CTRL_C_PATIENCE_S:
            return False  # it may be about to run what came before
        if child.state() is State.RUNS:
            return False
        try:
            os.write(child.stdin, b"\x03")
        except BlockingIOError:
            return False
        del self._to_child[:1]
        self._ctrl_c_since = None
        return True

    def _interrupted(self, child: Child, position: int) -> bool:
        if child.state() is not State.RUNS or not child.interrupt():
            return False
        end = position
        while end < len(self._to_child) and self._to_child[end] == _CTRL_C:
            end += 1  # several at once are one, as in a board's interrupt
        del self._to_child[position:end]
        return True

    # --- board to host --------------------------------------------------------------------
    def _take_output(self, child: Child) -> None:
        try:
            data = os.read(child.stdout, _CHUNK_BYTES)
        except BlockingIOError:
            return
        self._to_host += self._line_ends.translate(data)
        if not data:
            self._child_ended(child)

    def _send_output(self) -> None:
        if self._to_host and not self._link.attached:
            self._to_host.clear()  # nobody listens: lost, as on a UART
        size = self._out_pace.allowed(min(len(self._to_host), _CHUNK_BYTES))
        if size:
            written = self._link.write(bytes(self._to_host[:size]))
            self._out_pace.passed(written)
            del self._to_host[:written]

    # --- resets ---------------------------------------------------------------------------
    def _reset(self, raw_repl: bool, cause: int) -> None:
        self._booted = False
        self._ctrl_c_since = None
        self._line_ends.starts(raw_repl)
        self._child = Child(self._config, self._flash, raw_repl, cause)

    def _child_ended(self, child: Child) -> None:
        code = child.end()
        self._child = None
        if not self._booted:
            self._failed_boots += 1
            if self._failed_boots >= 3:
                self._tell(
                    event="no_boot", code=code, output=self._to_host.decode("utf-8", "replace")
                )
                return
            self._reset(raw_repl=False, cause=_POWER_ON)
        elif code in (RAN_TO_ITS_END, RAN_TO_ITS_END + 1):
            self._to_host += b"MPY: soft reboot\r\n"
            self._reset(raw_repl=code == RAN_TO_ITS_END + 1, cause=_SOFT_RESET)
        else:
            self._to_host += b"\r\nvirtual board: the interpreter crashed (%d), reset\r\n" % code
            self._reset(raw_repl=False, cause=_HARD_RESET)

    def _hear(self, child: Child) -> None:
        """What the board's firmware says."""
        try:
            said = os.read(child.control, 64)
        except BlockingIOError:
            return
        if b"B" in said:
            self._booted = True
            self._failed_boots = 0
            self._tell(event="booted")
        if b"P" in said:
            self._take_output(child)
            self._line_ends.at_prompt()
        if b"F" in said:
            self._take_output(child)
            child.kill()
        if b"R" in said:
            self._power_cut()
            self._reset(raw_repl=False, cause=_HARD_RESET)

    def _power_cut(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.end()
            self._child = None
        self._to_child.clear()

    # --- parent ---------------------------------------------------------------------------
    def _obey(self) -> None:
        try:
            data = os.read(0, 4096)
        except BlockingIOError:
            return
        if not data:
            self._ended = True
            return
        *lines, self._commands = (self._commands + data).split(b"\n")
        for line in lines:
            if line == b"power_cut":
                self._power_cut()
                self._tell(event="power_cut")
            elif line == b"power_on" and self._child is None:
                self._reset(raw_repl=False, cause=_POWER_ON)

    def _tell(self, **event: object) -> None:
        try:
            os.write(1, json.dumps(event).encode() + b"\n")
        except OSError:
            self._ended = True
