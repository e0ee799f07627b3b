"""boot.py, main.py, the flash and what a board must not have."""

from __future__ import annotations

import ast
import random
import sys
import time

import pytest
from virtual_board_port import PROMPT, RAW_PROMPT, Port

from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.errors import BoardError


@pytest.fixture
def board():
    with VirtualBoard() as board:
        yield board


@pytest.fixture
def port(board):
    with Port(board.port) as port:
        port.raw()
        yield port


def put(port: Port, name: str, text: str) -> None:
    assert port.execute(f"with open({name!r}, 'w') as f: f.write({text!r})") == (b"", b"")


# --- boot.py and main.py ----------------------------------------------------------------------
def test_boot_and_main_run_after_a_soft_reset(port):
    put(port, "boot.py", "print('boot', __name__)\nboot_was_here = 1")
    put(port, "main.py", "print('main', boot_was_here)\nleft = 2")
    said = port.ask(b"\x04", RAW_PROMPT)
    assert said.endswith(b"MPY: soft reboot\r\nboot __main__\n" + RAW_PROMPT)
    port.ask(b"\x02", PROMPT)
    said = port.ask(b"\x04", PROMPT)
    assert b"MPY: soft reboot\r\nboot __main__\nmain 1\nMicroPython " in said
    assert port.ask(b"left\r", PROMPT) == b"left\r\n2" + PROMPT
    port.ask(b"\x01", RAW_PROMPT)
    names = port.execute("print(sorted(globals()))")[0].decode()
    assert names == "['__name__', 'boot_was_here', 'left']\n" or "_boot'" not in names


def test_boot_and_main_run_after_power_on(board, port):
    put(port, "boot.py", "print('boot')")
    put(port, "main.py", "print('main')")
    board.power_cut()
    board.power_on()
    assert b"boot\nmain\nMicroPython " in port.read_until(PROMPT)


def test_an_exception_in_main_is_printed_and_the_prompt_reached(port):
    put(port, "main.py", "def f():\n    1 / 0\nf()\n")
    port.ask(b"\x02", PROMPT)
    said = port.ask(b"\x04", PROMPT).replace(b"\r\n", b"\n")
    assert (
        b"soft reboot\nTraceback (most recent call last):\n"
        b'  File "main.py", line 3, in <module>\n'
        b'  File "main.py", line 2, in f\nZeroDivisionError: divide by zero\nMicroPython '
    ) in said


def test_a_main_that_loops_is_interrupted(port):
    put(port, "main.py", "print('up')\nwhile True: pass")
    port.ask(b"\x02", PROMPT)
    port.write(b"\x04")
    port.read_until(b"up\n")
    assert b"KeyboardInterrupt" in port.ask(b"\x03", PROMPT)


def test_main_that_does_not_run_when_boot_fails(port):
    put(port, "boot.py", "import nothing_here")
    put(port, "main.py", "print('main')")
    port.ask(b"\x02", PROMPT)
    said = port.ask(b"\x04", PROMPT)
    assert b"ImportError" in said and b"main" not in said.replace(b"<module>", b"")


def test_a_syntax_error_in_main(port):
    put(port, "main.py", "x = = 1\n")
    port.ask(b"\x02", PROMPT)
    assert b"SyntaxError" in port.ask(b"\x04", PROMPT)


@pytest.mark.parametrize("end", ["import sys; sys.exit()", "import machine; machine.soft_reset()"])
def test_a_main_that_exits_resets_the_board(port, end):
    put(port, "count", "0")
    put(
        port,
        "main.py",
        "n = int(open('count').read()) + 1\n"
        "with open('count', 'w') as f: f.write(str(n))\n"
        f"print('run', n)\nif n < 3: {end}\n",
    )
    port.ask(b"\x02", PROMPT)
    said = port.ask(b"\x04", PROMPT)
    assert said.count(b"MPY: soft reboot\r\n") == 3 and b"run 3\n" in said


