"""The real mpremote against the virtual board, on a PTY and on a socket."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time

import pytest
from virtual_board_port import TIMEOUT_S, Port, mpremote

from workshop_helpers.board.virtual import VirtualBoard

pty = pytest.importorskip("pty", reason="Windows has no PTYs")
ALL_BYTES = bytes(range(256)) * 20


@pytest.fixture(scope="module", params=["pty", "socket"])
def board(request):
    with VirtualBoard(transport=request.param) as board:
        yield board


def test_exec_eval_run(board, tmp_path):
    assert mpremote(board.port, "exec", "print(6 * 7)") == "42\n"
    assert mpremote(board.port, "eval", "2 ** 100") == f"{2**100}\n"
    (tmp_path / "script.py").write_text("for i in range(3):\n    print('line', i)\n")
    assert mpremote(board.port, "run", str(tmp_path / "script.py")) == "line 0\nline 1\nline 2\n"
    assert "ZeroDivisionError" in mpremote(board.port, "exec", "1/0", check=False)


def test_files(board, tmp_path):
    there, back = tmp_path / "there.bin", tmp_path / "back.bin"
    there.write_bytes(ALL_BYTES)
    mpremote(board.port, "fs", "mkdir", ":folder")
    mpremote(board.port, "fs", "cp", str(there), ":folder/file.bin")
    assert re.search(r"\b5120 file\.bin\n", mpremote(board.port, "fs", "ls", ":folder"))
    mpremote(board.port, "fs", "cp", ":folder/file.bin", str(back))
    assert back.read_bytes() == ALL_BYTES
    there.write_text("a text\n")
    mpremote(board.port, "fs", "cp", str(there), ":text")
    assert mpremote(board.port, "fs", "cat", ":text") == "a text\n"
    mpremote(board.port, "fs", "rm", ":folder/file.bin", ":text")
    mpremote(board.port, "fs", "rmdir", ":folder")
    assert mpremote(board.port, "fs", "ls") == "ls :\n"
    assert "No such file" in mpremote(board.port, "fs", "cat", ":text", check=False)


def test_df_tells_the_flash(board):
    assert re.search(r"2097152 +\d+ +\d+ +\d+ +/\n", mpremote(board.port, "df"))


def test_mount(board, tmp_path):
    (tmp_path / "all.bin").write_bytes(ALL_BYTES)
    (tmp_path / "local_module.py").write_text("x = 'from the laptop'\n")
    code = (
        "import os\n"
        "with open('/remote/all.bin', 'rb') as f: data = f.read()\n"
        "assert data == bytes(range(256)) * 20\n"
        "with open('/remote/back.bin', 'wb') as f: f.write(data)\n"
        "import local_module; print(local_module.x, sorted(os.listdir('/remote'))[0])\n"
    )
    said = mpremote(board.port, "mount", str(tmp_path), "exec", code)
    assert said.endswith("from the laptop all.bin\n")
    assert (tmp_path / "back.bin").read_bytes() == ALL_BYTES


def test_soft_reset_forgets_and_resume_does_not(board):
    mpremote(board.port, "exec", "x = 7")
    assert mpremote(board.port, "resume", "eval", "x") == "7\n"
    mpremote(board.port, "soft-reset")
    assert "NameError" in mpremote(board.port, "resume", "eval", "x", check=False)


def test_several_commands_in_one_session(board):
    said = mpremote(board.port, "exec", "y = 1", "sleep", "0.1", "eval", "y")
    assert said == "1\n"


def test_reset(board):
    mpremote(board.port, "resume", "exec", "z = 1")
    mpremote(board.port, "reset")
    assert "NameError" in mpremote(board.port, "resume", "eval", "z", check=False)


def test_interrupting_mpremote_leaves_a_usable_board(board):
    command = [sys.executable, "-m", "mpremote", "connect", board.port, "exec", "while True: pass"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(1.0)
    process.terminate()
    process.communicate(timeout=10)
    assert mpremote(board.port, "eval", "1 + 1") == "2\n"


def test_mip_is_there(board):
    assert "ImportError" not in mpremote(board.port, "exec", "import mip")


def test_repl():
    """`mpremote repl` needs a port with a file descriptor: a PTY."""
    with VirtualBoard(transport="pty") as board:
        terminal, side = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "mpremote", "connect", board.port, "repl"],
            stdin=side, stdout=side, stderr=side,
        )  # fmt: skip
        os.close(side)
        said = b""

        def wait_for(text: bytes) -> None:
            nonlocal said
            deadline = time.monotonic() + TIMEOUT_S
            while text not in said:
                assert time.monotonic() < deadline, said
                if select.select([terminal], [], [], 0.1)[0]:
                    said += os.read(terminal, 4096)
            said = said.partition(text)[2]

        try:
            wait_for(b"Ctrl-x to exit this shell")
            os.write(terminal, b"\r")
            wait_for(b">>> ")
            os.write(terminal, b"6 * 7\r")
            wait_for(b"\r\n42\r\n>>> ")
            os.write(terminal, b"while True: pass\r\r")
            wait_for(b"... \r\n")
            time.sleep(0.1)
            os.write(terminal, b"\x03")
            wait_for(b"KeyboardInterrupt: \r\n>>> ")
            os.write(terminal, b"\x04")
            wait_for(b"MPY: soft reboot\r\n")
            wait_for(b">>> ")
            os.write(terminal, b"\x18")
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()
            process.wait()
            os.close(terminal)


def test_one_client_at_a_time_on_a_socket():
    with VirtualBoard(transport="socket") as board:
        with Port(board.port) as first:
            first.raw()
            with Port(board.port) as second:
                second.serial.timeout = 5.0
                with pytest.raises(Exception, match="socket disconnected"):
                    second.serial.read(1)
            assert first.execute("print(1)") == (b"1\n", b"")
        with Port(board.port) as third:
            third.raw()
            assert third.execute("print(1)") == (b"1\n", b"")
