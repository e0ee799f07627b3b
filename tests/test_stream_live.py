"""The live picture: drawn without a notebook, and shown in one."""

from __future__ import annotations

import asyncio
import base64
import io
import time

import numpy as np
import pytest

from workshop_helpers.datasets import load
from workshop_helpers.stream import History, Record
from workshop_helpers.stream.drawing import LiveFigure

CLASSES = ("Badminton", "Running", "Standing", "Walking")


def history_of(seconds: float, rate_hz: float = 10.0) -> History:
    """A stream as har_live sends it, made up: blocks of 2 samples, a prediction every 5."""
    data = load("basic_motions")
    samples = data.samples[:8].reshape(-1, 6)
    history = History()
    hello = {
        "classes": list(CLASSES),
        "channels": list(data.channels),
        "units_per_lsb": data.units_per_lsb.tolist(),
        "channel_units": list(data.channel_units),
        "rate_hz": rate_hz,
    }
    history.add(Record(0, 0, "hello", hello))
    for at in range(0, int(seconds * rate_hz), 2):
        t_us = int((at + 1) / rate_hz * 1e6)
        block = samples[at : at + 2]
        b64 = base64.b64encode(block.astype("<i2").tobytes()).decode()
        history.add(Record(0, t_us, "samples", {"n": 2, "channels": 6, "b64": b64}))
        if at % 10 == 8:
            outputs = [0.0, 0.25, 0.75, 0.0]
            fields = {"label": "Standing", "truth": "Running", "outputs": outputs, "us": 12}
            history.add(Record(0, t_us, "prediction", fields))
    return history


def pixels(png: bytes) -> np.ndarray:
    from matplotlib import image

    return image.imread(io.BytesIO(png), format="png")


def test_history_gives_arrays_with_times() -> None:
    history = history_of(4.0)
    t_s, counts = history.samples()
    assert counts.dtype == np.int16 and counts.shape == (40, 6)
    assert np.allclose(t_s, np.arange(40) / 10)
    assert history.outputs.tolist() == [[0.0, 0.25, 0.75, 0.0]] * 4
    assert history.labels.tolist() == ["Standing"] * 4
    assert history.accuracy == 0.0
    assert history.inference_us.tolist() == [12.0] * 4
    newest, _ = history.samples(last_s=1.0)
    assert newest[0] >= t_s[-1] - 1.2


def test_history_is_bounded() -> None:
    history = History(max_records=10)
    for i in range(100):
        history.add(Record(i, i, "prediction", {"label": "x"}))
    assert len(history.predictions) == 10
    assert history.accuracy is None


def test_the_picture_shows_the_end_of_the_history() -> None:
    history = history_of(30.0)
    figure = LiveFigure(history)
    figure.update("3 records, 0 lost")
    assert figure._signal.get_xlim() == (-10, 0)
    assert figure._title.get_text() == "Standing   (really: Running)"
    assert figure._status.get_text() == "3 records, 0 lost"
    assert figure._signal.get_ylabel() == "m/s²"
    line_t, shares = figure._lines[2].get_data()
    assert len(line_t) >= 10 and set(shares) == {0.75}
    assert line_t[0] >= -10 and line_t[-1] == 0
    low, high = figure._signal.get_ylim()
    _, counts = history.samples(10.0)
    assert high == -low >= np.abs(counts[:, :3]).max() * 0.001


def test_a_picture_of_nothing_is_a_picture() -> None:
    figure = LiveFigure(History())
    figure.update()
    assert "waiting" in figure._title.get_text()
    assert pixels(figure.png()).shape[:2] == (522, 810)


def test_the_picture_changes_as_records_come() -> None:
    history = history_of(3.0)
    figure = LiveFigure(history)
    figure.update()
    before = pixels(figure.png())
    for record in history_of(9.0).predictions:
        history.add(record)
    figure.update()
    assert not np.array_equal(before, pixels(figure.png()))
    # Only what it needs is kept from one frame to the next.
    n_artists = len(figure.figure.findobj())
    for _ in range(5):
        figure.update()
    assert len(figure.figure.findobj()) == n_artists


