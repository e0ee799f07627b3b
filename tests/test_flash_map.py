"""Notebook 03's picture: what is dark is what was written."""

from __future__ import annotations

from workshop_helpers.course.flash_map import REGIONS, flash_map_figure
from workshop_helpers.firmware import PracticeChip, practice_firmware


def test_what_is_written_is_dark_where_it_lies():
    program = practice_firmware(size_bytes=100 * 1024)
    with PracticeChip() as new, PracticeChip("ESP32", program=program) as old:
        figure = flash_map_figure({"new": new.flash, "old": old.flash})
    (axes,) = figure.axes
    dark = [bar for bar in axes.patches if bar.get_facecolor()[:3] == (68 / 255,) * 3]
    # 100 KB from 4 KB on, as an ESP32 has it: seven blocks of 16 KB, all in the second row.
    assert [bar.get_x() for bar in dark] == [16 * n for n in range(7)]
    assert {round(bar.get_y() + bar.get_height() / 2) for bar in dark} == {2}
    assert [text.get_text() for text in axes.texts] == [name for name, _, _ in REGIONS]
