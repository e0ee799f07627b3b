"""The live picture: drawn without a notebook, and shown in one."""

from __future__ import annotations

import asyncio
import base64
import io

import numpy as np
import pytest

from workshop_helpers.datasets import load
from workshop_helpers.errors import StreamError
from workshop_helpers.plots import with_gaps
from workshop_helpers.stream import Counters, History, Record
from workshop_helpers.stream.drawing import HEIGHT, WIDTH, LiveFigure
from workshop_helpers.stream.pace import BoardClock, Pacer
from workshop_helpers.stream.status import Status
from workshop_helpers.stream.views import PANELS, check_panels, default_panels
from workshop_helpers.stream.views.signals import thin_out

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
    signals, shown = figure.panels
    assert signals.axes.get_xlim() == (-10, 0)
    assert figure._title.get_text() == "Standing   (really: Running)"
    assert figure._status.get_text() == "3 records, 0 lost"
    assert signals.axes.get_ylabel() == "m/s²"
    line_t, shares = shown.fast[2].get_data()
    assert len(line_t) >= 10 and set(shares) == {0.75}
    assert line_t[0] >= -10 and line_t[-1] == 0
    low, high = signals.axes.get_ylim()
    _, counts = history.samples(10.0)
    assert high == -low >= np.abs(counts[:, :3]).max() * 0.001


def test_a_picture_of_nothing_is_a_picture() -> None:
    figure = LiveFigure(History())
    figure.update()
    assert "waiting" in figure._title.get_text()
    assert pixels(figure.png()).shape[:2] == (HEIGHT, WIDTH)


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
    texts += [panel.axes.get_legend() for panel in figure.panels]
    width, height = figure.figure.bbox.size
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


def test_text_from_a_board_can_not_control_the_picture() -> None:
    history = History()
    history.add(Record(0, 0, "hello", {"classes": ["\x1b[31m"], "channels": ["a\x07"]}))
    fields = {"label": "\x1b[31m", "truth": None, "outputs": ["x", None]}
    history.add(Record(1, 10, "prediction", {**fields, "outputs": [0.5]}))
    figure = LiveFigure(history)
    figure.update("status\x00")
    assert "\x1b" not in figure._title.get_text()
    figure.png()


@pytest.mark.parametrize("panel", [None, *PANELS])
def test_text_from_a_board_is_no_formula(panel) -> None:
    """Matplotlib reads one between dollar signs, and fails if it is wrong."""
    text = r"5$ \frac{$"
    history = History()
    about = {"classes": [text, "b"], "channels": [text], "channel_units": [text], "rate_hz": 10}
    history.add(Record(0, 0, "hello", about))
    history.add(Record(1, 10, "prediction", {"label": text, "truth": "b", "outputs": [1.0, 0.0]}))
    figure = LiveFigure(history, (panel,) if panel else None)
    figure.update(text)
    figure.png()
    assert [figure._title.get_text(), figure._status.get_text()] == [f"{text}   (really: b)", text]


def test_odd_records_do_not_break_the_picture() -> None:
    history = history_of(3.0)
    for fields in ({}, {"outputs": "text"}, {"outputs": ["x"]}, {"outputs": [None]}, {"label": 3}):
        history.add(Record(1, 2_000_000, "prediction", fields))
    figure = LiveFigure(history)
    figure.update()
    figure.png()


def test_each_panel_draws_and_keeps_to_the_picture() -> None:
    for names in (*((name,) for name in PANELS), tuple(PANELS)):
        figure = LiveFigure(history_of(20.0), names)
        figure.update()
        picture = pixels(figure.png())
        assert picture.shape[:2] == (HEIGHT, WIDTH) and picture.std() > 0
        for axes in figure.figure.axes:
            box = axes.get_tightbbox()
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= WIDTH and box.y1 <= HEIGHT, names


def test_the_default_panels_follow_from_the_hello() -> None:
    history = history_of(2.0)
    assert default_panels(history) == ("signals", "probabilities")
    history.hello.fields.update(rate_hz=16000.0, classes=[])
    assert default_panels(history) == ("signals", "spectrogram")


