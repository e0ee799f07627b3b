"""Fixtures of all tests: a board, virtual unless `--board=PORT` names a real one."""

from __future__ import annotations

import os

import pytest

from workshop_helpers.board import Board, connect

# The same modules with and without a network: those of this repository. Tests of the official ones
# bring a server of their own.
os.environ["WORKSHOP_MODULES"] = "workshop"


@pytest.fixture(scope="session", autouse=True)
def _nobodys_progress(tmp_path_factory):
    """Tests pass exercises, and make models: not in the file and folder of whoever runs them."""
    folder = tmp_path_factory.mktemp("learner")
    os.environ["WORKSHOP_PROGRESS"] = str(folder / "progress.json")
    os.environ["WORKSHOP_WORK"] = str(folder / "my_work")


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


@pytest.fixture(scope="session")
def small_model():
    """Ten small trees on the motion data, with the metadata that har_live wants."""
    from sklearn.ensemble import RandomForestClassifier

    from workshop_helpers import datasets
    from workshop_helpers.features import motion_features
    from workshop_helpers.model import convert

    train = motion_features(datasets.load("basic_motions").part("train"))
    forest = RandomForestClassifier(10, min_samples_leaf=2, random_state=1).fit(train.X, train.y)
    return convert(forest, train.X, features=train.names, name="small", metadata=train.metadata())


@pytest.fixture
def virtual_board():
    """A started VirtualBoard of the test's own, without a Board around it."""
    from workshop_helpers.board.virtual import VirtualBoard

    with VirtualBoard() as board:
        yield board
