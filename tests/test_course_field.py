"""Notebook 04's faulty boards: each shows its own fault, and none of those of the others."""

from __future__ import annotations

import sys

import pytest

from workshop_helpers.course import field
from workshop_helpers.course.boot import watch_boot
from workshop_helpers.course.field import CASES, WORDS, FieldBoards, case_of, field_boards
from workshop_helpers.errors import BadAnswerError, BoardError, CourseError, WorkshopError

FAULTS = [(case, fault) for case in CASES for fault in case.faults]
DURATIONS = """
import time
for _ in range(20):
    start = time.ticks_us(); sum(range(1000)); end = time.ticks_us()
    print(time.ticks_diff(end, start))
"""


def words_of(boards):
    return [case_of(boards, label)[1].word for label in boards]


def damaged_answers(board):
    """Of ten long answers."""

    def is_damaged():
        try:
            return board.eval("list(range(200))") != [*range(200)]
        except BadAnswerError:
            return True

    return sum(is_damaged() for _ in range(10))


def words_of_a_put(board):
    try:
        return repr(board.put(b"x", "/x"))
    except WorkshopError as error:
        return str(error)


def signs(board):
    """word -> whether the board shows what tells of this fault, as the texts of the faults say."""
    # First: a bad line lets no reset through later on.
    said = [text for _, text in watch_boot(board, 5.0).lines]
    info = board.info
    free, total = info.heap_free_bytes, info.heap_total_bytes
    damaged = damaged_answers(board)
    durations = [row.strip() for row in board.exec(DURATIONS).split()]
    return {
        "main.py resets": said.count("main.py is up") > 1,
        "main.py floods": said.count("temperature 21.5") > 50,
        "heap in crumbs": info.largest_free_block_bytes < free / 3,
        "heap too small": total < 200 * 1024,
        "clock steps back": not damaged and any(int(text) < 0 for text in durations),
        "line flips bits": damaged > 0,
        "flash full": info.flash_free_bytes < 1000 * 1024,
        "flash worn out": "can't read or write" in words_of_a_put(board),
    }


@pytest.mark.parametrize(("case", "fault"), FAULTS, ids=[fault.name for _, fault in FAULTS])
def test_a_board_shows_its_fault_and_no_other(case, fault):
    boards = FieldBoards({"A": (case, fault)}, seed=1)
    try:
        shown = signs(boards["A"])
    finally:
        boards.close()
    assert [word for word, there in shown.items() if there] == [fault.word]
    assert sorted(shown) == list(WORDS)


def test_the_same_seed_brings_the_same_boards_and_the_earlier_ones_end():
    first = field_boards()
    of_first = first["B"]
    assert of_first.eval("1 + 1") == 2
    again = field_boards()
    assert words_of(first) == words_of(again) == words_of(again)
    with pytest.raises(BoardError, match="closed"):
        of_first.eval("1 + 1")
    assert again["B"].eval("1 + 1") == 2
    again.close()


def test_other_seeds_bring_all_faults_and_never_a_complaint_twice():
    drawn = [field._draw(seed) for seed in range(30)]
    assert {fault.word for three in drawn for _, fault in three} == set(WORDS)
    assert all(len({case.complaint for case, _ in three}) == 3 for three in drawn)
    assert drawn == [field._draw(seed) for seed in range(30)]


def test_where_the_flash_is_a_folder_no_board_has_one_that_is_full(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    drawn = {fault.word for seed in range(30) for _, fault in field._draw(seed)}
    assert drawn == {word for word in WORDS if "flash" not in word}


def test_closed_boards_and_boards_that_are_not_there_say_so():
    boards = field_boards()
    with pytest.raises(CourseError, match="'D'"):
        boards["D"]
    virtual = boards["A"].virtual
    boards.close()
    boards.close()
    assert not virtual.alive
    with pytest.raises(CourseError, match="closed"):
        boards["A"]
    assert "A" in boards and "D" not in boards and len(boards) == 3


def test_a_board_that_was_closed_by_itself_starts_again_with_its_fault():
    boards = field_boards()
    boards["A"].rm("/main.py")
    boards["A"].close()
    assert boards["A"].exists("/main.py") and boards["A"] is boards["A"]
    boards.close()


def test_complaints_and_words_are_shown_and_what_they_have_is_not():
    boards = field_boards()
    for shown in (repr(boards), boards._repr_html_()):
        assert all(case_of(boards, label)[0].complaint in shown for label in boards)
        assert all(shown.count(word) == 1 for word in WORDS)