# --- flash ------------------------------------------------------------------------------------
def test_flash_outlives_power_cuts_and_boards(tmp_path):
    flash = tmp_path / "flash.bin"
    with VirtualBoard(flash=flash) as board, Port(board.port) as port:
        port.raw()
        put(port, "kept.txt", "one")
        board.power_cut()
        assert not board.alive
        board.power_on()
        assert board.alive
        port.raw()
        assert port.execute("print(open('kept.txt').read())")[0] == b"one\n"
    assert flash.stat().st_size == 2 * 1024 * 1024
    with VirtualBoard(flash=flash, flash_size_bytes=65536) as board, Port(board.port) as port:
        port.raw()
        assert port.execute("print(open('kept.txt').read())")[0] == b"one\n"
        code = "import os; print(os.statvfs('/')[0] * os.statvfs('/')[2])"
        assert port.execute(code)[0] == b"2097152\n"


def test_flash_without_a_path_is_thrown_away(board):
    with Port(board.port) as port:
        port.raw()
        put(port, "x", "1")
    with VirtualBoard() as other, Port(other.port) as port:
        port.raw()
        assert port.execute("import os; print(os.listdir())")[0] == b"[]\n"


def test_two_boards_do_not_share_a_flash(tmp_path):
    flash = tmp_path / "flash.bin"
    in_use = pytest.raises(BoardError, match="Another virtual board uses the flash")
    with VirtualBoard(flash=flash), in_use:
        VirtualBoard(flash=flash).start()
    VirtualBoard(flash=flash).start().close()


def test_a_flash_that_cannot_be_opened(tmp_path):
    with pytest.raises(BoardError, match="can't be opened"):
        VirtualBoard(flash=tmp_path / "no such folder" / "flash.bin").start()


def test_no_room_for_a_flash_of_its_own():
    """A full disk: there is no file of the learner's that could be named."""
    board = VirtualBoard()
    with pytest.raises(BoardError) as caught:
        board._refuse_flash({"kind": "OSError", "why": "[Errno 28] No space left on device"})
    assert "None" not in caught.value.what and "temporary" in caught.value.what
    assert "Make room" in caught.value.mend


NOT_FLASHES = {
    "text": b"My notes.\n" * 300,
    "whole blocks of text": b"My notes.\n" * 4096,
    "one byte": b"x",
    "erased, not whole blocks": b"\xff" * 5000,
    "almost erased": b"\xff" * 8191 + b"x",
}


@pytest.mark.skipif(sys.platform == "win32", reason="there the flash is a folder")
@pytest.mark.parametrize("content", NOT_FLASHES.values(), ids=NOT_FLASHES)
def test_a_file_that_is_no_flash_is_left_alone(tmp_path, content):
    file = tmp_path / "README.md"
    file.write_bytes(content)
    before = file.stat()
    with pytest.raises(BoardError, match=r"README\.md is not a flash") as caught:
        VirtualBoard(flash=file).start()
    assert "Name another file" in str(caught.value)
    assert file.read_bytes() == content and file.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.skipif(sys.platform == "win32", reason="there the flash is a folder")
def test_a_flash_too_large_is_left_alone(tmp_path):
    file = tmp_path / "large.bin"
    with file.open("wb") as opened:
        opened.truncate(65 * 1024 * 1024)
    with pytest.raises(BoardError, match="larger than 64 MiB"):
        VirtualBoard(flash=file).start()


@pytest.mark.skipif(sys.platform == "win32", reason="there the flash is a folder")
@pytest.mark.parametrize("content", [b"", b"\xff" * 65536, bytes(65536)], ids=["new", "ff", "00"])
def test_an_erased_flash_is_formatted(tmp_path, content):
    file = tmp_path / "flash.bin"
    file.write_bytes(content)
    with VirtualBoard(flash=file, flash_size_bytes=65536) as board, Port(board.port) as port:
        port.raw()
        put(port, "kept.txt", "one")
    assert file.stat().st_size == 65536 and b"littlefs" in file.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="there the flash is a folder")
