"""catch_up, for every notebook there is, on a fresh virtual board."""

from __future__ import annotations

import re

import pytest

from workshop_helpers.course import catch_up
from workshop_helpers.course.checkpoints import CHECKPOINTS
from workshop_helpers.course.notebooks import find_notebook, find_notebooks, notebook_number
from workshop_helpers.course.steps import Step
from workshop_helpers.errors import CourseError, FlashFullError
from workshop_helpers.paths import work_dir

NOTEBOOKS = find_notebooks()


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_WORK", str(tmp_path / "my_work"))
    return work_dir()


def test_every_notebook_has_a_checkpoint_and_every_checkpoint_a_notebook():
    assert sorted(CHECKPOINTS) == [path.name[:2] for path in NOTEBOOKS]
    assert list(CHECKPOINTS) == sorted(CHECKPOINTS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_brings_back_and_the_second_time_changes_nothing(path, own_board, work, capsys):
    board = own_board()
    assert catch_up(path.name[:2], board) is board
    lines = capsys.readouterr().out.splitlines()
    steps = len(CHECKPOINTS[path.name[:2]]) + 1
    assert lines[-1] == f"✔ Ready for {path.stem}."
    assert [line.split()[0] for line in lines[:-1]] == [
        f"[{number}/{steps}]" for number in range(1, steps + 1)
    ]
    assert all(re.search(r" … \S", line) for line in lines[:-1])  # each says how it went

    def state():
        there = {f.path: f.size_bytes for f in board.ls("/", recursive=True)}
        made = {f: f.read_bytes() for f in work.rglob("*") if f.is_file()}
        return there, made, {f: f.stat().st_mtime_ns for f in made}

    before = state()
    catch_up(path.name[:2], board)
    lines = capsys.readouterr().out.splitlines()
    assert all("already there" in line for line in lines[1:-1])
    assert state() == before


@pytest.mark.parametrize("number", [5, "5", "05", "notebooks/05_install.ipynb", " 5 "])
def test_any_spelling_of_a_number(number):
    assert notebook_number(number) == "05"
    assert find_notebook(number) == next(p for p in NOTEBOOKS if p.name.startswith("05_"))


@pytest.mark.parametrize("number", ["", "five", -1, 100, True, None, 5.5, "5.1", "98"])
def test_what_is_no_notebook_is_refused(number):
    with pytest.raises(CourseError):
        find_notebook(number)


def test_a_main_in_the_way_is_kept_under_another_name(own_board, capsys):
    board = own_board()
    board.put(b"while True: pass\n", "/main.py")
    catch_up("00", board)
    assert "main.py kept as /main_aside.py" in capsys.readouterr().out
    for main in (b"another = 1\n", b"while True: pass\n"):  # nor does it overwrite what it kept
        board.put(main, "/main.py")
        catch_up("00", board)
    assert board.get("/main_aside.py") == b"while True: pass\n"
    assert board.get("/main_aside2.py") == b"another = 1\n"
    assert not board.exists("/main_aside3.py")
    assert not board.exists("/main.py")


def test_the_heap_is_empty_afterwards(own_board):
    board = own_board()
    board.exec("big = bytearray(50000)")
    catch_up("00", board)
    assert not board.eval("'big' in globals()")


def test_a_program_that_runs_is_stopped(own_board):
    board = own_board()
    running = board.start("while True: pass")
    catch_up("00", board)
    assert running.ended and board.eval("1 + 1") == 2


def test_without_a_board_it_connects(monkeypatch):
    monkeypatch.setenv("WORKSHOP_PORT", "virtual")
    with catch_up("00") as board:
        assert board.is_virtual and board.eval("1 + 1") == 2


def test_a_step_that_fails_raises_its_own_error_after_its_own_line(own_board, monkeypatch, capsys):
    def fail(board):
        raise FlashFullError("no room")

    monkeypatch.setitem(CHECKPOINTS, "00", (Step("a large file", fail),))
    board = own_board()
    with pytest.raises(FlashFullError):
        catch_up("00", board)
    assert capsys.readouterr().out.splitlines()[-1] == "[2/2] a large file … ✘"
    assert board.eval("1 + 1") == 2
    monkeypatch.setitem(CHECKPOINTS, "00", ())
    catch_up("00", board)  # and run again