def test_long_names_stay_inside_the_picture() -> None:
    history = history_of(4.0)
    name = "Playing badminton in the rain"
    history.hello.fields["classes"] = [name, *CLASSES[1:]]
    prediction = history.predictions[-1]
    prediction.fields.update(label=name, truth=name + " again")
    figure = LiveFigure(history)
    figure.update("12345 records, 123 lost, 12 damaged, 12 late, 12 dropped, 1 restarts   ·   " * 2)
    figure.png()
    texts = [figure._title, figure._status]
    texts += [text for axes in figure.figure.axes for text in axes.texts]
    texts += [axes.get_legend() for axes in (figure._signal, figure._shares)]
    width, height = figure.figure.bbox.size
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    assert figure._shares.get_position().width > 0.4


def test_text_from_a_board_can_not_control_the_picture() -> None:
    history = History()
    history.add(Record(0, 0, "hello", {"classes": ["\x1b[31m"], "channels": ["a\x07"]}))
    fields = {"label": "\x1b[31m", "truth": None, "outputs": ["x", None]}
    history.add(Record(1, 10, "prediction", {**fields, "outputs": [0.5]}))
    figure = LiveFigure(history)
    figure.update("status\x00")
    assert "\x1b" not in figure._title.get_text()
    figure.png()


def test_odd_records_do_not_break_the_picture() -> None:
    history = history_of(3.0)
    for fields in ({}, {"outputs": "text"}, {"outputs": ["x"]}, {"outputs": [None]}, {"label": 3}):
        history.add(Record(1, 2_000_000, "prediction", fields))
    figure = LiveFigure(history)
    figure.update()
    figure.png()


# --- in a notebook ----------------------------------------------------------------------------
def run_cells(cells: list[str], on_start=None):
    """Execute cells in a fresh kernel; returns the executed notebook."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(notebook, timeout=90, kernel_name="python3")
    if on_start:
        client.on_cell_execute = lambda cell, cell_index: on_start(client, cell_index)
    client.execute()
    return notebook


OPEN = """
from workshop_helpers import LiveView, connect
from workshop_helpers.model import DeviceModel
board = connect("virtual")
board.deploy(DeviceModel.load({folder!r}), app="har_live")
"""
SHOW = """
with board.stream() as stream:
    view = LiveView(stream)
    live = view.show(seconds={seconds})
print(view.frames, live)
"""
CLOSE = "board.close()"


def outputs_of(notebook, index: int):
    return notebook.cells[index].outputs


@pytest.mark.slow
def test_a_notebook_shows_one_picture_and_keeps_it(small_model, tmp_path) -> None:
    folder = str(small_model.save(tmp_path / "model"))
    notebook = run_cells([OPEN.format(folder=folder), SHOW.format(seconds=4), CLOSE])
    pictures = [o for o in outputs_of(notebook, 1) if o.output_type == "display_data"]
    assert len(pictures) == 1 and "image/png" in pictures[0].data
    assert pixels(base64.b64decode(pictures[0].data["image/png"])).std() > 0
    text = "".join(o.text for o in outputs_of(notebook, 1) if o.output_type == "stream")
    assert int(text.split()[0]) > 3 and "0 lost" in text and "by hand" not in text
    # Nobody is there to press a button.
    assert "widgets" not in notebook.metadata


@pytest.mark.slow
def test_interrupting_the_cell_keeps_what_came(small_model, tmp_path) -> None:
    folder = str(small_model.save(tmp_path / "model"))
    tasks = []

    async def interrupt_later(client, index: int) -> None:
        async def interrupt() -> None:
            await asyncio.sleep(5.0)
            await client.km.interrupt_kernel()

        if index == 1:
            tasks.append(asyncio.ensure_future(interrupt()))

    started = time.monotonic()
    notebook = run_cells(
        [OPEN.format(folder=folder), SHOW.format(seconds=60), CLOSE], interrupt_later
    )
    assert time.monotonic() - started < 55
    text = "".join(o.text for o in outputs_of(notebook, 1) if o.output_type == "stream")
    assert "by hand" in text and "predictions" in text