def test_a_flash_that_was_cut_short_is_not_formatted_anew(tmp_path):
    file = tmp_path / "flash.bin"
    with VirtualBoard(flash=file) as board, Port(board.port) as port:
        port.raw()
        put(port, "kept.txt", "one")
    content = file.read_bytes()[:65536]
    file.write_bytes(content)
    with pytest.raises(BoardError, match="damaged or of another size"):
        VirtualBoard(flash=file).start()
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "size",
    [{"flash_size_bytes": n} for n in (0, 4096, 1 << 40)]
    + [{"heap_size_bytes": n} for n in (-1, 4096, 1 << 40)],
)
def test_sizes_have_bounds(tmp_path, size):
    flash = tmp_path / "flash.bin"
    with pytest.raises(BoardError, match="is not possible: it has 16 KiB to") as caught:
        VirtualBoard(flash=flash, **size).start()
    assert next(iter(size)) in str(caught.value)
    assert not flash.exists()


def test_the_largest_flash_starts_at_once():
    with VirtualBoard(flash_size_bytes=64 * 1024 * 1024) as board, Port(board.port) as port:
        port.raw()
        code = "import os; print(os.statvfs('/')[0] * os.statvfs('/')[2] >> 20)"
        assert port.execute(code)[0] == b"64\n"


def test_a_full_flash_says_so():
    with VirtualBoard(flash_size_bytes=64 * 1024) as board, Port(board.port) as port:
        port.raw()
        code = "f = open('big', 'wb')\nwhile True: f.write(bytes(1024))"
        assert b"OSError: 28" in port.execute(code)[1] or b"ENOSPC" in port.execute("f.close()")[1]
        assert (
            port.execute("import os\nf = None\nimport gc\ngc.collect()\nos.remove('big')")[1] == b""
        )
        put(port, "small", "fits")


def test_flash_is_whole_after_power_cuts_in_the_middle_of_writing(board):
    chance = random.Random(1)
    writer = """
import os
n = 0
while True:
    with open('new', 'w') as f: f.write(str(n) * 500)
    os.rename('new', 'file')
    n += 1
"""
    check = """
import os
for name in os.listdir():
    if name != 'new':
        text = open(name).read()
        n = text[:len(text) // 500]
        assert text == n * 500, name
print('whole')
"""
    with Port(board.port) as port:
        for _ in range(12):
            port.raw()
            port.write(writer.encode() + b"\x04")
            port.read_until(b"OK")
            time.sleep(chance.uniform(0.0, 0.1))
            board.power_cut()
            board.power_on()
            port.read_until(PROMPT)
            port.raw()
            assert port.execute(check) == (b"whole\n", b"")


def test_a_file_left_open_is_closed_by_the_garbage_collection(port):
    """As on a board; while it collects, the flash chip gets no heap."""
    for name in "abc":
        assert port.execute(f"open('{name}', 'w').write('x' * 5000)")[1] == b""
    put(port, "more", "y" * 5000)
    assert port.execute("import gc, os\ngc.collect()") == (b"", b"")
    put(port, "more", "z" * 5000)
    said = port.execute("print([os.stat(n)[6] for n in ('a', 'b', 'c', 'more')])")
    assert said == (b"[5000, 5000, 5000, 5000]\n", b"")


def test_ctrl_c_in_the_middle_of_writing_leaves_the_files_in_order(port):
    chance = random.Random(2)
    port.execute("import os\nkeep = open('keep', 'w')")
    for _ in range(40):
        port.write(b"while True:\n with open('x', 'w') as f: f.write('0123456789' * 300)\x04")
        port.read_until(b"OK")
        time.sleep(chance.uniform(0.0, 0.02))
        assert b"KeyboardInterrupt" in port.ask(b"\x03", b"\x04>")
        assert port.execute("keep.write('k')\nkeep.flush()")[1] == b""
    assert port.execute("print(len(open('keep').read()), os.listdir())")[0].startswith(b"40 ")


# --- a board has nothing of the host ----------------------------------------------------------
HOST_PATHS = (
    "/etc/passwd",
    "/../etc/passwd",
    "../../../etc/passwd",
    "/proc/self/environ",
    "/dev/tty",
)


