"""Code on a board: answers, exceptions, time limits, running programs."""

import ast
import os
import select
import sys
import threading
import time

import pytest

from workshop_helpers import paths
from workshop_helpers.board import connect, snippets
from workshop_helpers.board.snippets import checked
from workshop_helpers.errors import (
    BadAnswerError,
    BoardError,
    BoardGoneError,
    BoardTimeoutError,
    DeviceError,
    DeviceMemoryError,
)


def test_exec_returns_what_is_printed(board):
    assert board.exec("print('é', 1)\nprint(2)") == "é 1\n2\n"
    assert board.exec("") == ""


def test_output_comes_as_it_is_printed(board):
    seen = []
    board.exec("print('süß' * 3)\nprint('next')", on_output=seen.append)
    assert "".join(seen) == "süßsüßsüß\nnext\n"


def test_big_output_is_whole(board):
    assert board.exec("for i in range(2000):\n print('%049d' % i)") == "".join(
        f"{i:049d}\n" for i in range(2000)
    )


def test_long_code_arrives_whole(board):
    lines = "\n".join(f"x = {i}  # {'.' * 40}" for i in range(200))
    assert board.exec(f"{lines}\nprint(x)") == "199\n"


@pytest.mark.parametrize(
    "value", [None, True, -5, 2**70, 0.5, "é\n'\"", b"\x00\xff\x04\x03", [1, [2]], (1,), {"a": {1}}]
)
def test_eval_gives_literals_back(board, value):
    assert board.eval(repr(value)) == value


def test_eval_evaluates_nothing_here(board):
    board.exec("class Sly:\n def __repr__(self): return '__import__(\"os\").getpid()'")
    with pytest.raises(BadAnswerError):
        board.eval("Sly()")
    with pytest.raises(BadAnswerError):
        board.eval("object()")


def test_eval_is_not_disturbed_by_prints(board):
    board.exec("def f():\n print('<noise>')\n return [1]")
    assert board.eval("f()") == [1]


def test_call(board):
    board.exec(
        "import sys\n"
        "class M: pass\n"
        "m = M()\n"
        "def f(*a):\n print('noise', '{\"a\": 1}')\n return [list(a), {'b': None}]\n"
        "m.f = f\n"
        "sys.modules['call_me'] = m"
    )
    assert board.call("call_me.f", 1, "two", (3, b"4"))[1] == {"b": None}
    assert board.call("call_me.f", 1, 2.5, [True, None])[0] == [1, 2.5, [True, None]]
    assert board.call("math.sqrt", 16) == 4.0
    with pytest.raises(TypeError):
        board.call("math.sqrt", object())
    with pytest.raises(BoardError):
        board.call("print('x')")
    with pytest.raises(DeviceError, match="ImportError"):
        board.call("no_such_module.f")


def test_an_exception_keeps_its_traceback(board):
    with pytest.raises(DeviceError) as caught:
        board.exec("def f():\n  return 1 // 0\nprint('before')\nf()")
    error = caught.value
    assert error.what == "The board raised ZeroDivisionError: divide by zero"
    assert error.device_traceback.splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "<stdin>", line 2, in f' in error.device_traceback
    with pytest.raises(DeviceError, match="SyntaxError"):
        board.exec("1 +")
    assert board.exec("print(1)") == "1\n"


def test_out_of_memory(board):
    with pytest.raises(DeviceMemoryError) as caught:
        board.exec("x = bytearray(1 << 28)")
    assert "memory allocation failed" in caught.value.device_traceback


def test_a_loop_is_interrupted_and_the_board_usable(board):
    with pytest.raises(BoardTimeoutError) as caught:
        board.exec("print('start')\nwhile True: pass", timeout_s=0.5)
    assert caught.value.data["output"].startswith("start")
    assert board.eval("1 + 1") == 2


def test_a_flood_is_interrupted(board):
    with pytest.raises(BoardError):
        board.exec("while True: print('x' * 60)", timeout_s=1.0)
    assert board.eval("1 + 1") == 2


def test_a_function_that_is_only_described_is_sent_too(board, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text('def later():\n    """To be written."""\n\n\ndef f():\n    return later()\n')
    assert board.call_file(file, "f") is None


def test_ctrl_c_during_a_soft_reset_leaves_a_usable_board(board, monkeypatch):
    transport = board._session.transport

    def interrupted(**options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transport, "enter_raw_repl", interrupted)
        with pytest.raises(KeyboardInterrupt):
            board.soft_reset()
    assert not transport.in_step  # what the reset says is still to come
    assert board.eval("1 + 1") == 2


def test_a_prompt_that_answers_what_was_asked_before_is_waited_for(board, monkeypatch):
    transport = board._session.transport
    write, late = transport.port.write, []

    def asked_before(data):
        if data == b"\r\x01" and not late:  # another answer to it comes a little later
            late.append(threading.Timer(0.05, write, (data,)))
            late[0].start()
        return write(data)

    transport.in_step = False
    monkeypatch.setattr(transport.port, "write", asked_before)
    assert board.exec("pass\n" * 8000 + "print('whole')", timeout_s=20) == "whole\n"
    assert late and not late[0].is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="no file descriptors there")
