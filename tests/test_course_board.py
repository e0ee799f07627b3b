"""What notebook 04 looks at: a board's heap, its start, the cost of numbers; on a real board."""

from __future__ import annotations

import pytest

from workshop_helpers.course.boot import Boot, _listen, watch_boot
from workshop_helpers.course.heap import HeapMap, parse_heap, read_heap
from workshop_helpers.course.pictures import heap_figure
from workshop_helpers.errors import BadAnswerError
from workshop_helpers.paths import DEVICE_SCRIPTS

LIB = DEVICE_SCRIPTS / "lib"

# As a port with blocks of 16 bytes prints it: two areas, free rows left out, a last row cut short.
TWO_AREAS = f"""mem: total=1, current=2, peak=3
GC: total: 5248, used: 1120, free: 4128
GC memory layout; from 3ffb1000:
00000: h=..{"." * 60}
       (2 lines all free)
GC memory layout; from 3ffc1000:
00000: {"." * 64}
00400: {"h" * 64}
00800: h===....
"""


def test_a_heap_of_two_areas_is_read_block_by_block():
    heap = parse_heap(TWO_AREAS)
    assert len(heap.used) == 5 * 64 + 8 and heap.block_bytes == 16
    assert heap.used[:4] == (True, True, False, False)
    assert heap.used.count(True) == 2 + 64 + 4
    assert heap.largest_free_bytes == 16 * (62 + 128 + 64)


def test_no_map_is_said():
    with pytest.raises(BadAnswerError, match="no map"):
        parse_heap("GC: total: 5248, used: 1, free: 2\n")


@pytest.mark.parametrize(
    ("was", "came"),
    [("h===", "h=.="), ("(2 lines", "(3 lines"), ("00400: h", "00400:  h"), ("5248", "5249")],
)
def test_a_damaged_map_is_refused(was, came):
    with pytest.raises(BadAnswerError, match="damaged"):
        parse_heap(TWO_AREAS.replace(was, came))


def test_the_map_agrees_with_the_boards_own_count(board):
    heap = read_heap(board)
    free_bytes = board.eval("(gc.collect(), gc.mem_free())[1]")
    assert abs(heap.free_bytes - free_bytes) < 0.05 * free_bytes


def test_crumbs_leave_memory_but_no_large_piece(board):
    board.put(LIB / "crumble.py", "/lib/")
    fresh = read_heap(board)
    piece_bytes = board.call("crumble.fill")
    full = read_heap(board)
    assert board.call("crumble.drop_every_other") == 24
    crumbs = read_heap(board)
    assert fresh.free_bytes - full.free_bytes > 47 * piece_bytes
    assert crumbs.free_bytes - full.free_bytes > 22 * piece_bytes
    assert crumbs.largest_free_bytes < crumbs.free_bytes / 2
    board.soft_reset()
    assert read_heap(board).largest_free_bytes > crumbs.largest_free_bytes


def test_numbers_cost_what_they_are_in_arrays_and_more_in_lists(board):
    board.put(LIB / "memory_cost.py", "/lib/")
    cost = dict(board.call("memory_cost.bytes_a_number", 500, timeout_s=30))
    for kind, bytes_each in (("array 'h'", 2), ("array 'f'", 4), ("bytearray", 1)):
        assert bytes_each <= cost[kind] < bytes_each + 1
    assert cost["list of floats"] > cost["list of small ints"] >= 4


def test_a_start_whose_words_all_come_at_once_is_heard():
    class Line:
        answers = iter((b">>> ", b"MPY: soft reboot\r\nImportError: none\r\n>>> "))
        in_waiting = 0

        def write(self, data):
            pass

        def read(self, n):
            return next(self.answers, b"")

    boot = _listen(Line(), seconds=1)
    assert [text for _, text in boot.lines] == ["ImportError: none"] and boot.ended


def test_the_picture_tells_what_is_free():
    heap = HeapMap((True,) * 100 + (False,) * 2048, 32)
    figure = heap_figure({"before": heap, "after": heap})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["before", "after"]
    assert "64 KiB free" in figure.axes[0].get_xlabel()


# --- starting ---------------------------------------------------------------------------------
def test_what_main_says_after_a_reset(own_board):
    board = own_board()
    board.put(b"import time\nprint('up')\ntime.sleep(1)\nprint('later')\n", "/main.py")
    boot = watch_boot(board, seconds=30)
    assert [text for _, text in boot.lines][:2] == ["up", "later"]
    assert boot.ended and boot.lines[1][0] > boot.lines[0][0]
    assert repr(boot).endswith("(the prompt is back)")
    assert board.eval("1 + 1") == 2


def test_a_main_that_loops_is_interrupted(own_board):
    board = own_board()
    board.put(b"n = 1\nwhile True: pass\n", "/main.py")
    boot = watch_boot(board, seconds=1)
    assert not boot.ended and board.eval("'n' in globals()") is False


def test_the_first_main_counts_its_starts(own_board):
    board = own_board()
    board.put((LIB / "first_main.py").read_bytes().replace(b"WINDOW_S = 3", b"WINDOW_S = 0"),
              "/main.py")  # fmt: skip
    for number in (1, 2):
        said = [text for _, text in watch_boot(board, seconds=1.5).lines]
        assert f"start number {number}" in said and "tick" in said
    board.put(b"", "/starts.txt")  # cut short by a power cut
    assert "start number 1" in [text for _, text in watch_boot(board, seconds=1.5).lines]


def test_an_led_without_a_pin_says_what_it_does(board):
    board.put(LIB / "led.py", "/lib/")
    board.exec("from led import LED; led = LED()")
    assert board.exec("led.toggle(); led.toggle(); led.on()") == "led on\nled off\nled on\n"
    assert board.eval("led.value") == 1


def test_a_flood_is_shown_by_its_beginning():
    shown = repr(Boot(tuple((0.1 * i, f"line {i}") for i in range(2000)), ended=False))
    assert shown.startswith(" 0.0 s  line 0\n 0.1 s  line 1\n")
    assert shown.endswith("and 1988 lines more\n(still running; interrupted now)")
    assert "more" not in repr(Boot(((0.0, "line"),), ended=True))