@pytest.mark.parametrize("names", [("signal",), (), ("signals", "signals")])
def test_a_wrong_panel_is_refused_with_the_list(names) -> None:
    with pytest.raises(StreamError) as caught:
        check_panels(names)
    assert "confusion" in caught.value.mend


def test_confusion_counts_what_is_shown() -> None:
    history = history_of(4.0)  # four times Standing where it is Running
    fields = {"label": "unsure", "truth": "Running"}
    history.add(Record(0, 4_000_000, "prediction", fields))
    figure = LiveFigure(history, ("confusion",))
    figure.update()
    (panel,) = figure.panels
    assert [cell.get_text() for cell in panel._cells][4:8] == ["0", "0", "4", "0"]
    assert panel._title.get_text() == "really, 0% right, 1 not shown"


def test_a_label_given_by_hand_is_the_truth_where_the_sensor_knows_none() -> None:
    history = History()
    history.add(Record(0, 0, "hello", {"classes": ["a", "b"]}))
    history.add(Record(1, 1, "prediction", {"label": "a", "truth": None}))
    history.add(Record(2, 2, "label", {"text": "b", "at": 0}))
    history.add(Record(3, 3, "prediction", {"label": "a", "truth": None}))
    history.add(Record(4, 4, "prediction", {"label": "a", "truth": "a"}))
    assert history.truth.tolist() == ["None", "b", "a"]
    assert history.accuracy == 0.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("rate_hz", value) for value in (0, -1, None, "10", float("nan"), True)),
        *(("channels", value) for value in (None, 3, "xyz", ["x"])),
        *(("classes", value) for value in (None, 4, "ab")),
        *(("units_per_lsb", value) for value in (1, [1.0], ["1"] * 6, [None] * 6)),
        *(("channel_units", value) for value in (1, "g", ["g"])),
    ],
)
def test_an_app_that_says_nonsense_of_itself_is_told_so(name, value) -> None:
    said = {"rate_hz": 10, "channels": list("abcdef"), "classes": ["x"]}
    said |= {"units_per_lsb": [1.0] * 6, "channel_units": ["g"] * 6}
    hello = Record(0, 0, "hello", said | {name: value})
    with pytest.raises(StreamError, match="first record says"):
        History(hello)
    with pytest.raises(StreamError, match="first record says"):
        History().add(hello)


def test_samples_of_other_channels_than_named_are_refused() -> None:
    history = History(Record(0, 0, "hello", {"channels": ["x", "y"]}))
    with pytest.raises(StreamError, match="sends 3 channels and names 2"):
        history.add(Record(1, 1, "samples", {"n": 1, "channels": 3, "b64": "AAAAAAAA"}))


def test_a_second_hello_forgets_what_came_before() -> None:
    history = history_of(9.0)
    history.add(Record(0, 10, "hello", dict(history.hello.fields)))
    assert history.predictions == [] and not history.confusion and history.t_s < 0.1


