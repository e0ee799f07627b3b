"""What a terminal or Thonny does with the virtual board: plain bytes on its port."""

from __future__ import annotations

import time

import pytest
from virtual_board_port import PROMPT, RAW_PROMPT, Port

from workshop_helpers.board.virtual import VirtualBoard

ALL_BYTES = bytes(range(256))


@pytest.fixture(scope="module", params=["pty", "socket"])
def board(request):
    with VirtualBoard(transport=request.param) as board:
        yield board


@pytest.fixture
def port(board):
    """The port, at the friendly prompt of a board without files."""
    with Port(board.port) as port:
        port.raw()
        port.execute("import os\nfor f in os.listdir(): os.remove(f)")
        port.ask(b"\x02", PROMPT)
        yield port


def test_friendly_prompt_has_a_boards_line_ends(port):
    assert port.ask(b"print(1); 2 + 2\r", PROMPT) == b"print(1); 2 + 2\r\n1\r\n4" + PROMPT
    assert b"\r\nZeroDivisionError: " in port.ask(b"1 / 0\r", PROMPT)


def test_raw_repl(port):
    port.ask(b"\x01", RAW_PROMPT)
    assert port.execute("print(6 * 7)") == (b"42\n", b"")
    output, error = port.execute("print('before')\n1 / 0")
    assert output == b"before\n"
    assert b'File "<stdin>", line 2' in error and b"ZeroDivisionError" in error
    assert port.ask(b"\x02", PROMPT).startswith(b"\r\nMicroPython ")


def test_raw_paste(port):
    port.ask(b"\x01", RAW_PROMPT)
    text = "x" * 5000
    port.paste(f"print(len('{text}'))".encode())
    assert port.read_until(b"\x04>") == b"5000\n\x04\x04>"


def test_paste_mode(port):
    port.ask(b"\x05", b"=== ")
    assert port.ask(b"for i in range(2):\r  print(i)\r\x04", PROMPT).endswith(b"0\r\n1" + PROMPT)


@pytest.mark.parametrize("loop", ["while True: pass", "import time; time.sleep(60)"])
@pytest.mark.parametrize("way", ["raw", "paste", "friendly"])
def test_ctrl_c_interrupts(port, way, loop):
    if way == "friendly":
        port.ask(loop.encode() + (b"\r\r" if "while" in loop else b"\r"), b"\r\n")
        time.sleep(0.1)
        assert b"KeyboardInterrupt" in port.ask(b"\x03", PROMPT)
        return
    port.ask(b"\x01", RAW_PROMPT)
    if way == "raw":
        port.write(b"print(1)\n" + loop.encode() + b"\x04")
        port.read_until(b"OK1\n")
    else:
        port.paste(b"print(1)\n" + loop.encode())
        port.read_until(b"1\n")
    assert b"KeyboardInterrupt" in port.ask(b"\x03", b"\x04>")
    assert port.execute("print(1)") == (b"1\n", b"")


def test_many_ctrl_c_do_no_harm(port):
    port.ask(b"\x01", RAW_PROMPT)
    port.execute("kept = 1")
    for _ in range(30):
        port.write(b"while True: pass\x04")
        port.read_until(b"OK")
        for _ in range(5):
            port.write(b"\x03\x03")
        assert b"KeyboardInterrupt" in port.read_until(b"\x04>")
        assert port.execute("print(kept)") == (b"1\n", b"")


def test_ctrl_c_overtakes_what_no_program_reads(port):
    port.ask(b"\x01", RAW_PROMPT)
    port.write(b"while True: pass\x04")
    port.read_until(b"OK")
    port.write(b"x" * 100_000 + b"\x03")
    assert b"KeyboardInterrupt" in port.read_until(b"\x04>")
    port.write(b"\r\x03")
    assert port.ask(b"\x01", RAW_PROMPT)


def test_ctrl_c_at_the_prompt_gives_a_new_one(port):
    assert port.ask(b"abc\x03", PROMPT) == b"abc" + PROMPT


