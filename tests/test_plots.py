"""Pictures of the course: what the back row can read."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text

from workshop_helpers import plots
from workshop_helpers.plots import Picture, bars_figure, confusion_figure


def sizes(picture):
    picture.draw_without_rendering()
    return [t.get_fontsize() for t in picture.findobj(Text) if t.get_text() and t.get_visible()]


def test_small_text_is_shown_larger_and_large_text_as_it_is():
    picture = bars_figure(["one", "two"], {"a": [1, 2], "b": [3, 4]}, "µs", "A title")
    picture.axes[0].set_title("A title", fontsize=20)
    assert min(sizes(picture)) < 12
    picture._repr_png_()
    assert min(sizes(picture)) == 12 and max(sizes(picture)) == 20


def test_a_crowded_picture_may_ask_for_less():
    picture = Picture(4, 3, smallest_pt=9)
    picture.subplots().set_title("x", fontsize=7)
    picture._repr_png_()
    assert min(sizes(picture)) == 9


def test_bars_of_nothing_are_a_picture_all_the_same():
    assert bars_figure([], {"recorded": []}, "s", "Nothing yet")._repr_png_()[:4] == b"\x89PNG"


def test_a_confusion_matrix_leaves_out_what_is_none_of_the_classes_and_says_so():
    truth, said = ["a", "b", "None", "b"], ["a", "unsure", "a", "a"]
    (axes,) = confusion_figure(truth, said, ["a", "b"]).axes
    assert [text.get_text() for text in axes.texts] == ["1", "0", "1", "0"]
    assert axes.get_title().endswith(", 2 not shown")


NAME = r"5$ \frac{$"  # Matplotlib would read a formula, and fail
TIMES, ROWS = np.arange(4.0), np.zeros((4, 1))


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plots.confusion_figure([NAME], [NAME], [NAME]),
        lambda: plots.stream_figure(TIMES, ROWS, [NAME], TIMES, ROWS, [NAME] * 4, [NAME], NAME),
        lambda: plots.recordings_figure(np.zeros((1, 4, 1)), [NAME], 10.0, [NAME], NAME),
        lambda: plots.windows_figure(TIMES, 10.0, 2, 1, NAME),
        lambda: plots.histogram_figure({NAME: TIMES / 4}, "share"),
        lambda: plots.bars_figure([NAME], {NAME: [1.0], "b": [2.0]}, "s", "title"),
        lambda: plots.shares_figure([NAME], [0.5], "title"),
    ],
)
def test_names_are_no_formulas(figure) -> None:
    picture = figure()
    plots.png(picture)
    shown = [text.get_text() for text in picture.findobj(Text)]
    assert any(r"5\$ \frac{\$" in text for text in shown)
