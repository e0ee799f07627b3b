"""What boards, lines and cables do to us: each function here really does it.

Each has the name of its row in workshop_helpers/failures/table.toml, raises what a user would see,
or returns it (one, or a list). `lab` makes boards; see tests/test_failures.py.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import sys
import time

from not_a_board import Spoiling, in_boot_loader, server, silent, talking_slowly
from virtual_board_port import Port

from workshop_helpers.board import Board, connect, open_errors, transport
from workshop_helpers.board.discovery import PortRecord, choose, follow, rank
from workshop_helpers.doctor.board import check_modules
from workshop_helpers.errors import BoardGoneError, WorkshopError
from workshop_helpers.modules import install, try_out
from workshop_helpers.modules.build import compile_plain

TEXT = bytes(range(32, 127)) * 40
PICO = (0x2E8A, 0x0005)


def seen_as(lab, address, vid, pid):
    """Let the system list this address as a USB device."""
    record = PortRecord(address, vid=vid, pid=pid)
    lab.monkeypatch.setattr(transport, "find_port", lambda name: record)


def refused(action, *arguments, **options):
    """The WorkshopError that something raises, to go on with another one."""
    try:
        action(*arguments, **options)
    except WorkshopError as error:
        return error
    raise AssertionError("nothing was raised")


def no_raw_repl(lab):
    with server(talking_slowly) as address:
        connect(address, timeout_s=1.0)


def main_locks_out(lab):
    with Board(lab.faulty("main-loops").port, timeout_s=20.0) as board:
        board.rm("/main.py")  # got in all the same
    virtual = lab.faulty("main-deaf")
    with Port(virtual.port):
        time.sleep(0.3)  # main.py is up
    Board(virtual.port, timeout_s=1.5)


def silent_port(lab):
    with server(silent) as address:
        seen_as(lab, address, *PICO)
        connect(address, timeout_s=1.0)


def waiting_for_download(lab):
    before = PortRecord("/dev/ttyACM0", vid=0x303A, pid=0x1001, serial_number="7C:DF", location="1")
    after = dataclasses.replace(before, device="/dev/ttyACM1")
    assert follow(before, [after]) == "/dev/ttyACM1"  # it is followed to its new name
    with server(in_boot_loader) as address:
        plain = refused(connect, address, timeout_s=1.0)
    with server(in_boot_loader) as address:
        seen_as(lab, address, 0x303A, 0x1001)
        return [plain, refused(connect, address, timeout_s=1.0)]


def port_busy(lab):
    other = refused(Board, lab.faulty("busy", transport="socket").port, timeout_s=1.0)
    # A file in the place of a port: a PTY's name is used again, and others may look there.
    port = lab.tmp_path / "ttyACM0"
    port.touch()
    if sys.platform == "win32":  # which tells nobody who has a port
        lab.monkeypatch.setattr(open_errors, "holder", lambda name: (os.getpid(), "python"))
    with port.open():
        return [other, open_errors.open_failure(str(port), OSError(errno.EBUSY, "busy"))]


def reset_while_connecting(lab):
    with Board(lab.faulty("reset=40").port) as board:  # in the middle of connecting: no harm
        assert board.eval("1 + 1") == 2
    Board(lab.faulty("reset=3000").port).exec("while True: print('x' * 40)")


def lost_bytes(lab):
    virtual = lab.faulty()
    with Board(virtual.port) as board:
        board.put(b"\0" * 4096, "/x")
    said = []
    for left in (39, 36):  # out of step, and one that only its SHA-256 tells
        wire = Spoiling(virtual.port, b"A" * 40, b"A" * left)
        with server(wire) as address, Board(address) as board:
            said.append(refused(board.get, "/x"))
    return said


def copy_cut_short(lab):
    virtual = lab.faulty()
    wire = Spoiling(virtual.port, b"ABC" * 10, b"ABD" * 10, to_board=True)
    with server(wire) as address, Board(address) as board:
        board.put(b"old", "/x")
        error = refused(board.put, b"ABC" * 2000, "/x")
        assert board.get("/x") == b"old" and [f.name for f in board.ls("/")] == ["x"]
        board.put(b"ABC" * 2000, "/x")  # the line is clean again
        return error


def raw_paste_out_of_step(lab):
    with Board(lab.faulty("paste-broken").port) as board:
        assert board.exec("x = 0\n" + "x += 1\n" * 300 + "print(x)") == "300\n"  # the other way
    virtual = lab.faulty("paste-refused")
    with server(Spoiling(virtual.port, b"OK", b"KO", times=2)) as address, Board(address) as board:
        board.exec("print(1)")


def unplugged(lab):
    board = Board(lab.faulty("unplug=3000", transport="socket").port)
    running = board.start("while True: print('x' * 40)")
    got = b""
    for _ in range(600):
        try:
            got += running.read(0.1)
        except BoardGoneError as error:
            assert len(got) > 1000  # what came is kept
            return error
    raise AssertionError("nobody noticed")


def no_board(lab):
    gone = refused(connect, "/dev/no_such_port", timeout_s=1.0)
    nobody = refused(connect, "socket://127.0.0.1:1", timeout_s=1.0)
    return [gone, nobody, refused(connect, "socket://x", timeout_s=1.0)]


def many_boards(lab):
    modem = PortRecord("/dev/ttyUSB2", "LTE Modem", 0x2C7C, 0x0125)
    blue = PortRecord("/dev/cu.Bluetooth-Incoming-Port", "n/a")
    one = PortRecord("/dev/ttyACM0", vid=PICO[0], pid=PICO[1], serial_number="1", location="1-1")
    two = dataclasses.replace(one, device="/dev/ttyACM1", serial_number="2", location="1-2")
    assert choose(rank([modem, blue])) is None and choose(rank([modem, one])).device == one.device
    choose(rank([blue, one, two, modem]))


def never_ends(lab):
    lab.board.exec("while True: pass", timeout_s=0.5)


def device_raises(lab):
    lab.board.exec("1 / 0")


def trained_otherwise(lab):
    lab.board.deploy(lab.small_model, "har_live")
    with lab.board.stream(rate_hz=50):
        pass


def heap_too_small(lab):
    with Board(lab.faulty("heap-small").port) as board:
        assert board.info.largest_free_block_bytes < 48 * 1024  # measured before
        board.exec("bytearray(100_000)")


def bad_answer(lab):
    lab.board.eval("object()")


def answer_damaged(lab):
    spoil = Spoiling(lab.board.port, b"walking", b"talking")
    with server(spoil) as address, Board(address) as board:
        assert board.exec("print('wal' + 'king')") == "talking\n"  # exec can't tell
        spoil.spoilt = 0
        board.eval("'wal' + 'king'")


def flash_broken(lab):
    with Board(lab.faulty("flash-broken").port) as board:
        board.put(TEXT, "/x")


def flash_full(lab):
    with Board(lab.faulty("flash-full", flash_size_bytes=256 * 1024).port) as board:
        error = refused(board.put, TEXT, "/x")
        assert not board.exists("/x")
        return error


def no_file_system(lab):
    with Board(lab.faulty("no-flash").port) as board:
        assert board.eval("1 + 1") == 2  # the rest works
        board.put(TEXT, "/x")


def no_such_file(lab):
    lab.board.get("/no_such_file")


def clock_stands_still(lab):
    with Board(lab.faulty("clock-back").port) as board:
        measured = lab.measure(board)
        assert measured.us_per_inference > 0  # wrong times are left out
    lab.measure(Stopped(lab.board))


class Stopped:
    """A real board whose clock shows no time passing."""

    def __init__(self, board):
        self._board = board

    def __getattr__(self, name):
        return getattr(self._board, name)

    def call(self, function, *arguments, **options):
        answer = self._board.call(function, *arguments, **options)
        return [[0, calls] for _, calls in answer] if function.endswith("time_rows") else answer


# --- modules ------------------------------------------------------------------------------------
def wrong_arch(lab):
    with Board(lab.faulty("wrong-arch").port) as board:
        # A module without inline assembler: of others a board on Linux is sent no native code.
        assert board.install("emlearn_iir", source="workshop").source == "workshop plain"
        error = refused(board.install, "emlearn_iir", source="native")
        assert "incompatible .mpy" in error.device_traceback
        return error


def no_native_code(lab):
    with Board(lab.faulty("wrong-abi").port) as board:
        installed = board.install("emlearn_trees", source="workshop")
        assert installed.source == "workshop plain" and "slower, same answers" in repr(installed)
        board.install("emlearn_trees", source="native")


def module_hangs(lab):
    lab.monkeypatch.setattr(try_out, "SMOKE_TIMEOUT_S", 1.0)
    lab.module("while True: pass\n")
    hangs = refused(install, lab.board, "thing", "native")
    lab.module("x = 1\n", "    return thing.__file__, 'for 1: 2, not 3'\n")
    return [hangs, refused(install, lab.board, "thing", "native")]


def module_unknown(lab):
    board = lab.own_board()
    stranger = compile_plain("emlearn_trees", b"def new(*a): pass\n")
    board.put(stranger, "/lib/emlearn_trees.mpy")
    unknown = check_modules(board)
    board.install("emlearn_trees", source="plain")
    board.put(b"x = 1\n", "/emlearn_trees.py")  # wins over the module
    return [unknown, check_modules(board)]


# --- streams ------------------------------------------------------------------------------------
def falls_silent(lab):
    board = lab.own_board()
    board.deploy(lab.small_model, "har_live")
    with board.stream(silence_timeout_s=1) as stream:
        for record in stream.records(seconds=30):
            if record.kind == "samples":
                board.virtual.power_cut()