def test_ctrl_c_while_a_port_closes_does_not_close_another_file_later(own_board, monkeypatch):
    port = own_board(transport="pty")._session.transport.port
    really, number = os.close, port._port.fd

    def closed_and_interrupted(fd):
        monkeypatch.undo()
        really(fd)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "close", closed_and_interrupted)
    with pytest.raises(KeyboardInterrupt):
        port.close()
    other = os.open(os.devnull, os.O_RDONLY)
    os.dup2(other, number)  # the number is given to somebody else
    port._port.close()  # as happens when it is collected
    for fd in {other, number}:
        os.close(fd)  # raises if it was closed


@pytest.mark.parametrize("transport", ["pty", "socket"])
def test_bytes_that_another_thread_was_quicker_to_take(own_board, monkeypatch, transport):
    board = own_board(transport=transport)
    port = board._session.transport.port
    with monkeypatch.context() as patch:
        patch.setattr(select, "select", lambda *wanted: wanted[:3])  # all is ready, they say
        assert port.fill(0.0) is False
    assert board.eval("1 + 1") == 2


def test_a_callback_that_fails_stops_the_program(board):
    def fail(text):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        board.exec("while True: print('x')", on_output=fail)
    assert board.eval("1 + 1") == 2


def test_unicode_cut_in_two_is_one_letter(board):
    code = "import sys\nw = sys.stdout.buffer.write\nw(b'\\xc3')\nw(b'\\xa9')\nw(b'\\xff')"
    assert board.exec(code) == "é\ufffd"


def test_a_reset_by_the_program_is_noticed(own_board):
    board = own_board()
    board.exec("kept = 1")
    with pytest.raises(BoardGoneError, match="was reset while the program ran") as caught:
        board.exec("print('before')\nimport machine\nmachine.reset()", timeout_s=60.0)
    assert "reconnect()" in caught.value.mend
    board.reconnect()
    with pytest.raises(DeviceError, match="NameError"):
        board.exec("kept")


def test_after_a_reset_by_the_program_the_board_is_usable(own_board):
    board = own_board()
    with pytest.raises(BoardGoneError):
        board.call("machine.reset", timeout_s=60.0)
    assert board.eval("1 + 1") == 2


@pytest.mark.parametrize("wait", ["time.sleep(1)", "pass"])
def test_a_program_that_prints_a_banner_was_not_reset(board, wait):
    banner = '\nMicroPython v1.28.0; a board\nType "help()" for more information.\n>>> '
    code = f"import time\nprint({banner!r}, end='')\n{wait}\nprint('on')"
    assert board.exec(code, timeout_s=20.0) == banner + "on\n"
    assert board.eval("1 + 1") == 2


def test_soft_reset_frees_memory_and_forgets_names(board):
    board.soft_reset()
    before = board.info.heap_free_bytes
    board.exec("keep = bytearray(20000)")
    board.soft_reset()
    assert board.info.heap_free_bytes > before - 2000
    with pytest.raises(DeviceError, match="NameError"):
        board.exec("keep")


def test_info(board):
    info = board.info
    assert board.info is info
    assert info.version.split(".")[0] == "1"
    assert info.float_bits in (32, 64)
    if info.largest_free_block_bytes is not None:
        assert 0 < info.largest_free_block_bytes <= info.heap_free_bytes
        assert board.exec(f"x = bytearray({info.largest_free_block_bytes // 2})\ndel x") == ""
    assert info.version in repr(info)
    assert "<table>" in info._repr_html_()


def test_start_read_stop(board):
    running = board.start(
        "import time\nprint('up')\nwhile True:\n print('tick')\n time.sleep(0.02)", name="ticker"
    )
    assert running.read(5.0).startswith(b"up")
    with pytest.raises(BoardError, match="running ticker"):
        board.exec("1")
    assert not running.ended
    running.stop()
    assert running.ended and running.error is None
    while running.read(0.1):
        pass
    assert board.eval("1 + 1") == 2


def test_a_program_that_ends_by_itself(board):
    running = board.start("print('a')\nprint('b')")
    got = b""
    while not running.ended:
        got += running.read(1.0)
    got += running.read(0.0)
    assert got.split() == [b"a", b"b"]
    assert running.error is None
    running.stop()
    assert board.eval("1 + 1") == 2


def test_an_end_mark_that_a_bad_line_made_is_not_the_end(board):
    code = "print('a\\x04b')\nfor i in range(3):\n print('\\x1e{%d}' % i)\n1 // 0"
    running = board.start(code)
    got = b""
    while not running.ended:
        got += running.read(1.0)
    got += running.read(0.0)
    assert got.split() == [b"ab", b"\x1e{0}", b"\x1e{1}", b"\x1e{2}"]
    assert running.error.startswith("Traceback") and "ZeroDivisionError" in running.error
    assert board.eval("1 + 1") == 2


