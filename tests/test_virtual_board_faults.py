"""Faults of the virtual board: each does what its line says, and the board API copes with it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time

import pytest
from virtual_board_port import Port

from workshop_helpers.board import Board, connect
from workshop_helpers.board.virtual import Faults, VirtualBoard, faults_from
from workshop_helpers.board.virtual.supervisor.faults import (
    ALWAYS,
    FAULTS,
    ONCE,
    SMALL_HEAP_BYTES,
)
from workshop_helpers.board.virtual.supervisor.line_faults import LineFaults, SpoiltBytes
from workshop_helpers.errors import (
    BoardError,
    BoardGoneError,
    DeviceError,
    FileError,
    FlashFullError,
    NoBoardError,
    NoFileSystemError,
    NoPromptError,
    PortBusyError,
    WorkshopError,
)

TEXT = bytes(range(32, 127)) * 40


@pytest.fixture
def faulty():
    """Makes a virtual board with faults, by name: `faulty("lose=0.01")`."""
    with contextlib.ExitStack() as stack:

        def make(*specs, seed=1, **options):
            faults = Faults.named(*specs, seed=seed)
            return stack.enter_context(VirtualBoard(faults=faults, **options))

        yield make


# --- the description ----------------------------------------------------------------------------
def test_each_fault_is_explained_and_can_be_asked_for():
    for fault in FAULTS:
        assert fault.what.endswith(".") and len(fault.what) <= 75
        assert Faults.named(fault.name) != Faults()
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {"heap-small", *ONCE, *ALWAYS} <= {fault.name for fault in FAULTS}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("rain", "'rain'"),
        ("busy=3", "takes no value"),
        ("lose=x", "share of the bytes"),
        ("lose=0", "share of the bytes"),
        ("lose=1.5", "share of the bytes"),
        ("reset=0.5", "at which byte"),
        ("reset=nan", "at which byte"),
        ("reset=inf", "at which byte"),
        ("main-loops main-floods", "main-floods and main-loops can't both be"),
        ("unplug busy rename=5", "rename and unplug can't both be"),
    ],
)
def test_a_wrong_fault_is_an_error_that_points_to_the_list(spec, says):
    with pytest.raises(BoardError, match=says) as caught:
        faults_from(spec.split(), 0)
    assert "--fault list" in caught.value.mend


@pytest.mark.parametrize(
    "values",
    [
        {"lose_rate": 1.0},
        {"flip_rate": -0.1},
        {"lose_at": (0,)},
        {"reset_at": -1},
        {"brown_out_at": 0},
        {"direction": "up"},
        {"raw_paste": "odd"},
        {"device": ("rain",)},
    ],
)
def test_faults_that_cannot_be(values):
    with pytest.raises(ValueError, match=r"\w"):
        Faults(**values)


@pytest.mark.parametrize(
    "specs",
    [
        ("main-loops", "main-floods"),
        ("disconnect", "unplug"),
        ("no-flash", "main-loops"),  # there is nothing that main.py could lie on,
        ("no-flash", "flash-broken"),  # or that could be written
        ("no-flash", "brown-out"),
        ("lose=0.1", "lose=0.2"),
        ("stall=5", "stall=9"),
    ],
)
def test_faults_of_which_one_would_silently_be_absent(specs):
    with pytest.raises(ValueError, match="can't both be"):
        Faults.named(*specs)


def test_faults_that_go_together():
    both = Faults.named("lose=0.1", "lose=7", "lose=9", "no-flash", "heap-small", "busy")
    assert both.lose_rate == 0.1 and both.lose_at == (7, 9)
    assert both.device == ("no-flash", "heap-small") and both.busy
    assert Faults.named("busy", "busy") == Faults.named("busy")


def test_the_command_line_lists_them():
    command = [sys.executable, "-m", "workshop_helpers.cli", "board", "--fault", "list"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    rows = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60).stdout
    assert [row["name"] for row in json.loads(rows)] == [fault.name for fault in FAULTS]
    assert all(f" {fault.name} " in shown for fault in FAULTS)


def test_the_command_line_starts_one():
    command = [sys.executable, "-m", "workshop_helpers.cli", "board", "--json", "--fault", "busy"]
    command += ["--fault", "heap-small"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = json.loads(process.stdout.readline())
            assert said["heap_size_bytes"] == SMALL_HEAP_BYTES
            with pytest.raises(PortBusyError):
                connect(said["port"], timeout_s=2.0)
        finally:
            process.terminate()


# --- spoilt bytes -------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["lose", "double", "flip"])
def test_bytes_are_spoilt_at_the_drawn_rate_in_whatever_pieces_they_come(kind):
    faults = Faults(seed=5, **{f"{kind}_rate": 0.01})
    data = TEXT * 10
    whole = SpoiltBytes(faults, "to_host").passed(data)
    pieces = SpoiltBytes(faults, "to_host")
    assert b"".join(pieces.passed(data[at : at + 7]) for at in range(0, len(data), 7)) == whole
    wrong = sum(a != b for a, b in zip(data, whole, strict=False))
    n_spoilt = wrong if kind == "flip" else abs(len(whole) - len(data))
    assert 0.005 * len(data) < n_spoilt < 0.02 * len(data)
    assert SpoiltBytes(faults, "to_board").passed(data) != whole
    assert SpoiltBytes(Faults(seed=6, **{f"{kind}_rate": 0.01}), "to_host").passed(data) != whole


def test_single_bytes_in_one_direction():
    faults = Faults(lose_at=(1,), double_at=(3,), flip_at=(6,), direction="to_board")
    assert SpoiltBytes(faults, "to_host").passed(b"abcdef") == b"abcdef"
    spoilt = SpoiltBytes(faults, "to_board").passed(b"abcdef")
    assert spoilt[:5] == b"bccde" and bin(spoilt[5] ^ ord("f")).count("1") == 1


def test_what_comes_after_a_reset_is_lost():
    line = LineFaults(Faults(reset_at=5))
    assert line.to_board(b"abc") == (b"abc", b"") and line.take_events() == []
    assert line.to_host(b"defg") == b"de"
    assert line.take_events() == ["reset"] and line.to_host(b"xy") == b"xy"


def test_raw_paste_is_refused_in_whatever_pieces_it_is_asked_for():
    line = LineFaults(Faults(raw_paste="refused"))
    got = [line.to_board(bytes([byte])) for byte in b"a\x05A\x01b\x05"]
    assert b"".join(data for data, _ in got) == b"ab"
    assert b"".join(answer for _, answer in got) == b"R\x00"


# --- events -------------------------------------------------------------------------------------
def test_a_stall_only_costs_time(faulty):
    virtual = faulty("stall=3000")
    with Board(virtual.port) as board:
        began = time.monotonic()
        board.put(TEXT, "/x")
        assert board.get("/x") == TEXT
        assert time.monotonic() - began > 2.0


@pytest.mark.parametrize("spec", ["reset=4000", "disconnect=4000"])
def test_a_board_that_goes_away_is_there_again(faulty, spec):
    virtual = faulty(spec)
    with Board(virtual.port) as board:
        with pytest.raises(WorkshopError):
            board.put(TEXT * 4, "/x")
        board.reconnect(20.0)
        assert not board.exists("/x")
        board.put(TEXT * 4, "/x")
        assert board.get("/x") == TEXT * 4


@pytest.mark.skipif(sys.platform == "win32", reason="a folder stands in for the flash there")
def test_a_supply_that_dips_while_the_flash_is_written(faulty):
    virtual = faulty("brown-out=30")
    with Board(virtual.port) as board:
        with pytest.raises(BoardGoneError):
            board.put(TEXT * 2, "/x")
        board.reconnect(20.0)
        assert not board.exists("/x")
        assert board.exists("/.part.tmp")  # which the next copy overwrites
        board.put(TEXT * 2, "/x")  # it happens once
        assert board.get("/x") == TEXT * 2


@pytest.mark.parametrize("transport", ["pty", "socket"])
def test_a_board_that_returns_under_another_name(faulty, transport):
    virtual = faulty("rename=4000", transport=transport)
    first = virtual.port
    board = Board(first)
    with pytest.raises(BoardGoneError):
        board.put(TEXT * 4, "/x")
    deadline = time.monotonic() + 20
    while virtual.port == first:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with Board(virtual.port) as again:
        assert again.eval("1 + 1") == 2
    board.close()


def test_a_board_that_is_unplugged(faulty):
    virtual = faulty("unplug=4000", transport="socket")
    board = Board(virtual.port)
    with pytest.raises(BoardGoneError):
        board.put(TEXT * 4, "/x")
    board.close()
    with pytest.raises(NoBoardError, match="Nothing listens"):
        Board(virtual.port, timeout_s=1.0)


@pytest.mark.parametrize("transport", ["pty", "socket"])
def test_a_port_that_another_program_holds(faulty, transport):
    virtual = faulty("busy", transport=transport)
    with pytest.raises(PortBusyError):
        Board(virtual.port, timeout_s=1.0)


@pytest.mark.parametrize("spec", ["paste-refused", "paste-broken"])
def test_without_raw_paste_code_still_runs(faulty, spec):
    with Board(faulty(spec).port) as board:
        assert board.exec("x = 0\n" + "x += 1\n" * 300 + "print(x)") == "300\n"


# --- the board itself ---------------------------------------------------------------------------
@pytest.mark.parametrize("spec", ["main-loops", "main-floods", "main-sleeps", "main-resets"])
def test_a_main_that_is_in_the_way_can_be_removed_for_good(faulty, spec):
    with Board(faulty(spec).port, timeout_s=20.0) as board:
        assert board.exists("/main.py")
        board.rm("/main.py")
        board.hard_reset()
        assert not board.exists("/main.py")


def test_a_main_without_ctrl_c_is_no_prompt(faulty):
    virtual = faulty("main-deaf")
    with Port(virtual.port):
        time.sleep(0.3)  # main.py is up
    with pytest.raises(NoPromptError):
        Board(virtual.port, timeout_s=1.5)


def test_a_full_flash(faulty):
    with Board(faulty("flash-full", flash_size_bytes=256 * 1024).port) as board:
        assert board.info.flash_free_bytes <= 8192
        with pytest.raises(FlashFullError):
            board.put(TEXT, "/x")
        board.rm("/measurements.bin")
        board.put(TEXT, "/x")


def test_a_flash_that_takes_no_writes(faulty):
    with Board(faulty("flash-broken").port) as board:
        with pytest.raises(FileError) as caught:
            board.put(TEXT, "/x")
        assert caught.value.code == "FILE" and not board.exists("/x")


def test_no_file_system(faulty):
    with Board(faulty("no-flash").port) as board:
        with pytest.raises(NoFileSystemError):
            board.put(TEXT, "/x")
        assert board.info.flash_total_bytes is None


def test_heaps(faulty):
    with Board(faulty("heap-small").port) as board:
        assert board.info.heap_total_bytes < 50_000
    with Board(faulty("heap-fragmented").port) as board:
        info = board.info
        assert info.largest_free_block_bytes < 24 * 1024 < info.heap_free_bytes / 2
    with Board(faulty("heap-fragmented", "heap-small").port) as board:
        assert board.info.largest_free_block_bytes < board.info.heap_free_bytes / 2


@pytest.mark.parametrize(
    ("spec", "arch", "abi"), [("wrong-arch", "armv7emsp", "6.3"), ("wrong-abi", None, "5")]
)
def test_what_a_board_says_it_is(faulty, spec, arch, abi):
    with Board(faulty(spec).port) as board:
        assert abi in str(board.info.abi) and arch in (None, board.info.arch)
        installed = board.install("emlearn_trees", source="workshop")
        assert installed.source == "workshop plain" and "plain Python instead" in repr(installed)


def test_a_clock_that_steps_back(faulty):
    code = (
        "import time\nlast, back = time.ticks_us(), 0\n"
        "for _ in range(100):\n now = time.ticks_us()\n"
        " back += time.ticks_diff(now, last) < 0\n last = now\nprint(back)"
    )
    with Board(faulty("clock-back").port) as board:
        assert int(board.exec(code)) > 5


def test_device_errors_pass_through(faulty):
    with Board(faulty("clock-back").port) as board, pytest.raises(DeviceError, match="ValueError"):
        board.exec("raise ValueError('x')")
