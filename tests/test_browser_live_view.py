"""The live view as people use it: JupyterLab in Chromium, the view's buttons, the interrupt."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from browser_lab import Notebook, box_of, missing, open_notebook
from matplotlib import image

from workshop_helpers.stream import History, Record
from workshop_helpers.stream.drawing import HEIGHT, STATUS_AT, WIDTH, LiveFigure
from workshop_helpers.stream.views.panel import SMALL

OPEN = """
from workshop_helpers import LiveView, connect
from workshop_helpers.model import DeviceModel
board = connect("virtual")
sent = board.deploy(DeviceModel.load({folder!r}), app="har_live")
"""
# A good deal longer than the test may take: only a stop ends it.
SHOW = """
with board.stream() as stream:
    live = LiveView(stream, panels=("signals", "probabilities", "confusion")).show(seconds=900)
print("label:", live.history.label)
live
"""
RATE_HZ, TONE_HZ = 8000, 1000
HEAR = f"""
import numpy as np
from workshop_helpers import LiveView, connect, datasets
board = connect("virtual")
tone = 20000 * np.sin(2 * np.pi * {TONE_HZ} / {RATE_HZ} * np.arange(2 * {RATE_HZ}))
board.deploy(
    app="recorder", files={{"/recordings/tone.npy": datasets.to_npy(tone.astype("<i2")[:, None])}},
    rate_hz={RATE_HZ}, recordings=["/recordings/tone.npy"], loop=True,
)
with board.stream() as stream:
    live = LiveView(stream, "spectrogram").show(seconds=900)
live
"""
STOPPED = "stopped by hand"
NO_SUBSHELLS = {"apputils-extension/kernels-settings": {"commsOverSubshells": "disabled"}}


@pytest.fixture
def opened(tmp_path, small_model):
    """Opens the notebook in a JupyterLab with these settings; a context manager."""
    if why := missing():
        pytest.skip(why)
    folder = small_model.save(tmp_path / "model")
    motion = (OPEN.format(folder=str(folder)), SHOW)

    def open_with(settings=None, disabled=(), cells=motion):
        return open_notebook(tmp_path / "lab", "live_view", cells, settings, disabled)

    return open_with


def check_saved(notebook: Notebook) -> None:
    """A picture and a result in the file, and nothing that needs a kernel to be shown."""
    saved = notebook.save()
    picture, label, result = saved.cells[1].outputs
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    assert not any("widget" in kind for kind in picture.data)
    assert label.text.startswith("label: ")
    assert STOPPED in result.data["text/plain"]
    assert "widgets" not in saved.metadata


def check_it_fits_a_projector(notebook: Notebook) -> None:
    """Buttons and status are seen as they come, in a window of 1280 by 800; all of it is once the
    cell is at the top."""
    page = notebook.page
    assert page.viewport_size == {"width": 1280, "height": 800}
    window = box_of(page.locator(".jp-WindowedPanel-outer"))
    cell = box_of(page.locator(".jp-CodeCell").nth(1))
    canvas = box_of(notebook.canvas)
    row = box_of(page.locator(".workshop-buttons"))
    bottom = window["y"] + window["height"]
    status = canvas["y"] + (STATUS_AT + 3 * SMALL) / HEIGHT * canvas["height"]
    assert window["y"] <= row["y"] < row["y"] + row["height"] <= canvas["y"] < status < bottom
    assert canvas["y"] + canvas["height"] - cell["y"] <= window["height"]


def is_chosen(notebook: Notebook, label: str):
    return notebook.button(label).and_(notebook.page.locator(".workshop-chosen"))


@pytest.mark.slow
def test_the_buttons_and_the_interrupt_act_on_a_running_cell(opened) -> None:
    with opened() as notebook:
        notebook.run_all()
        notebook.wait_for_frames(5)
        before = notebook.pixels()
        notebook.wait_for_frames(40)  # longer than the first window
        assert notebook.pixels() != before
        notebook.button("Walking").click()
        is_chosen(notebook, "Walking").wait_for()
        notebook.wait_for_frames(20)  # the status says it, too
        notebook.screenshot("live_view_running")
        check_it_fits_a_projector(notebook)
        notebook.button("Stop").click()
        assert STOPPED in notebook.result(2)
        notebook.canvas.wait_for(state="detached")
        assert notebook.picture.count() == 1
        notebook.screenshot("live_view_stopped")
        assert "label: Walking" in notebook.page.locator(".jp-OutputArea").nth(1).inner_text()
        check_saved(notebook)

        # The board is free again, and so are the buttons.
        notebook.run_cell(1)
        notebook.button("Walking").click()
        is_chosen(notebook, "Walking").wait_for()
        notebook.button("Restart").click()
        is_chosen(notebook, "Walking").wait_for(state="detached")  # the app has begun anew
        notebook.wait_for_frames(20)
        notebook.screenshot("live_view_restarted")
        notebook.interrupt()
        result = notebook.result(3)
        assert STOPPED in result and "1 gap of" in result
        notebook.canvas.wait_for(state="detached")
        check_saved(notebook)


@pytest.mark.slow
def test_a_tone_is_seen_and_the_buttons_need_no_subshell_of_the_front_end(opened) -> None:
    with opened(NO_SUBSHELLS, cells=[HEAR]) as notebook:
        notebook.run_all()
        notebook.wait_for_frames(50)
        notebook.screenshot("live_view_tone")
        loudest_hz, share = loudest(notebook.pixels())
        assert abs(loudest_hz - TONE_HZ) < 40 and share < 0.1
        notebook.button("Stop").click()
        assert STOPPED in notebook.result(1)


def loudest(png: bytes) -> tuple[float, float]:
    """Where a spectrogram on the canvas is brightest, in Hz, and the share of all it shows that is
    nearly as bright: a second ago, where there is a tone."""
    hello = Record(0, 0, "hello", {"rate_hz": float(RATE_HZ), "channels": ["mic"]})
    figure = LiveFigure(History(hello), ("spectrogram",))
    figure.update()
    box = figure.panels[0].axes.bbox
    picture = image.imread(io.BytesIO(png), format="png")
    assert picture.shape[:2] == (HEIGHT, WIDTH)
    rows = slice(round(HEIGHT - box.y1) + 2, round(HEIGHT - box.y0) - 2)
    levels = picture[rows, round(box.x1 - box.width / 10), 1]  # viridis: brighter is greener
    at = np.median(np.flatnonzero(levels == levels.max()))
    hertz = RATE_HZ / 2 * (1 - (at + 2) / box.height)
    return float(hertz), float(np.mean(levels > 0.9 * levels.max()))


@pytest.mark.slow
def test_without_widgets_a_picture_is_shown(opened) -> None:
    with opened(disabled=("anywidget",)) as notebook:
        notebook.run_all()
        picture = notebook.new_picture()
        for _ in range(3):
            picture = notebook.new_picture(picture)
        assert notebook.canvas.count() == 0
        notebook.screenshot("live_view_picture")
        notebook.interrupt()
        assert STOPPED in notebook.result(2)
        check_saved(notebook)