def test_a_program_that_fails(board):
    running = board.start("1 // 0")
    while not running.ended:
        running.read(1.0)
    assert running.error.rstrip().endswith("ZeroDivisionError: divide by zero")
    assert board.eval("1 + 1") == 2


def test_input_of_a_running_program(board):
    running = board.start("import sys\nprint('got', sys.stdin.readline().strip())")
    running.write(b"hello\n")
    got = b""
    while not running.ended:
        got += running.read(1.0)
    assert b"got hello" in got


def test_a_flooding_program_is_stopped_with_bounded_memory(board):
    running = board.start("while True: print('x' * 60)")
    time.sleep(0.2)
    running.stop()
    assert len(running.read(0)) <= 1024 * 1024
    assert board.eval("1 + 1") == 2


def test_a_program_that_resists_once_is_stopped(board):
    running = board.start(
        "import time\n"
        "try:\n while True: time.sleep(0.01)\n"
        "except KeyboardInterrupt: print('once')\n"
        "while True: time.sleep(0.01)"
    )
    running.read(0.2)
    running.stop()
    assert b"once" in running.read(0)
    assert board.eval("1 + 1") == 2


def test_stop_from_another_thread_ends_a_read(board):
    running = board.start("while True: pass")
    stopper = threading.Timer(0.2, running.stop)
    stopper.start()
    assert running.read(20.0) == b""
    stopper.join(20.0)
    assert running.ended


def test_threads_share_a_board(board):
    answers = []

    def ask(number):
        for _ in range(10):
            answers.append(board.eval(f"{number} * 2") == number * 2)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert answers == [True] * 30


def test_interrupt_stops_a_running_program(board):
    running = board.start("while True: pass")
    board.interrupt()
    assert running.ended
    assert board.eval("1 + 1") == 2


def test_run_takes_a_file_or_an_app(board, tmp_path):
    program = tmp_path / "hello.py"
    program.write_text("print('hello')\n", encoding="utf-8")
    assert board.run(str(program)) == "hello\n"
    with pytest.raises(BoardError, match="no app 'nope'"):
        board.run("nope")


def test_without_raw_paste_code_goes_in_small_blocks(board):
    transport = board._session.transport
    transport.use_raw_paste = False
    try:
        text = "é" * 1000
        assert board.exec(f"print({text!r})") == text + "\n"
    finally:
        transport.use_raw_paste = True


def test_stray_input_resynchronises(board):
    """What a reset or a timer leaves in the port must not be taken for an answer."""
    board._session.transport.port.write(b"\x02")  # leaves the raw REPL behind our back
    time.sleep(0.1)
    assert board.eval("1 + 1") == 2


def test_a_raw_paste_left_open_is_left(board):
    """As after a kernel that died while it sent code."""
    board._session.transport.port.write(b"\x05A\x01print('half")
    time.sleep(0.1)
    assert board.eval("1 + 1") == 2


def test_released_lends_the_port_to_another_program(own_board):
    board = own_board()
    board.exec("kept = 41")
    with board.released() as port, connect(port) as other:
        assert other.eval("kept + 1") == 42
    assert board.eval("kept") == 41
    board.close()
    with pytest.raises(BoardError, match="closed"), board.released():
        pass


def test_a_board_without_crc_is_trusted(own_board):
    board = own_board()
    board.exec("import sys\nclass Empty: pass\nsys.modules['binascii'] = Empty()")
    assert board.eval("[1, 2]") == [1, 2]
    assert not board._session.transport.has_crc32
    assert board.call("math.sqrt", 4) == 2
    board.put(bytes(range(256)) * 9, "/x")
    assert board.get("/x") == bytes(range(256)) * 9
    with pytest.raises(DeviceError, match="ZeroDivisionError"):
        board.eval("1 / 0")


def test_code_that_did_not_arrive_whole_does_not_run(board):
    """Each byte of the code changed once: an answer, or an error that says so; never another one.

    What the line itself would make of the bytes is for the faults of the virtual board.
    """
    transport = board._session.transport
    whole = checked(transport, "print('whole')")
    results = set()
    for at in range(len(whole)):
        spoilt = whole[:at] + chr(ord(whole[at]) ^ 4) + whole[at + 1 :]
        if chr(4) in spoilt:
            continue  # it ends the code, as no other byte does
        try:
            results.add(transport.run(spoilt, 5.0).strip())
        except DeviceError:
            results.add(b"refused")
    assert results <= {b"refused", b"whole", b""} and b"refused" in results


def test_code_is_shortened_without_a_change_of_meaning():
    files = [
        *(paths.DEVICE_SCRIPTS / "board").glob("*.py"),
        *paths.NATIVE_MODULES.glob("smoke/*.py"),
    ]
    assert len(files) > 20
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node):
                del node.body[0]
        assert ast.dump(ast.parse(snippets._short(file))) == ast.dump(tree), file.name
