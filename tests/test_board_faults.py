"""What fails between the port and the prompt fails clearly, in time, and without harm."""

import contextlib
import subprocess
import sys

import pytest
from not_a_board import Spoiling, babbling, closing, in_boot_loader, server, silent, talking_slowly

from workshop_helpers.board import Board, connect
from workshop_helpers.errors import (
    BadAnswerError,
    BoardError,
    BoardGoneError,
    BoardTimeoutError,
    FileError,
    NoBoardError,
    NoFileSystemError,
    NoPromptError,
    PortBusyError,
)


@pytest.mark.parametrize(
    ("serve", "error", "says"),
    [
        (silent, NoPromptError, "Nothing came back"),
        (babbling, NoPromptError, "no prompt here"),
        (talking_slowly, NoPromptError, "temperature"),
        (closing, PortBusyError, "closed the connection at once"),
        (in_boot_loader, NoPromptError, "press RESET"),
    ],
)
def test_what_is_not_a_board(serve, error, says, capsys):
    with server(serve) as address:
        with pytest.raises(error, match=says):
            connect(address, timeout_s=1.0)
        with pytest.raises(error):
            connect(address, timeout_s=1.0)  # nothing of the first try holds the port
    assert capsys.readouterr() == ("", "")


def test_no_such_port():
    for port in ("/dev/no_such_port", "COM250", "socket://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(NoBoardError):
            connect(port, timeout_s=1.0)


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are not ports there")
@pytest.mark.parametrize("what", ["file", "folder", "/dev/null"])
def test_what_is_not_a_serial_port(tmp_path, what):
    file = tmp_path / "notes.txt"
    file.write_text("text")
    name = {"file": str(file), "folder": str(tmp_path)}.get(what, what)
    with pytest.raises(NoBoardError, match="is not a serial port") as caught:
        connect(name, timeout_s=1.0)
    assert "--port virtual" in caught.value.mend
    assert file.read_text() == "text"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("socket://127.0.0.1:1", "Nothing listens at socket://127.0.0.1:1: is the board started"),
        ("socket://x", "needs a port number"),
        ("socket://", "needs a port number"),
        ("socket://127.0.0.1:abc", "needs a port number"),
        ("socket://127.0.0.1:99999", "needs a port number"),
        ("rfc2217://x", "rfc2217://host:port needs a port number"),
        ("socket://no-such-host.invalid:5", "no computer of this name"),
    ],
)
def test_a_wrong_address(address, says):
    with pytest.raises(NoBoardError, match=says) as caught:
        connect(address, timeout_s=1.0)
    assert "cable" not in str(caught.value)


def test_a_second_client_does_not_disturb_the_first(own_board):
    board = own_board()
    board.exec("kept = 42")
    for _ in range(2):
        with pytest.raises(PortBusyError):
            Board(board.port, timeout_s=2.0)
    assert board.eval("kept") == 42


def test_a_closed_board_says_so(own_board):
    board = own_board()
    board.close()
    board.close()
    with pytest.raises(BoardError, match="closed"):
        board.exec("1")
    assert "closed" in repr(board)
    assert not board.virtual.alive


def test_a_board_without_a_file_system(own_board):
    board = own_board()
    board.exec("import vfs\nvfs.umount('/')")
    with pytest.raises(NoFileSystemError):
        board.put(b"1", "/x")
    for use in (lambda: board.get("/x"), lambda: board.mkdir("/a")):
        with pytest.raises(FileError):
            use()
    assert board.info.flash_total_bytes is None
    assert board.eval("1 + 1") == 2


def test_a_board_whose_main_loops(own_board):
    board = own_board()
    board.put(b"print('main is up')\nwhile True:\n    print('busy')\n", "/main.py")
    board.hard_reset()
    assert board.eval("1 + 1") == 2


