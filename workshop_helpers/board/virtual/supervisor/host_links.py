"""The side that programs connect to: a PTY, or a socket on this computer only."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys

if sys.platform != "win32":
    import pty
    import tty


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


class SocketLink:
    """A server on 127.0.0.1 for one program at a time; others are turned away at once."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    @property
    def attached(self) -> bool:
        return self._client is not None

    def fds_to_read(self) -> list[int]:
        fds = [self._server.fileno()]
        return fds if self._client is None else [*fds, self._client.fileno()]

    def fds_to_write(self) -> list[int]:
        return [] if self._client is None else [self._client.fileno()]

    def read(self, size: int) -> bytes:
        data = b""
        if self._client is not None:
            try:
                data = self._client.recv(size)
                if hasattr(socket, "TCP_QUICKACK"):  # else a client's small writes take 40 ms each
                    self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                if not data:
                    self._hang_up()
            except BlockingIOError:
                pass
            except OSError:
                self._hang_up()
        self._accept()
        return data

    def write(self, data: bytes) -> int:
        if self._client is None:
            return len(data)
        try:
            return self._client.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._hang_up()
            return 0

    def close(self) -> None:
        self._hang_up()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            client, _ = self._server.accept()
            if self._client is not None:
                client.close()
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client = client

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
