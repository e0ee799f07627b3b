"""The catalogue of boards: every field of every entry, and what is looked up in it."""

from __future__ import annotations

import dataclasses
import json
import re
from urllib.parse import urlsplit

import pytest

from workshop_helpers.board import catalogue
from workshop_helpers.board.catalogue import known
from workshop_helpers.board.catalogue.choose import choose
from workshop_helpers.board.discovery import MAKER, MICROPYTHON, PortRecord, rank
from workshop_helpers.board.info import BoardInfo
from workshop_helpers.course.boards import (
    USE_CASES,
    BoardTable,
    board_chooser,
    boards_table,
    memory_figure,
)
from workshop_helpers.errors import CourseError, UnknownBoardError
from workshop_helpers.modules import ARCHES

FILES = sorted(known.BOARDS.glob("*.json"))
BOARDS = catalogue.all_boards()
TEXT = ["id", "name", "maker", "chip", "cpu", "usb_kind", "machine", "micropython_id"]
METHODS = {"esptool", "uf2", "dfu", "stlink", "bossac", "teensy"}


def info(name, chip):
    return BoardInfo(name, chip, "x", "1.27.0", None, None, *[None] * 5, 32)


def test_enough_boards_with_unique_ids():
    assert len(BOARDS) >= 15
    assert [board.id for board in BOARDS] == [path.stem for path in FILES]
    assert len({(b.maker, b.name) for b in BOARDS}) == len(BOARDS)


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_every_field(board):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", board.id)
    assert all(getattr(board, name).strip() for name in TEXT)
    assert board.arch in ARCHES
    assert board.float_unit in {"none", "single", "double"}
    assert 16 <= board.clock_mhz <= 1000
    assert 16 <= board.ram_kb <= 4096 and 256 <= board.flash_kb <= 65536
    assert board.psram_kb is None or 0 <= board.psram_kb <= 65536
    assert board.heap_kb is None or 8 <= board.heap_kb <= board.ram_kb + (board.psram_kb or 0)
    assert (board.price_usd is None) == (board.price_year is None)
    assert board.price_usd is None or 1 <= board.price_usd <= 300
    assert board.price_year is None or 2020 <= board.price_year <= 2030
    assert board.active_ma is None or 1 <= board.active_ma <= 500
    assert board.sleep_ua is None or 0.1 <= board.sleep_ua <= 10_000
    assert set(board.unchecked) <= {field.name for field in dataclasses.fields(board)}
    assert all(getattr(board, name) not in (None, ()) for name in board.unchecked)
    measured = board.active_ma is not None or board.sleep_ua is not None
    assert board.current_of in ({"board", "chip"} if measured else {None})
    assert board.usb and all(u.when in {"running", "download", "bridge"} for u in board.usb)
    assert re.fullmatch(r"[A-Z0-9_]+", board.micropython_id)
    assert board.boot_steps and board.reset_steps and board.quirks
    for line in (*board.boot_steps, *board.reset_steps, *board.quirks):
        assert line[0].isupper() and line.endswith(".")


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_flashing_is_described(board):
    assert board.flash_method in METHODS
    assert (board.flash_offset is not None) == (board.flash_method in {"esptool", "bossac"})
    assert (board.uf2_family is not None) == (board.flash_method == "uf2")
    assert bool(board.uf2_drive) == (board.flash_method == "uf2")


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_sources_are_links(board):
    assert len(board.sources) >= 2
    for source in board.sources:
        parts = urlsplit(source)
        assert parts.scheme == "https" and "." in parts.netloc and len(parts.path) > 1
    assert any(f"boards/{board.micropython_id}/board.json" in source for source in board.sources)


def test_chips_agree_with_themselves():
    for chip in {board.chip for board in BOARDS}:
        same = [board for board in BOARDS if board.chip == chip]
        assert len({(b.cpu, b.arch, b.float_unit, b.clock_mhz, b.ram_kb) for b in same}) == 1


def test_a_missing_or_unknown_field_is_an_error():
    row = json.loads(FILES[0].read_text("utf-8"))
    for bad in ({**row, "colour": "red"}, {k: v for k, v in row.items() if k != "arch"}):
        with pytest.raises(ValueError, match=r"colour|arch"):
            known.from_json(bad)


def test_the_file_has_what_the_class_has():
    fields = [field.name for field in dataclasses.fields(catalogue.KnownBoard)]
    assert all(list(json.loads(path.read_text("utf-8"))) == fields for path in FILES)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("pico-2-w", "pico-2-w"),
        ("ESP32-C3", "esp32-c3-devkitm"),
        ("RPI_PICO", "pico"),
        ("Nano 33 BLE Sense", "nano-33-ble-sense"),
        ("Raspberry Pi Pico 2 W", "pico-2-w"),  # as `workshop flash --list` shows it
    ],
)
def test_find(name, wanted):
    assert catalogue.find(name).id == wanted