def test_a_main_that_swallows_some_interrupts(own_board):
    board = own_board()
    code = (
        b"import time\n"
        b"for _ in range(2):\n"
        b"    try:\n"
        b"        while True: time.sleep(0.05)\n"
        b"    except KeyboardInterrupt: pass\n"
    )
    board.put(code, "/main.py")
    board.hard_reset()
    assert board.eval("1 + 1") == 2


def test_power_cut_while_code_runs(own_board):
    board = own_board()
    with pytest.raises(BoardGoneError):  # and within the timeout of this test
        board.exec(
            "print('runs')\nwhile True: pass",
            timeout_s=5,
            on_output=lambda _: board.virtual.power_cut(),
        )
    board.virtual.power_on()
    board.reconnect()
    assert board.eval("1 + 1") == 2


def test_power_cut_while_a_program_streams(own_board):
    board = own_board()
    running = board.start("import time\nwhile True:\n print('x')\n time.sleep(0.01)")
    assert running.read(5.0)
    board.virtual.power_cut()
    with contextlib.suppress(BoardGoneError):
        while running.read(0.5):
            pass
    board.virtual.power_on()
    board.reconnect()
    assert running.ended
    assert board.eval("1 + 1") == 2


def test_a_new_board_on_the_port_of_a_closed_one(virtual_board):
    for _ in range(3):
        with Board(virtual_board.port, timeout_s=10.0) as board:
            assert board.eval("1 + 1") == 2
    running = Board(virtual_board.port)
    running.start("while True: pass")
    running.close()
    with Board(virtual_board.port) as board:
        assert board.eval("1 + 1") == 2


def test_a_forgotten_board_gives_its_port_back(virtual_board):
    board = Board(virtual_board.port)
    del board
    with Board(virtual_board.port) as board:
        assert board.eval("1 + 1") == 2