def test_kbd_intr_off_and_on(port):
    port.ask(b"\x01", RAW_PROMPT)
    code = """
import micropython, sys
micropython.kbd_intr(-1)
sys.stdout.write("go")
data = sys.stdin.buffer.read(256)
micropython.kbd_intr(3)
sys.stdout.write("got")
sys.stdout.buffer.write(data)
while True: pass
"""
    port.paste(code.encode())
    port.read_until(b"go")
    port.write(ALL_BYTES)
    port.read_until(b"got")
    assert port.read(256) == ALL_BYTES
    assert b"KeyboardInterrupt" in port.ask(b"\x03", b"\x04>")
    port.write(b"import micropython; micropython.kbd_intr(-1)\x04")
    port.read_until(b"\x04>")
    port.write(b"while True: pass\x04")  # on a board, kbd_intr lasts until the prompt
    port.read_until(b"OK")
    time.sleep(0.05)
    assert b"KeyboardInterrupt" in port.ask(b"\x03", b"\x04>")


def test_bytes_pass_unchanged_both_ways(port):
    port.ask(b"\x01", RAW_PROMPT)
    size = 200_000
    data = (ALL_BYTES * (size // 256 + 1))[:size]
    code = f"""
import micropython, sys
micropython.kbd_intr(-1)
sys.stdout.write("go")
left = {size}
while left:
    data = sys.stdin.buffer.read(min(left, 1000))
    left -= len(data)
    sys.stdout.buffer.write(data)
"""
    port.paste(code.encode())
    port.read_until(b"go")
    back = b""
    for start in range(0, size, 2000):
        port.write(data[start : start + 2000])
        back += port.read(len(data[start : start + 2000]))
    assert back == data
    port.read_until(b"\x04\x04>")


def test_nothing_is_lost_when_the_host_reads_late(port):
    port.ask(b"\x01", RAW_PROMPT)
    port.write(b"for i in range(30000): print('%06d' % i)\x04")
    assert port.read(2) == b"OK"
    time.sleep(1.0)
    lines = port.read_until(b"\x04\x04>")[:-3].split()
    assert lines == [b"%06d" % i for i in range(30000)]


@pytest.mark.parametrize("ask", ["ctrl_d", "sys.exit", "machine.soft_reset", "sys.exit(3)"])
@pytest.mark.parametrize("mode", ["raw", "friendly"])
def test_soft_reset_returns_to_its_mode(port, mode, ask):
    code = {
        "ctrl_d": b"",
        "sys.exit": b"import sys; sys.exit()",
        "sys.exit(3)": b"import sys; sys.exit(3)",
        "machine.soft_reset": b"import machine; machine.soft_reset()",
    }[ask]
    if mode == "raw":
        port.ask(b"\x01", RAW_PROMPT)
        port.execute("gone = 1")
        port.write(code + b"\x04")
        said = port.read_until(RAW_PROMPT)
        assert said.startswith(b"OK") and b"\r\nMPY: soft reboot\r\nraw REPL" in b"\r\n" + said[
            2:
        ].lstrip(b"\x04\r\n")
        assert b"NameError" in port.execute("gone")[1]
    else:
        port.ask(b"gone = 1\r", PROMPT)
        said = port.ask(code + (b"\r" if code else b"\x04"), PROMPT)
        assert b"MPY: soft reboot\r\nMicroPython " in said
        assert b"NameError" in port.ask(b"gone\r", PROMPT)


def test_input_sent_during_a_soft_reset_is_kept(port):
    port.ask(b"\x01", RAW_PROMPT)
    port.write(b"\x04print('kept')\x04")
    assert port.read_until(b"kept\n\x04\x04>").count(b"soft reboot") == 1


def test_machine_reset_and_identity(port):
    port.ask(b"\x01", RAW_PROMPT)
    code = "import machine; print(machine.unique_id().hex(), machine.reset_cause())"
    first = port.execute(code)[0].split()
    port.write(b"import machine; print('bye'); machine.reset()\x04")
    said = port.read_until(PROMPT)
    assert b"bye\n" in said and b"soft reboot" not in said and b"MicroPython " in said
    port.ask(b"\x01", RAW_PROMPT)
    second = port.execute(code)[0].split()
    assert len(first[0]) == 16 and first[0] == second[0] and second[1] == b"2"
    port.ask(b"\x04", RAW_PROMPT)
    assert port.execute(code)[0].split()[1] == b"5"
