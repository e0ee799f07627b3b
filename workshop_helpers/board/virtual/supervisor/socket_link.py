"""The side that programs connect to, as a socket on this computer only."""

from __future__ import annotations

import contextlib
import socket


class SocketLink:
    """A server on 127.0.0.1 for one program at a time; others are turned away at once."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._away = self._is_held = False

    @property
    def attached(self) -> bool:
        return self._client is not None

    def fds_to_read(self) -> list[int]:
        if self._away:
            return []
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
        self._server.close()
        self._hang_up()

    def leave(self) -> None:
        """Be gone, as a pulled cable; the name stays reserved."""
        number = self._server.getsockname()[1]
        self._server.close()  # first: whoever sees the hang-up may connect again at once
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
        if self._away:
            return
        with contextlib.suppress(OSError):  # nobody is there, or not any more
            client, _ = self._server.accept()
            if self._client is not None or self._is_held:
                client.close()
                return
            self._client = client
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _reserved(number: int) -> socket.socket:
    """A socket that has a port number (0: any) and does not listen yet: connecting is refused."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", number))
    server.setblocking(False)
    return server
