"""One open serial port: buffered reads, every wait bounded, every failure a WorkshopError.

`BufferedPort` stands between mpremote's protocol code and pyserial. mpremote reads byte by byte and
asks `inWaiting()` all the time; here that costs a look into a buffer, not a system call a byte.
Works on devices, PTYs and any pyserial address (`socket://host:port`, `rfc2217://host:port`).
Windows serial ports and RFC 2217 take the polling path in `_wait_and_read`; that path is written
against pyserial's documentation, untried on Windows.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import serial
from serial.urlhandler import protocol_socket

from ..errors import BoardError, BoardGoneError, BoardTimeoutError
from .open_errors import first_line

BAUD = 115200
_READ_BYTES = 65536
_WRITE_TIMEOUT_S = 5.0
_POLL_S = 0.05
_RECENT_BYTES = 1024


class SilenceError(Exception):
    """The board sent too little before the deadline."""

    def __init__(self) -> None:
        super().__init__("the board went silent")


class SocketPort(protocol_socket.Serial):  # type: ignore[misc]
    """pyserial's `socket://` without its three surprises.

    Its `reset_input_buffer` never returns while the other side keeps talking, its `close` sleeps
    0.3 s, and it leaves Nagle's delay on, which costs 40 ms a round trip.
    """

    is_open: bool

    def open(self) -> None:
        super().open()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reset_input_buffer(self) -> None:
        """A new connection has nothing old to throw away."""

    def close(self) -> None:
        if self.is_open:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self.is_open = False

    def receive(self) -> bytes:
        """What is there, after the socket became readable; b"" means the other side closed."""
        return bytes(self._socket.recv(_READ_BYTES))


class BufferedPort:
    """An open pyserial port with a read buffer and a deadline. Not thread-safe: `Board` locks."""

    def __init__(self, port: Any, name: str) -> None:
        self._port = port
        self.name = name
        self._buffer = bytearray()
        self.deadline = time.monotonic() + 10.0
        self.recent = b""  # the last bytes that came, also those that were thrown away
        self.last_written = b""
        self._is_socket = isinstance(port, SocketPort)
        self._has_fd = os.name == "posix" and isinstance(getattr(port, "fd", None), int)
        with contextlib.suppress(Exception):
            port.write_timeout = _WRITE_TIMEOUT_S

    # --- what mpremote calls -------------------------------------------------------------------
    def inWaiting(self) -> int:
        """Bytes that can be read now. Raises SilenceError past the deadline, so that a board
        which never stops talking can't hold a "read until empty" loop for ever."""
        self._check_deadline()
        self.fill(0.0)
        return len(self._buffer)

    def read(self, size: int = 1) -> bytes:
        """Exactly `size` bytes, or SilenceError at the deadline."""
        while len(self._buffer) < size:
            if not self.fill(self.time_left_s()):
                self._check_deadline()
        return self.take(size)

    def write(self, data: bytes) -> int:
        """Write all of `data`; BoardTimeoutError if the board takes none of it for seconds."""
        self.last_written = bytes(data)
        with self._explained():
            return int(self._port.write(data))

    # --- what our own code calls ---------------------------------------------------------------
    @property
    def buffered(self) -> bytes:
        return bytes(self._buffer)

    @property
    def buffered_bytes(self) -> int:
        return len(self._buffer)

    def time_left_s(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    @contextlib.contextmanager
    def within(self, timeout_s: float) -> Iterator[None]:
        """The deadline in the block is `timeout_s` from now; that around it holds again after."""
        before, self.deadline = self.deadline, time.monotonic() + timeout_s
        try:
            yield
        finally:
            self.deadline = before

    def take(self, size: int) -> bytes:
        """The first `size` bytes of the buffer (fewer if it holds fewer)."""
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def find(self, ending: bytes, start: int = 0) -> int:
        return self._buffer.find(ending, start)

    def replace_buffer(self, data: bytes) -> None:
        self._buffer[:] = data

    def fill(self, timeout_s: float) -> bool:
        """Wait for bytes, put them in the buffer; False if there were none in time."""
        data = b""
        # Readable, and yet nothing there: another thread was quicker.
        with self._explained(), contextlib.suppress(BlockingIOError, InterruptedError):
            data = self._wait_and_read(timeout_s)
        self._buffer += data
        self.recent = (self.recent + data)[-_RECENT_BYTES:]
        return bool(data)

    def drain(self, quiet_s: float, limit_s: float) -> bytes:
        """Throw away (and return) input until `quiet_s` passed without any, at most `limit_s`."""
        end = time.monotonic() + limit_s
        while self.fill(quiet_s) and time.monotonic() < end:
            if len(self._buffer) > _READ_BYTES:
                del self._buffer[:-1024]
        return self.take(len(self._buffer))

    def close(self) -> None:
        """Release the port, whatever state it is in."""
        try:
            self._port.close()
        except BaseException as error:
            # A Ctrl-C comes after the system has closed it and before pyserial has noted that: it
            # would close it again when collected, and with it whatever has the number by then.
            if self._has_fd and (fd := self._port.fd) is not None:
                self._port.fd = None
                with contextlib.suppress(OSError):
                    os.close(fd)
            if not isinstance(error, Exception):
                raise

    @property
    def rts(self) -> Any:
        return self._port.rts

    @rts.setter
    def rts(self, value: bool) -> None:
        self._port.rts = value

    @property
    def dtr(self) -> Any:
        return self._port.dtr

    @dtr.setter
    def dtr(self, value: bool) -> None:
        self._port.dtr = value

    # --- inside --------------------------------------------------------------------------------
    def _check_deadline(self) -> None:
        if time.monotonic() >= self.deadline:
            raise SilenceError

    def _wait_and_read(self, timeout_s: float) -> bytes:
        if self._is_socket or self._has_fd:
            ready, _, _ = select.select([self._port.fileno()], [], [], timeout_s)
            if not ready:
                return b""
            if self._is_socket:
                data = bytes(self._port.receive())
            else:
                data = os.read(self._port.fd, _READ_BYTES)
            if not data:
                raise EOFError
            return data
        end = time.monotonic() + timeout_s
        if self._port.timeout != _POLL_S:
            self._port.timeout = _POLL_S  # set once: on Windows a change reconfigures the port
        while True:
            waiting = self._port.in_waiting
            if waiting:
                return bytes(self._port.read(waiting))
            if time.monotonic() >= end:
                return b""
            first = self._port.read(1)
            if first:
                return bytes(first) + bytes(self._port.read(self._port.in_waiting))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever the port raises becomes BoardGoneError or BoardTimeoutError."""
        try:
            yield
        except serial.SerialTimeoutException:
            raise BoardTimeoutError(
                f"The board on {self.name} does not take any data.",
                "Press the board's RESET button, then board.reconnect().",
                port=self.name,
            ) from None
        except Exception as error:  # OSError, termios.error, EOFError, a closed handle's TypeError
            if isinstance(error, BoardError):
                raise
            raise BoardGoneError(
                f"The board on {self.name} is gone ({first_line(error)}).", port=self.name
            ) from error
