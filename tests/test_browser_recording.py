"""Labels as people give them: in JupyterLab, with buttons and with the mouse on a plot."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from browser_lab import box_of, missing, open_notebook
from recording_cases import counting, save

from workshop_helpers import datasets

SET_UP = """
from workshop_helpers import connect, datasets, record
board = connect("virtual")
watch = datasets.load("basic_motions").part("test")
sent = board.deploy(
    app="recorder", files=watch.replay_files(seconds=5), **watch.replay_settings()
)
"""
# A good deal longer than the test may take: only a stop ends it.
RECORD = """
stream = board.stream("recorder", recordings=["/recordings/standing.npy"], loop=True)
mine = record(stream, {folder!r}, seconds=900, buttons=["sitting", "lying"])
print("DONE", len(mine))
"""
PLOT = """
from workshop_helpers import datasets
from workshop_helpers.recordings.label_plot import LabelPlot
mine = datasets.load({folder!r}).recordings[0]
plot = LabelPlot(mine, ["walking", "running"])
plot
"""

# Whether the canvas shows anything but white.
DRAWN = """() => {
    const canvas = document.querySelector(".jupyter-matplotlib-canvas-div canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some((value, at) => at % 4 == 0 && value < 128 && pixels[at + 3] > 0);
}"""


@pytest.fixture
def opened(tmp_path):
    """Opens cells as a notebook in JupyterLab and runs them; a context manager."""
    if why := missing():
        pytest.skip(why)

    @contextlib.contextmanager
    def open_cells(name: str, *cells: str):
        with open_notebook(tmp_path / "lab", name, cells) as notebook:
            notebook.run_all()
            yield notebook

    return open_cells


@pytest.mark.slow
def test_a_label_button_labels_what_is_recorded(opened, tmp_path) -> None:
    folder = tmp_path / "recorded"
    with opened("record", SET_UP, RECORD.format(folder=str(folder))) as notebook:
        notebook.wait_for_text("label standing")  # as the replay says by itself
        notebook.screenshot("record_running")
        notebook.button("sitting").click()
        notebook.wait_for_text("label sitting")
        notebook.screenshot("record_labelled")
        notebook.button("lying").click()
        notebook.wait_for_text("label lying")
        notebook.button("Stop").click()
        notebook.wait_for_text("DONE")
        notebook.button("Stop").wait_for(state="detached")
        notebook.screenshot("record_stopped")
    (recording,) = datasets.load(folder).recordings
    assert [span.label for span in recording.spans] == ["standing", "sitting", "lying"]
    assert recording.spans[-1].stop == len(recording)


@pytest.mark.slow
def test_a_stretch_drawn_with_the_mouse_gets_the_label(opened, tmp_path) -> None:
    folder = tmp_path / "recorded"
    save(folder, counting(200), label=None)
    with opened("label_plot", PLOT.format(folder=str(folder))) as notebook:
        canvas = notebook.page.locator(".jupyter-matplotlib-canvas-div canvas").first
        canvas.wait_for()
        notebook.page.wait_for_function(DRAWN)
        notebook.button("running").click()
        box = box_of(canvas)
        y = box["y"] + 0.4 * box["height"]
        notebook.screenshot("label_plot_before")
        mouse = notebook.page.mouse
        mouse.move(box["x"] + 0.35 * box["width"], y)
        mouse.down()
        mouse.move(box["x"] + 0.65 * box["width"], y, steps=8)
        notebook.screenshot("label_plot_drawing")
        mouse.up()
        spans = wait_for_spans(folder)
        notebook.page.wait_for_timeout(1500)
        notebook.screenshot("label_plot_labelled")
        assert notebook.page.locator(".jupyter-matplotlib-canvas-div").count() == 1
    (span,) = spans
    assert span.label == "running"
    assert 40 < span.start < 80 and 110 < span.stop < 150  # of 200; the axes have margins


def wait_for_spans(folder: Path):
    """The labels in the file, once there are some."""
    end_s = time.monotonic() + 60
    while not (spans := datasets.load(folder).recordings[0].spans):
        assert time.monotonic() < end_s
        time.sleep(0.1)
    return spans
