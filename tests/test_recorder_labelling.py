"""Labels on a plot, recording in one call, and a line that damages bytes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from recording_cases import counting, save

from workshop_helpers import datasets
from workshop_helpers.errors import DataError
from workshop_helpers.plots import png
from workshop_helpers.recordings import Span
from workshop_helpers.recordings.figures import timeline_figure
from workshop_helpers.recordings.label_plot import REMOVE, LabelPlot
from workshop_helpers.stream import record
from workshop_helpers.stream.lossy import noisy


def test_a_span_drawn_on_the_plot_gets_the_chosen_label(tmp_path) -> None:
    mpl.use("agg")
    recording = save(tmp_path, counting(50), label=None, gaps=[(20, 5)])
    plot = LabelPlot(recording, ["walking", "running"])
    plot.select(1.0, 1.5)
    assert recording.spans == (Span(10, 15, "walking"),) and "walking: 1.0 s" in plot.said
    plot.label = REMOVE
    plot.select(1.2, 9.0)
    assert datasets.load(tmp_path)[0].spans == (Span(10, 12, "walking"),)
    plot.select(50, 60)  # told, not raised: nobody sees an error from a mouse
    assert "no sample" in plot.said
    with pytest.raises(DataError, match="no label"):
        LabelPlot(recording, [])


def test_the_timeline_breaks_at_gaps(tmp_path) -> None:
    recording = save(tmp_path, counting(50), gaps=[(20, 5), (30, 0)])
    signal = timeline_figure(recording).axes[0]
    drawn = signal.lines[0].get_ydata()
    assert len(drawn) == 52 and np.isnan(drawn).sum() == 2
    assert "5 samples lost" in signal.get_title("right")


def test_names_in_a_timeline_are_no_formulas(tmp_path) -> None:
    recording = save(tmp_path, counting(50), label=None)
    recording.label_span(1.0, 2.0, r"$\frac{$")
    picture = timeline_figure(recording)
    png(picture)
    assert [text.get_text() for text in picture.axes[1].texts] == [r"\$\frac{\$"]


def test_damage_on_the_line_becomes_gaps_and_no_wrong_value(board, tmp_path) -> None:
    data = datasets.load("basic_motions").part("test")
    board.deploy(app="recorder", files=data.replay_files(), **data.replay_settings())
    stream = noisy(board.stream("recorder", speed=0), errors_per_byte=2e-3, seed=3)
    recording = record(stream, tmp_path, seconds=60)
    truth = np.concatenate([data.samples[data.labels.tolist().index(c)] for c in data.classes])
    ticks = np.round(recording.t_s * 10).astype(int)
    assert recording.gaps and stream.counters.damaged > 0
    assert np.array_equal(recording.samples, truth[ticks])
