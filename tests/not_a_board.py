"""Sockets that are no board, or spoil what one says."""

from __future__ import annotations

import contextlib
import socket
import threading

import serial


@contextlib.contextmanager
def server(serve):
    """A socket server on the loopback that treats each client with `serve(client, stopping)`."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)

        def work():
            while not stopping.is_set():
                with contextlib.suppress(OSError):
                    client, _ = listening.accept()
                    with client:
                        serve(client, stopping)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield f"socket://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join(10.0)


def silent(client, stopping):
    stopping.wait(30.0)


def babbling(client, stopping):
    while not stopping.is_set():
        client.sendall(b"$GPGGA,no prompt here\r\n" * 100)


def talking_slowly(client, stopping):
    while not stopping.wait(0.05):
        client.sendall(b"temperature 21.5\r\n")


def closing(client, stopping):
    client.close()


def in_boot_loader(client, stopping):
    client.sendall(b"rst:0x1 (POWERON),boot:0x23 (DOWNLOAD)\r\nwaiting for download\r\n")
    stopping.wait(30.0)


class Spoiling:
    """Passes bytes to and from a port, and replaces `old` by `new` the first `times` times.

    By default in what the board says, once.
    """

    def __init__(self, port, old, new, *, to_board=False, times=1):
        self.port, self.old, self.new, self.to_board = port, old, new, to_board
        self.times = times
        self.spoilt = 0

    def __call__(self, client, stopping):
        with serial.serial_for_url(self.port, timeout=0.01) as board:
            client.settimeout(0.01)
            while not stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    data = client.recv(4096)
                    if not data:
                        return
                    board.write(self.passed(data) if self.to_board else data)
                answer = board.read(4096)  # all that comes within the timeout
                client.sendall(answer if self.to_board else self.passed(answer))

    def passed(self, data):
        if self.old not in data or self.spoilt >= self.times:
            return data
        self.spoilt += 1
        return data.replace(self.old, self.new, 1)
