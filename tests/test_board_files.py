"""Files on a board: whole or not at all, whatever their names and bytes."""

import os

import pytest

from workshop_helpers.board.files import PART_NAME
from workshop_helpers.errors import BoardGoneError, FileError, FlashFullError

EVERY_BYTE = bytes(range(256))


def part_files(board):
    return [file.path for file in board.ls("/", recursive=True) if file.name == PART_NAME]


@pytest.mark.parametrize("data", [b"", b"\x04", EVERY_BYTE, EVERY_BYTE[::-1] * 33])
def test_bytes_come_back(board, device_dir, data):
    path = f"{device_dir}/data.bin"
    report = board.put(data, path)
    assert (report.path, report.size_bytes, report.skipped) == (path, len(data), False)
    assert board.get(path) == data
    assert board.ls(path)[0].size_bytes == len(data)


def test_a_megabyte(board, device_dir):
    if (board.info.flash_free_bytes or 0) < 1_200_000:
        pytest.skip("needs 1.2 MB of free flash")
    data = os.urandom(1 << 20)
    board.put(data, f"{device_dir}/big.bin")
    assert board.get(f"{device_dir}/big.bin") == data


@pytest.mark.parametrize(
    "name", ["a b.txt", "quote's.txt", 'double".txt', "größe_日本.csv", "a\\b"]
)
def test_names(board, device_dir, name):
    name = name.replace("\\", "")
    path = f"{device_dir}/{name}"
    board.put(b"1", path)
    assert board.exists(path)
    assert [file.name for file in board.ls(device_dir)] == [name]
    board.rm(path)
    assert not board.exists(path)


def test_nested_directories(board, device_dir):
    board.put(b"1", f"{device_dir}/a/b/c.txt")
    board.mkdir(f"{device_dir}/a/d e/f")
    board.mkdir(f"{device_dir}/a/d e/f")
    found = {(f.path.removeprefix(device_dir), f.is_dir) for f in board.ls(device_dir, True)}
    assert found == {
        ("/a", True),
        ("/a/b", True),
        ("/a/b/c.txt", False),
        ("/a/d e", True),
        ("/a/d e/f", True),
    }
    with pytest.raises(FileError):
        board.rm(f"{device_dir}/a")
    board.rm(f"{device_dir}/a", recursive=True)
    assert board.ls(device_dir) == []


def test_put_into_a_directory_keeps_the_name(board, device_dir, tmp_path):
    source = tmp_path / "host name.txt"
    source.write_bytes(b"hello")
    assert board.put(source, device_dir).path == f"{device_dir}/host name.txt"
    assert board.put(str(source), device_dir + "/new/").path == f"{device_dir}/new/host name.txt"


def test_equal_files_are_skipped_and_others_overwritten(board, device_dir):
    path = f"{device_dir}/x.txt"
    assert not board.put(b"one", path).skipped
    assert board.put(b"one", path).skipped
    assert not board.put(b"two", path).skipped
    assert board.get(path) == b"two"
    assert part_files(board) == []


def test_progress(board, device_dir):
    steps = []
    board.put(EVERY_BYTE * 20, f"{device_dir}/p", progress=lambda done, total: steps.append(done))
    assert steps[-1] == 5120 and steps == sorted(steps)
    board.get(f"{device_dir}/p", progress=lambda done, total: steps.append(total))
    assert steps[-1] == 5120
    board.put(b"2" * 3000, f"{device_dir}/p", progress=True)


def test_get_writes_a_host_file(board, device_dir, tmp_path):
    board.put(b"hello", f"{device_dir}/h.txt")
    board.get(f"{device_dir}/h.txt", tmp_path)
    assert (tmp_path / "h.txt").read_bytes() == b"hello"
    board.get(f"{device_dir}/h.txt", tmp_path / "other")
    with pytest.raises(FileError, match="can't be written here"):
        board.get(f"{device_dir}/h.txt", tmp_path / "other" / "below a file")
    assert (tmp_path / "other").read_bytes() == b"hello"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["h.txt", "other"]