def test_a_sine_is_bright_at_its_frequency_and_a_lost_block_is_white() -> None:
    rate_hz, n = 8000, 400
    history = History(Record(0, 0, "hello", {"channels": ["mic"], "rate_hz": float(rate_hz)}))
    for number in range(40):
        if number == 20:
            continue
        at = number * n
        wave = 32767 * np.sin(2 * np.pi * 1000 * np.arange(at, at + n) / rate_hz)
        b64 = base64.b64encode(wave.astype("<i2").tobytes()).decode()
        t_us = int((at + n) / rate_hz * 1e6)
        fields = {"n": n, "channels": 1, "b64": b64, "at": at}
        history.add(Record(0, t_us, "samples", fields))
    figure = LiveFigure(history, ("spectrogram",), window_s=2.0)
    figure.update()
    (panel,) = figure.panels
    newest = panel._levels_db[:, -1]
    assert np.argmax(newest) * rate_hz / panel.n_fft == 1000
    assert abs(newest.max()) < 0.5  # dB of full scale
    lost = np.isnan(panel._levels_db).all(axis=0)
    assert lost[0] and not lost[-1] and lost[len(lost) // 2 :].any()


def test_a_sound_stands_where_it_was_heard() -> None:
    """At this rate a column is longer than its transform, and blocks end anywhere in it."""
    rate_hz, n, begin_s = 16000, 256, 5.0
    history = History(Record(0, 0, "hello", {"channels": ["mic"], "rate_hz": float(rate_hz)}))
    figure = LiveFigure(history, ("spectrogram",), window_s=10.0)
    wave = (20000 * np.sin(2 * np.pi * 1000 * np.arange(10 * rate_hz) / rate_hz)).astype("<i2")
    wave[: int(begin_s * rate_hz)] = 0
    for at in range(0, len(wave), n):
        block = wave[at : at + n]
        fields = {"n": len(block), "channels": 1, "b64": base64.b64encode(block.tobytes()).decode()}
        history.add(Record(0, int((at + n) / rate_hz * 1e6), "samples", {"at": at, **fields}))
        figure.update()
    (panel,) = figure.panels
    loud = np.flatnonzero(panel._levels_db[panel.n_fft // 16] > -20)
    left_s, right_s, _, _ = panel._image.get_extent()
    column_s = (right_s - left_s) / panel._levels_db.shape[1]
    assert left_s + loud[0] * column_s == pytest.approx(-begin_s, abs=3 * column_s)


def test_samples_are_thinned_to_their_extremes_and_gaps_stay_gaps() -> None:
    values = np.zeros((50_000, 1))
    values[31_234] = 7
    t_s, thin = thin_out(np.arange(50_000) / 1000, values, 1000)
    assert len(thin) <= 1000 and thin.max() == 7 and len(t_s) == len(thin)
    t_s, broken = with_gaps(np.array([0.0, 0.1, 5.0]), np.ones((3, 1)), 0.35)
    assert np.isnan(broken[:, 0]).tolist() == [False, False, True, False]


def test_slow_drawing_is_followed_by_a_longer_break() -> None:
    pacer = Pacer(duty=0.4)
    pacer.drew(10.0, 10.01, 0.04)
    assert pacer.due_s == pytest.approx(10.04)
    pacer.drew(10.0, 11.0, 0.04)
    assert pacer.due_s == pytest.approx(12.5)
    pacer.drew(12.51, 12.52, 0.04)  # a little late: the one after it keeps the beat
    assert pacer.due_s == pytest.approx(12.54)


def test_the_boards_clock_goes_on_between_records() -> None:
    clock = BoardClock()
    clock.heard(1.0, 101.0)
    clock.heard(2.0, 102.5)  # half a second late
    assert clock.now_s(103.0) == pytest.approx(3.0, abs=0.01)


def test_the_status_tells_losses_and_memory() -> None:
    history = history_of(5.0)
    history.add(Record(0, 5_000_000, "heap", {"heap_free": 20480}))
    status = Status(history)
    status.text(Counters(records=100), 0.0)
    text = status.text(Counters(records=150, lost=3, records_per_s=50), 1.0)
    for part in ("3 lost", "50 records/s", "12 µs per inference", "20 KiB heap free"):
        assert part in text
    assert status.alarm


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
            while not client.nb.cells[1].outputs:  # the picture is there: it is running
                await asyncio.sleep(0.1)
            await client.km.interrupt_kernel()

        if index == 1:
            tasks.append(asyncio.ensure_future(interrupt()))

    # Nothing else ends it: the kernel would be given up long before these seconds are over.
    notebook = run_cells(
        [OPEN.format(folder=folder), SHOW.format(seconds=900), CLOSE], interrupt_later
    )
    text = "".join(o.text for o in outputs_of(notebook, 1) if o.output_type == "stream")
    assert "by hand" in text and "predictions" in text
