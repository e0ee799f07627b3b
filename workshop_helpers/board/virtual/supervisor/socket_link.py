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