def test_get_stays_in_its_target_directory(board, device_dir, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    name = f"{device_dir}/c:evil"
    board.put(b"1", name)
    with pytest.raises(FileError, match="no name for a file here"):
        board.get(name, target)
    board.get(f"{device_dir}/../{device_dir.strip('/')}/c:evil", tmp_path / "named")
    assert list(target.iterdir()) == []


def test_clear_errors(board, device_dir):
    with pytest.raises(FileError, match="There is no"):
        board.get(f"{device_dir}/nope")
    with pytest.raises(FileError, match="is a directory"):
        board.get(device_dir)
    with pytest.raises(FileError, match="There is no"):
        board.ls(f"{device_dir}/nope")
    with pytest.raises(FileError, match="There is no"):
        board.rm(f"{device_dir}/nope")
    board.put(b"1", f"{device_dir}/file")
    with pytest.raises(FileError, match="not a directory"):
        board.put(b"1", f"{device_dir}/file/below")
    with pytest.raises(FileError, match="not a path"):
        board.put(b"1", "")
    with pytest.raises(FileError, match="not a directory"):
        board.mkdir(f"{device_dir}/file/below")
    with pytest.raises(FileError, match="no such host file' on this computer"):
        board.put("no such host file", f"{device_dir}/x")


@pytest.mark.parametrize("text", ["Ada", "x = 1\ny = 2\n", "long " * 1000, "nul\0"])
def test_text_that_was_meant_as_content(board, device_dir, text):
    with pytest.raises(FileError, match=r"There is no file .* on this computer") as caught:
        board.put(text, f"{device_dir}/me.txt")
    assert ".encode()" in caught.value.mend and len(str(caught.value)) < 250
    assert not board.exists(f"{device_dir}/me.txt")


def test_a_callback_that_fails_leaves_no_half_file(board, device_dir):
    path = f"{device_dir}/x"
    board.put(b"old", path)

    def fail(done, total):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        board.put(EVERY_BYTE * 20, path, progress=fail)
    assert board.get(path) == b"old"
    assert part_files(board) == []


def test_a_full_flash_is_seen_before_the_first_byte(board, device_dir):
    path = f"{device_dir}/x"
    board.put(b"old", path)
    free = board.info.flash_free_bytes
    if free is None or free > 8_000_000:
        pytest.skip("needs a flash of a few megabytes")
    sent = []
    with pytest.raises(FlashFullError) as caught:
        board.put(bytes(free), path, progress=lambda done, total: sent.append(done))
    assert caught.value.data["missing_bytes"] > 0
    assert "Nothing was written" in str(caught.value)
    assert sent == [] and board.get(path) == b"old" and part_files(board) == []
    assert board.info.flash_free_bytes == free


BELOW_ZERO = """
import os, sys
class Os:
    def __getattr__(self, name):
        return getattr(real, name)
    def statvfs(self, path):
        return (4096, 4096, 128, 4294967280, 4294967280, 0, 0, 0, 0, 255)
real, sys.modules["os"] = os, Os()
"""


def test_less_than_nothing_is_free_on_a_full_littlefs(own_board):
    board = own_board()
    board.exec(BELOW_ZERO)
    assert board.info.flash_free_bytes == 0
    with pytest.raises(FlashFullError):
        board.put(b"new", "/x")


def test_the_board_fills_to_the_brim(own_board):
    board = own_board(flash_size_bytes=256 * 1024)
    count = 0
    with pytest.raises(FlashFullError):
        while count < 100:
            board.put(os.urandom(20_000), f"/{count}.bin")
            count += 1
    assert 9 <= count <= 12
    assert [file.name for file in board.ls()].count(f"{count}.bin") == 0
    board.rm("/0.bin")
    board.put(b"1" * 20_000, "/again.bin")


@pytest.mark.slow
@pytest.mark.parametrize("had_old", [True, False])
def test_power_cut_in_the_middle_of_a_copy(own_board, had_old):
    board = own_board()
    if had_old:
        board.put(b"old" * 1000, "/x.bin")

    def cut(done, total):
        if done > total // 2:
            board.virtual.power_cut()

    with pytest.raises(BoardGoneError):
        board.put(os.urandom(50_000), "/x.bin", progress=cut)
    board.virtual.power_on()
    board.reconnect()
    if had_old:
        assert board.get("/x.bin") == b"old" * 1000
    else:
        assert not board.exists("/x.bin")
    data = os.urandom(50_000)
    board.put(data, "/x.bin")
    assert board.get("/x.bin") == data
    assert part_files(board) == []


def test_the_port_drops_in_the_middle_of_a_copy(own_board):
    board = own_board()
    board.put(b"old", "/x.bin")

    def drop(done, total):
        if done > total // 2:
            board._session.transport.port.close()

    with pytest.raises(BoardGoneError):
        board.put(os.urandom(50_000), "/x.bin", progress=drop)
    board.reconnect()
    assert board.get("/x.bin") == b"old"
    board.put(b"new", "/x.bin")
    assert board.get("/x.bin") == b"new"
    assert part_files(board) == []


def test_without_hashlib_the_file_is_read_back(own_board):
    board = own_board()
    board.exec("import sys\nclass Empty: pass\nsys.modules['hashlib'] = Empty()")
    report = board.put(EVERY_BYTE * 9, "/x.bin")
    assert not report.skipped and board.get("/x.bin") == EVERY_BYTE * 9


def test_a_copy_leaves_the_names_of_the_board_alone(board, device_dir):
    board.exec("f = r = w = h = buf = os = 7")
    before = board.exec("print(sorted(globals()))")
    board.put(EVERY_BYTE, f"{device_dir}/x")
    board.get(f"{device_dir}/x")
    assert board.eval("[f, r, w, h, buf, os]") == [7] * 6
    assert board.exec("print(sorted(globals()))") == before


def test_a_leftover_of_an_earlier_copy_is_removed(board, device_dir):
    board.exec(f"f = open('{device_dir}/{PART_NAME}', 'w')\nf.write('half')\nf.close()")
    board.put(b"1", f"{device_dir}/x")
    assert part_files(board) == []
