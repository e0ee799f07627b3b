"""A program that runs on the board while the host goes on: a raw byte pipe to it."""

from __future__ import annotations

import threading
import time

from ..errors import BoardTimeoutError
from .transport import END, BoardTransport

_CTRL_C = b"\x03"
_CLOSED = "The connection was closed."
_RECORD = b"\x1e"  # how a record of a stream begins
_UNREAD_LIMIT_BYTES = 1024 * 1024
_ERROR_LIMIT_BYTES = 64 * 1024  # a traceback; the last lines count
_INTERRUPT_EVERY_S = 0.5
_RESET_S = 1.0  # for a board's prompt to answer
_SLICE_S = 0.1  # how long one thread may keep another from reading or stopping


class Running:
    """A running program. Made by `Board.start`.

    The raw REPL marks the end of output with byte 0x04, so a program must not print that byte. A
    bad line can make one: if a record follows, it was no end.
    One reader at a time; `stop` may be called from another thread.
    """

    def __init__(
        self, transport: BoardTransport, owner: object, *, is_checked: bool = False
    ) -> None:
        self._owner = owner  # a Board that nobody else keeps must not close the port meanwhile
        self._transport = transport
        self._unread = bytearray()
        self._error = bytearray()
        self._is_checked = is_checked  # the board runs it only if it arrived whole
        self._heard_s = time.monotonic()
        self._marks = 0  # end marks seen: 0 output, 1 error text, 2 ended
        self._stopped = False
        self._ended = False
        self._asked_about = b""
        self._lock = threading.RLock()
        self.dropped_bytes = 0  # output thrown away by `stop`, beyond one megabyte

    def __repr__(self) -> str:
        state = "ended" if self.ended else "running"
        return f"<Running on {self._transport.port.name}: {state}>"

    @property
    def ended(self) -> bool:
        """Whether the program has ended, by itself or stopped. Does not look at the port."""
        return self._ended

    @property
    def error(self) -> str | None:
        """The device's traceback if it ended by an exception; None after a `stop`."""
        if not self._ended or not self._error:
            return None
        text = self._error.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        if self._stopped and text.rstrip().endswith("KeyboardInterrupt:"):
            return None
        return text

    @property
    def arrived(self) -> bool:
        """False if it ended without having run, because it did not arrive whole. Only known of what
        was started with `check`."""
        error = (self.error or "").rstrip()
        last = error.rpartition("\n")[2]
        if not error or not self._is_checked or last.startswith((_CLOSED, "MemoryError")):
            return True
        return '"<string>"' in error  # what was checked runs under this name

    def read(self, timeout_s: float) -> bytes:
        """Bytes as they come; b"" on timeout or after the end.

        Raises BoardGoneError if the port dies or the board was reset meanwhile.
        """
        end = time.monotonic() + timeout_s
        while not self._unread and not self._ended:
            left_s = end - time.monotonic()
            self._pump(min(max(0.0, left_s), _SLICE_S))
            if left_s <= 0:
                break
        with self._lock:
            data = bytes(self._unread)
            self._unread.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to the program's `sys.stdin`. Nothing is sent after its end."""
        if not self._ended:
            self._transport.port.write(data)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ctrl-C until the prompt is back; what was printed until then can still be read.

        Raises BoardGoneError if the port dies or the board does not react to Ctrl-C.
        """
        self._stopped = True
        end = time.monotonic() + timeout_s
        while not self._ended and (left_s := end - time.monotonic()) > 0:
            try:
                self._transport.port.write(_CTRL_C)
            except BoardTimeoutError:
                break
            again = time.monotonic() + min(_INTERRUPT_EVERY_S, left_s)
            while not self._ended and (left_s := again - time.monotonic()) > 0:
                self._pump(min(left_s, _SLICE_S))
                extra = len(self._unread) - _UNREAD_LIMIT_BYTES
                if extra > 0:
                    with self._lock:
                        del self._unread[:extra]
                    self.dropped_bytes += extra
        with self._lock:
            if not self._ended:
                self._transport.resynchronise(timeout_s)
                self._finish()

    def _pump(self, timeout_s: float) -> None:
        """Move what the port has (waiting for something at most `timeout_s`) to where it goes."""
        port = self._transport.port
        with self._lock:
            if self._ended:
                return
            if not (port.buffered_bytes or port.fill(timeout_s)):
                self._check_reset()
                self._check_prompt()
                return
            self._heard_s = time.monotonic()
            while self._marks < 2 and port.buffered_bytes:
                mark = port.find(END)
                data = port.take(mark + 1 if mark >= 0 else port.buffered_bytes)
                target = self._unread if self._marks == 0 else self._error
                target += data.removesuffix(END)
                self._marks += mark >= 0
                if _RECORD in self._error:  # the mark before it was none
                    self._unread += self._error
                    self._error.clear()
                    self._marks -= 1
                del self._error[:-_ERROR_LIMIT_BYTES]
            if self._marks == 2:
                self._transport.finish()
                self._finish()

    def _check_reset(self) -> None:
        """BoardGoneError if what came last, before this silence, was the board's start.

        The same words are asked about once: a program may print them.
        """
        recent = self._transport.port.recent
        if self._marks == 0 and recent != self._asked_about and self._transport.looks_reset():
            self._asked_about = recent
            self._transport.check_reset(_RESET_S)

    def _check_prompt(self) -> None:
        """Do without an end mark that was lost: one came, then a prompt, and nothing since."""
        silent = time.monotonic() - self._heard_s > _RESET_S
        if self._marks == 1 and self._error.endswith(b">") and silent:
            self._transport.resynchronise()
            del self._error[-1:]
            self._finish()

    def _finish(self) -> None:
        self._ended = True

    def abandon(self) -> None:
        """The port is closed or gone: nothing more will come."""
        if not self._ended:
            self._error += b"" if self._stopped else _CLOSED.encode()
            self._finish()
