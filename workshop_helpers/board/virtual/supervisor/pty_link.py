"""The side that programs connect to, as a PTY."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import sys
import tty

assert sys.platform != "win32"


class PtyLink:
    """A PTY pair in raw mode; programs open its slave as a serial port."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
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
        if self._master < 0:
            return False
        poller = select.poll()
        poller.register(self._master, select.POLLIN)
        return not any(events & select.POLLHUP for _, events in poller.poll(0))

    def fds_to_read(self) -> list[int]:
        return [] if self._master < 0 else [self._master]

    def fds_to_write(self) -> list[int]:
        return self.fds_to_read()

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

    def leave(self) -> None:
        """Be gone, as a pulled cable."""
        self.close()
        self._master = self._slave = -1

    def come_back(self, renamed: bool) -> None:
        """Be there again, always under a name that the system gives: `renamed` changes nothing."""
        self._open()

    def hold(self) -> None:
        """Be busy: keep the port open and locked, as a terminal program does."""
        self._slave = (
            os.open(self.port, os.O_RDWR | os.O_NOCTTY) if self._slave < 0 else self._slave
        )
        fcntl.flock(self._slave, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        if self._master >= 0:
            os.close(self._master)
        if self._slave >= 0:
            os.close(self._slave)