@pytest.mark.parametrize("end", ["pass", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_a_dead_process_leaves_the_port_free(virtual_board, end):
    if "kill" in end and sys.platform == "win32":
        pytest.skip("Windows has no SIGKILL")
    code = (
        "import os, sys\n"
        "from workshop_helpers.board import Board\n"
        "board = Board(sys.argv[1])\n"
        "running = board.start('while True: print(1)')\n"
        "assert running.read(5.0)\n"
    )
    command = [sys.executable, "-c", code + end, virtual_board.port]
    subprocess.run(command, timeout=60, check=False)
    with Board(virtual_board.port) as board:
        assert board.eval("1 + 1") == 2


def test_a_virtual_board_ends_with_its_process(tmp_path):
    code = (
        "from workshop_helpers.board import connect\n"
        "board = connect('virtual')\n"
        "print(board.port)\n"
    )
    command = [sys.executable, "-c", code]
    port = subprocess.run(command, timeout=60, check=True, capture_output=True, text=True).stdout
    with pytest.raises((NoBoardError, BoardError)):
        connect(port.strip(), timeout_s=1.0)


def test_workshop_port_is_the_default(virtual_board, monkeypatch):
    monkeypatch.setenv("WORKSHOP_PORT", virtual_board.port)
    with connect() as board:
        assert board.port == virtual_board.port and not board.is_virtual


def test_without_any_board_the_virtual_one_is_said(monkeypatch, capsys):
    monkeypatch.delenv("WORKSHOP_PORT", raising=False)
    monkeypatch.setattr("workshop_helpers.board.connection.list_ports", list)
    with connect() as board:
        assert board.is_virtual
        said = capsys.readouterr()
        # Standard output is what a command answers, perhaps JSON for a pipe.
        assert "virtual" in said.err and said.out == ""


def test_in_a_notebook_the_choice_is_not_shown_as_an_error(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    code = (
        "import os\nos.environ.pop('WORKSHOP_PORT', None)\n"
        "from workshop_helpers.board import connect, connection\n"
        "connection.list_ports = list\n"
        "connect().close()"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    [output] = notebook.cells[0].outputs
    assert output.name == "stdout" and "virtual board" in output.text


@pytest.mark.parametrize("transport", ["pty", "socket"])
def test_every_kind_of_port(own_board, transport):
    if transport == "pty" and sys.platform == "win32":
        pytest.skip("Windows has no PTYs")
    board = own_board(transport=transport)
    assert board.port.startswith("socket://") == (transport == "socket")
    data = bytes(range(256)) * 100
    board.put(data, "/x")
    assert board.get("/x") == data
    with pytest.raises(BoardTimeoutError):
        board.exec("while True: pass", timeout_s=0.3)
    with pytest.raises(PortBusyError):
        Board(board.port, timeout_s=2.0)
    running = board.start("while True: print('x')")
    assert running.read(5.0)
    running.stop()
    board.soft_reset()
    board.reconnect()
    assert board.eval("1 + 1") == 2


@pytest.mark.parametrize("new", [b"\x04>", b"\x05\x04>", b"\x04\x14>"])
def test_an_end_mark_that_got_lost_is_not_waited_for(virtual_board, new):
    """Lost, or come as something else: the first or the second."""
    wire = Spoiling(virtual_board.port, b"\x04\x04>", new)
    with server(wire) as address, Board(address, timeout_s=10.0) as board:
        with pytest.raises(BadAnswerError, match="lost"):  # and within the timeout of this test
            board.exec("print(1)", timeout_s=600.0)
        assert board.eval("1 + 1") == 2 and wire.spoilt == 1


@pytest.mark.parametrize("old", [b"soft reboot", b"exit\r\n>"])
def test_a_soft_reset_whose_words_are_damaged_is_not_waited_for(virtual_board, old):
    wire = Spoiling(virtual_board.port, old, b"?" + old[1:], times=0)
    with server(wire) as address, Board(address, timeout_s=10.0) as board:
        wire.times = 1
        with pytest.raises(BadAnswerError, match="soft reset"):  # within the timeout of this test
            board.soft_reset(timeout_s=600.0)
        assert wire.spoilt == 1 and board.eval("1 + 1") == 2
        board.soft_reset()


@pytest.mark.parametrize("code", ["print(1)", "print(1)\n1 / 0"])
def test_a_program_whose_end_mark_got_lost_has_ended(virtual_board, code):
    old = b"\n\x04>" if "/" in code else b"\x04\x04>"
    wire = Spoiling(virtual_board.port, old, old.replace(b"\x04>", b">"))
    with server(wire) as address, Board(address, timeout_s=10.0) as board:
        running = board.start(code)
        while not running.ended:  # and within the timeout of this test
            running.read(0.5)
        assert wire.spoilt == 1 and ("ZeroDivisionError" in (running.error or "")) == ("/" in code)
        assert board.eval("1 + 1") == 2


def test_a_prompt_that_got_lost_is_asked_for(virtual_board):
    wire = Spoiling(virtual_board.port, b"\x04\x04>", b"\x04\x04")
    with server(wire) as address, Board(address, timeout_s=10.0) as board:
        assert board.exec("print(1)", timeout_s=600.0) == "1\n"
        assert board.eval("1 + 1") == 2 and wire.spoilt == 1


@pytest.mark.parametrize("new", [b"R\x01\x80\x00\x07", b"R\x07", b"R\x01"])
def test_raw_paste_out_of_step_falls_back_to_small_blocks(virtual_board, new):
    """Flow control that is spoilt: garbage, no raw paste at all, half of its header."""
    code = "x = 0\n" + "x += 1\n" * 300 + "print(x)"
    wire = Spoiling(virtual_board.port, b"R\x01\x80\x00\x01", new)
    with server(wire) as address, Board(address, timeout_s=10.0) as board:
        assert board.exec(code) == "300\n"
        assert wire.spoilt == 1
        assert not board._session.transport.use_raw_paste
        assert board.exec(code) == "300\n"
        board.soft_reset()
        assert board.exec(code) == "300\n"
        assert board._session.transport.use_raw_paste
