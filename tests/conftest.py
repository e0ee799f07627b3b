"""Fixtures of all tests: a board, virtual unless `--board=PORT` names a real one."""

from __future__ import annotations

import pytest

from workshop_helpers.board import Board, connect


def pytest_addoption(parser):
    parser.addoption(
        "--board",
        default="virtual",
        metavar="PORT",
        help="run the board tests on the board at this port instead of a virtual one",
    )


@pytest.fixture(scope="session")
def _session_board(request):
    with connect(request.config.getoption("--board"), timeout_s=20.0) as board:
        yield board


@pytest.fixture
def board(_session_board) -> Board:
    """A board with a fresh heap. Its files outlive the test: use `device_dir` for files."""
    _session_board.interrupt()
    _session_board.soft_reset()
    return _session_board


@pytest.fixture
def device_dir(board):
    """An empty directory on `board`, removed after the test."""
    path = "/test_tmp"
    if board.exists(path):
        board.rm(path, recursive=True)
    board.mkdir(path)
    yield path
    board.interrupt()
    board.rm(path, recursive=True)


@pytest.fixture
def own_board():
    """Makes virtual boards of the test's own, to break: `own_board(flash_size_bytes=...)`."""
    from workshop_helpers.board.virtual import VirtualBoard

    boards = []

    def make(**options) -> Board:
        virtual = VirtualBoard(**options).start()
        boards.append(virtual)
        boards.append(Board(virtual.port, virtual=virtual))
        return boards[-1]

    yield make
    for board in reversed(boards):
        board.close()