@pytest.mark.parametrize("path", HOST_PATHS)
def test_no_host_file_opens(port, path):
    for function in ("open({!r})", "io.open({!r})", "os.stat({!r})", "os.remove({!r})"):
        code = "import io, os\n" + function.format(path)
        assert b"OSError" in port.execute(code)[1]


@pytest.mark.parametrize(
    "code",
    [
        *("import os; os.system('true')", "import uos; uos.system", "import os; os.getenv"),
        *("import os; os.VfsPosix", "import vfs; vfs.VfsPosix", "import uvfs; uvfs.VfsPosix"),
        *(
            "from os import system",
            "import machine; machine.mem32",
            "import umachine; umachine.mem8",
        ),
        *("import sys; sys.executable", "import usys; usys.executable"),
    ],
)
def test_what_a_board_does_not_have(port, code):
    error = port.execute(code)[1]
    assert b"AttributeError" in error or b"ImportError" in error


def test_code_that_digs_for_the_host_is_refused(port):
    """By Linux itself; `import os` gives the interpreter's own `os` once the board's is gone."""
    dig = "import sys\nfor name in ('os', 'vfs'): del sys.modules[name]\nimport os, vfs\n"
    port.execute(dig + "host = vfs.VfsPosix('/')\nvfs.mount(host, '/host')")
    if b"EACCES" not in (error := port.execute("open('/host/etc/passwd')")[1]):
        assert error == b""
        pytest.skip("this Linux has no Landlock")
    for use in ("host.remove('/etc/none')", "host.mkdir('/tmp/none')", "host.ilistdir('/')"):
        assert b"EACCES" in port.execute(use)[1] or b"ENOENT" in port.execute(use)[1]
    assert port.execute("print(os.system('true') != 0)")[0] == b"True\n"


@pytest.mark.parametrize(
    "name",
    ["boot_flash", "board_os", "flash_chip", "start_supervisor", "virtual_board", "antigravity"],
)
def test_no_host_module_is_imported(port, name):
    assert b"ImportError" in port.execute(f"import {name}")[1]


def test_what_a_board_says_of_itself(port):
    facts = "(sys.path, os.getcwd(), os.listdir('/'), sys.argv, os.uname()[4])"
    answer = port.execute(f"import os, sys; print({facts})")[0]
    path, cwd, files, argv, machine = ast.literal_eval(answer.decode())
    assert (path, cwd, files, argv) == (["", ".frozen", "/lib"], "/", [], [])
    assert machine.startswith("virtual board with ")
    assert port.execute("print(sys.implementation._machine)")[0].decode() == machine + "\n"
    version = port.execute("import sys; print(list(sys.implementation.version))")[0].decode()
    numbers = ast.literal_eval(version)
    release = ".".join(map(str, numbers[:3])) + "".join(
        f"-{label}" for label in numbers[3:] if label
    )
    assert port.execute("print(os.uname().release, os.uname().version)")[0].decode() == (
        f"{release} {release}\n"
    )
    implementation = port.execute("print(sys.implementation)")[0]
    assert implementation.startswith(b"implementation(name='micropython', version=(1,")


def test_modules_import_from_flash(port):
    port.execute("import os; os.mkdir('lib')")
    put(port, "/lib/in_lib.py", "x = 1")
    put(port, "in_root.py", "x = 2")
    assert port.execute("import in_lib, in_root; print(in_lib.x, in_root.x)")[0] == b"1 2\n"


@pytest.mark.parametrize("heap_kib", [64, 256])
def test_heap_has_the_size_asked_for(heap_kib):
    with VirtualBoard(heap_size_bytes=heap_kib * 1024) as board, Port(board.port) as port:
        port.raw()
        total = int(port.execute("import gc; print(gc.mem_free() + gc.mem_alloc())")[0])
        assert 0.9 < total / (heap_kib * 1024) <= 1.0
        used = int(port.execute("gc.collect(); print(gc.mem_alloc())")[0])
        assert used < 12_000
        assert b"MemoryError" in port.execute(f"bytearray({heap_kib} * 1024)")[1]
