"""The side that programs connect to, as a PTY."""

from __future__ import annotations

import os
import pty
import select
import sys
import tty

assert sys.platform != "win32"


class PtyLink:
    """A PTY pair in raw mode; programs open its slave as a serial port."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(slave)
        # Elsewhere than on Linux a PTY whose slave is closed loses its settings.
        self._slave = -1 if sys.platform == "linux" else slave
        if self._slave < 0:
            os.close(slave)

    @property
    def attached(self) -> bool:
        """Does a program have the port open?"""
        poller = select.poll()
        poller.register(self._master, select.POLLIN)
        return not any(events & select.POLLHUP for _, events in poller.poll(0))

    def fds_to_read(self) -> list[int]:
        return [self._master]

    def fds_to_write(self) -> list[int]:
        return [self._master]

    def read(self, size: int) -> bytes:
        try:
            return os.read(self._master, size)
        except OSError:  # nothing there, or nobody at the other end
            return b""

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        os.close(self._master)
        if self._slave >= 0:
            os.close(self._slave)
