"""The virtual board's socket: one program at a time, and the next one as soon as that has gone."""

from __future__ import annotations

import select
import socket
import struct
import time

import pytest

from workshop_helpers.board import Board
from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.board.virtual.supervisor import socket_link
from workshop_helpers.board.virtual.supervisor.socket_link import SocketLink

WAIT_S = 10.0


@pytest.fixture
def link():
    link = SocketLink()
    yield link
    link.close()


def connect(link: SocketLink) -> socket.socket:
    host, port = link.port.removeprefix("socket://").split(":")
    return socket.create_connection((host, int(port)), WAIT_S)


def turn(link: SocketLink, size: int = 4096) -> bytes:
    """What the supervisor's loop does: read when something came."""
    ready, _, _ = select.select(link.fds_to_read(), [], [], WAIT_S)
    assert ready, "nothing would wake the supervisor"
    return link.read(size)


def read(link: SocketLink, n: int, size: int = 4096) -> bytes:
    got = b""
    while len(got) < n:
        got += turn(link, size)
    return got


def is_served(client: socket.socket, link: SocketLink) -> bool:
    """Whether what the link writes gets there; else it was turned away."""
    link.write(b"hello")
    try:
        return client.recv(5) == b"hello"
    except ConnectionError:
        return False


def is_turned_away(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("last_words", [b"", b"\r\x02", b"x" * 50_000])
@pytest.mark.parametrize("size", [256, 65536])
def test_who_comes_right_after_another_has_gone_is_served(link, last_words, size) -> None:
    with connect(link) as first:
        turn(link)
        first.sendall(last_words)
    with connect(link) as second:
        second.sendall(b"next")
        assert read(link, len(last_words) + 4, size) == last_words + b"next"
        assert is_served(second, link)


def test_who_goes_while_the_next_one_is_being_taken_is_gone(link, monkeypatch) -> None:
    first = connect(link)
    turn(link)
    clients = []

    class Server:
        fileno = link._server.fileno
        close = link._server.close

        def accept(self):
            first.sendall(b"\r\x02")
            first.close()
            clients.append(connect(link))
            return accept()

    accept = link._server.accept
    monkeypatch.setattr(link, "_server", Server())
    first.sendall(b"x")
    said = turn(link)
    monkeypatch.undo()
    (second,) = clients
    second.sendall(b"next")
    assert said + read(link, 7 - len(said)) == b"x\r\x02next"
    assert is_served(second, link)
    second.close()


@pytest.mark.parametrize("said", [b"", b"x", b"x" * 50_000])
def test_who_is_there_is_not_disturbed(link, said) -> None:
    with connect(link) as first:
        turn(link)
        first.sendall(said)
        with connect(link) as second:
            got, end = b"", time.monotonic() + WAIT_S
            while select.select(link.fds_to_read(), [], [], 0.2)[0]:
                got += link.read(256)
                assert time.monotonic() < end
            assert got == said
            assert is_turned_away(second)
        assert is_served(first, link)


def test_who_never_stops_talking_is_there(link, monkeypatch) -> None:
    monkeypatch.setattr(socket_link, "_PATIENCE_S", 0.0)
    with connect(link) as first:
        turn(link)
        first.sendall(b"x" * 1000)
        with connect(link) as second:
            assert turn(link, 10) == b"x" * 10
            assert is_turned_away(second)
        assert read(link, 990) == b"x" * 990 and is_served(first, link)


def test_who_waits_is_served_when_a_write_finds_the_other_gone(link) -> None:
    first = connect(link)
    turn(link)
    first.sendall(b"x" * 1000)
    with connect(link) as second:
        turn(link, 10)
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.close()  # with a reset, as a killed program's
        end = time.monotonic() + WAIT_S
        while link.write(b"x") and time.monotonic() < end:
            time.sleep(0.01)
        assert second.fileno() >= 0 and is_served(second, link)


def test_who_waits_while_the_cable_comes_off_is_turned_away(link) -> None:
    with connect(link) as first:
        turn(link)
        first.sendall(b"x" * 1000)
        with connect(link) as second:
            turn(link, 10)
            link.leave()
            assert not link.attached
            assert not link.fds_to_read() and is_turned_away(second)


def test_a_board_is_connected_again_and_again() -> None:
    with VirtualBoard(transport="socket") as virtual:
        for i in range(50):
            with Board(virtual.port) as board:
                assert board.eval("6 * 7") == 42, i
