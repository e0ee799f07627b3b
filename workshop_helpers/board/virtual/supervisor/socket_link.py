"""The side that programs connect to, as a socket on this computer only."""

from __future__ import annotations

import contextlib
import socket
import time

from .waiting import READ, wait

_GRACE_S = 0.02  # from a program's hang-up until it is seen here
_PATIENCE_S = 1.0  # how long the next one waits for an end of what another sends


class SocketLink:
    """A server on 127.0.0.1 for one program at a time; others are turned away.

    Who connects waits until what the one before it sent is read: its hang-up may stand behind that.
    """

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self._next: socket.socket | None = None
        self._next_until = 0.0
        self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._away = self._is_held = False

    @property
    def attached(self) -> bool:
        return self._client is not None

    def fds_to_read(self) -> list[int]:
        if self._away:
            return []
        fds = [self._server.fileno()] if self._next is None else []
        return fds if self._client is None else [*fds, self._client.fileno()]

    def fds_to_write(self) -> list[int]:
        return [] if self._client is None else [self._client.fileno()]

    def read(self, size: int) -> bytes:
        self._accept()
        data = self._receive(size)
        if self._next is not None and self._client is not None:
            self._judge(self._client)
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
        self._server.close()
        self._turn_away()
        self._hang_up()

    def leave(self) -> None:
        """Be gone, as a pulled cable; the name stays reserved."""
        number = self._server.getsockname()[1]
        self._server.close()  # first: whoever sees the hang-up may connect again at once
        self._turn_away()
        self._hang_up()
        self._server = _reserved(number)
        self._away = True

    def come_back(self, renamed: bool) -> None:
        """Be there again, under the same name or another."""
        if renamed:
            self._server.close()
            self._server = _reserved(0)
            self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._server.listen()
        self._away = False

    def hold(self) -> None:
        """Be busy: whoever connects is turned away."""
        self._is_held = True

    def _accept(self) -> None:
        if self._away or self._next is not None:
            return
        with contextlib.suppress(OSError):  # nobody is there, or not any more
            client, _ = self._server.accept()
            if self._is_held:
                client.close()
                return
            client.setblocking(False)
            self._next, self._next_until = client, time.monotonic() + _PATIENCE_S
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._client is None:
            self._hang_up()

    def _receive(self, size: int) -> bytes:
        if self._client is None:
            return b""
        try:
            data = self._client.recv(size)
            if hasattr(socket, "TCP_QUICKACK"):  # else a client's small writes take 40 ms each
                self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def _judge(self, client: socket.socket) -> None:
        """Hang up if `client` has; turn the next one away if it has not. While that can't be told
        since it has sent something, the loop comes back to read that."""
        try:
            heard = wait({client.fileno(): READ}, _GRACE_S)
            if heard and not client.recv(1, socket.MSG_PEEK):
                self._hang_up()
            elif not heard or time.monotonic() > self._next_until:
                self._turn_away()
        except OSError:
            self._hang_up()

    def _turn_away(self) -> None:
        if self._next is not None:
            self._next.close()
            self._next = None

    def _hang_up(self) -> None:
        """The next one, if there is one, is served now."""
        if self._client is not None:
            self._client.close()
        self._client, self._next = self._next, None


def _reserved(number: int) -> socket.socket:
    """A socket that has a port number (0: any) and does not listen yet: connecting is refused."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", number))
    server.setblocking(False)
    return server
