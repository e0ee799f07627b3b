"""The line to the VirtualBoard that started this supervisor: its stdin and stdout."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable


class Parent:
    """Commands from the parent, one a line; events for it, one line of JSON each."""

    def __init__(self) -> None:
        self._rest = b""
        self.ended = False
        self._socket: socket.socket | None = None
        if sys.platform == "win32":  # where only sockets can be waited for
            self._socket = readable_from(lambda: os.read(0, 4096))
            self.fd = self._socket.fileno()
        else:
            self.fd = 0
            os.set_blocking(0, False)

    def commands(self) -> list[bytes]:
        """What it wants; sets `ended` when it is gone or wants no more."""
        try:
            data = os.read(0, 4096) if self._socket is None else self._socket.recv(4096)
        except BlockingIOError:
            return []
        self.ended = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.strip() for line in lines]

    def tell(self, **event: object) -> None:
        try:
            os.write(1, json.dumps(event).encode() + b"\n")
        except OSError:
            self.ended = True


def readable_from(read: Callable[[], bytes]) -> socket.socket:
    """A socket that gives what `read()`, called in a thread, returns; its end is the end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def pump() -> None:
        with theirs:
            try:
                while data := read():
                    theirs.sendall(data)
            except (OSError, EOFError):
                pass

    threading.Thread(target=pump, daemon=True).start()
    return ours