def test_an_unknown_board_is_told_what_is_like_it():
    with pytest.raises(UnknownBoardError) as error:
        catalogue.find("pico-9")
    assert "pico-2" in error.value.mend


def test_match_by_what_a_board_says():
    assert [b.id for b in catalogue.match(info("Raspberry Pi Pico W", "RP2040"))] == ["pico-w"]
    assert {b.id for b in catalogue.match(info("Arduino Nano 33 BLE Sense", "NRF52840"))} == {
        "nano-33-ble-sense",
        "nano-33-ble-sense-rev2",
    }
    assert catalogue.match(info("virtual board", "this computer's processor")) == ()


def test_match_by_usb():
    assert [b.id for b in catalogue.match((0xF055, 0x9802))] == ["teensy-41"]
    assert catalogue.match((0x10C4, 0xEA60)) == ()  # on every second board there is
    assert len(catalogue.match((0x2E8A, 0x0005))) > 3


def test_discovery_names_boards_of_the_catalogue():
    teensy, usb_jtag = rank(
        [PortRecord("COM5", vid=0x303A, pid=0x1001), PortRecord("COM6", vid=0xF055, pid=0x9802)]
    )
    assert (teensy.score, teensy.why) == (MICROPYTHON, "MicroPython on PJRC Teensy 4.1")
    assert usb_jtag.score == MAKER and "ESP32" in usb_jtag.why


# --- choosing -----------------------------------------------------------------------------------
def test_what_is_missing_is_said_and_comes_last():
    ranking = choose(sensors=["accelerometer"], radio=["LoRa"], top=99)
    assert ranking[0].board.id == "t-watch-s3" and ranking[0].fits
    lacking = [len(choice.missing) for choice in ranking]
    assert lacking == sorted(lacking) and lacking[-1] > 0
    assert all(choice.fits == (not choice.missing) for choice in ranking)


def test_needs_in_numbers():
    for choice in choose(ram_kb=500, float_unit=True, max_price_usd=6, top=99):
        if choice.fits:
            assert choice.board.ram_kb >= 500 and choice.board.float_unit != "none"
            assert choice.board.price_usd is None or choice.board.price_usd <= 6
    assert (
        "no float unit"
        in next(c for c in choose(float_unit=True, top=99) if c.board.id == "pico").missing
    )


def test_an_unknown_price_is_a_question():
    marks = {c.board.id: c.mark for c in choose(float_unit=True, max_price_usd=10, top=99)}
    assert (marks["pico-2"], marks["portenta-h7"], marks["pico"]) == ("✔", "?", "✘")


def test_a_ranking_shows_itself():
    ranking = choose(sensors=["microphone"], battery=True)
    assert "microphone" in repr(ranking)
    assert ranking._repr_html_().count("<tr>") == len(ranking) + 1


# --- what notebook 02 shows ----------------------------------------------------------------------
def test_the_figure_names_every_board():
    (axes,) = memory_figure().axes
    shown = "\n".join(text.get_text() for text in axes.texts)
    assert all(board.name in shown for board in BOARDS)


def test_the_table_is_filtered_and_sorted():
    table = boards_table(has="microphone", float_unit="single")
    assert 0 < len(table) < len(BOARDS)
    assert all(b.has("microphone") and b.float_unit == "single" for b in table.boards)
    assert [b.ram_kb for b in table.boards] == sorted(
        (b.ram_kb for b in table.boards), reverse=True
    )
    assert table._repr_html_().count("<tr>") == len(table) + 1
    for sort in ("price", "chip"):
        with pytest.raises(CourseError, match=sort):
            boards_table(sort=sort)


def test_the_table_marks_what_no_source_confirms():
    marked, plain = (boards_table(chip=chip)._repr_html_() for chip in ("ESP32", "RP2350"))
    assert "<td style='text-align:left'>4,096*</td>" in marked and "*: none of" in marked
    assert "*</td>" not in plain and "$5 (2024)" in plain
    assert "512<br>+ –" in marked and "512<br>+ 8,192" in marked and "520</td>" in marked
    assert "14 µA (board)" in marked and "5 µA (chip)" in marked


def test_what_the_table_shows_is_confirmed_for_most_boards():
    stars = {board.id for board in BOARDS if "*</td>" in BoardTable([board])._repr_html_()}
    assert stars <= {"esp32-devkitc"}  # its module is sold with several sizes of flash


@pytest.mark.parametrize("needs", USE_CASES.values(), ids=list(USE_CASES))
def test_each_use_case_has_a_board(needs):
    assert choose(**needs)[0].fits


def test_the_chooser_follows_its_controls(monkeypatch):
    assert "✔" in repr(board_chooser())  # no notebook: the ranking itself
    monkeypatch.setattr("workshop_helpers.course.boards.in_notebook", lambda: True)
    controls, _, shown = board_chooser().children
    controls.children[1].value = "LoRa"
    assert shown.value.index("T-Watch S3") < shown.value.index("no LoRa")
