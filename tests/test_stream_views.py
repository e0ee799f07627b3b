"""A live view's strokes are what matplotlib would draw, and slow drawing loses nothing."""

from __future__ import annotations

import base64
import binascii
import json
import time

import numpy as np
import pytest
from matplotlib import colormaps
from recording_cases import ABOUT, counting
from test_stream_live import history_of

from workshop_helpers.errors import BoardTimeoutError, StreamError
from workshop_helpers.stream import LiveView, Stream, screen
from workshop_helpers.stream.buttons import Buttons
from workshop_helpers.stream.drawing import HEIGHT, WIDTH, LiveFigure
from workshop_helpers.stream.record_cell import _Row
from workshop_helpers.stream.recorder import Recorder
from workshop_helpers.stream.strokes import strokes
from workshop_helpers.stream.views import PANELS

EVERYTHING = tuple(PANELS)


def drawn(figure: LiveFigure, layer: str) -> tuple[list[dict], bytes]:
    """A layer as the page gets it."""
    made, data = figure.layers()[0][layer]
    return json.loads(json.dumps(made)), data


def floats(stroke: dict, data: bytes, columns: int) -> np.ndarray:
    return np.frombuffer(data, "<f4", stroke["n"] * columns, stroke["at"]).reshape(-1, columns)


def test_lines_and_bars_are_where_the_axes_say() -> None:
    figure = LiveFigure(history_of(20.0), ("signals", "probabilities"))
    figure.update()
    made, data = drawn(figure, "moving")
    signals, shares = figure.panels
    assert [stroke["kind"] for stroke in made] == ["line"] * 7 + ["bars"]
    for stroke, line in zip(made, signals.fast + shares.fast[:-1], strict=False):
        wanted = line.get_transform().transform(line.get_xydata())
        points = floats(stroke, data, 2)
        assert np.allclose(points, np.column_stack([wanted[:, 0], HEIGHT - wanted[:, 1]]))
        assert stroke["colour"] == line.get_color().lower()
    bars = floats(made[-1], data, 4)
    left, top, width, height = made[-1]["clip"]
    assert len(bars) == len(made[-1]["colours"]) == made[3]["n"]
    assert (bars[:, 1] > top).all() and (bars[:, 1] + bars[:, 3] < top + 0.2 * height).all()
    assert (bars[:, 2] > 0).all() and bars[-1, 0] + bars[-1, 2] == pytest.approx(left + width)


def test_only_the_layers_that_changed_are_sent() -> None:
    history = history_of(20.0)
    figure = LiveFigure(history, EVERYTHING)
    figure.update("fine")
    layers, known = figure.layers()
    assert list(layers) == ["axes", "still", "moving"]
    assert layers["axes"][1].startswith(b"\x89PNG")
    figure.update("fine", now_s=20.5)
    layers, known = figure.layers(known)
    assert list(layers) == ["moving"]
    figure.update("lost some", alarm=True)
    layers, known = figure.layers(known)
    assert list(layers) == ["still", "moving"]
    history.hello.fields["channels"] = list("abcdef")
    figure.update("lost some", alarm=True)
    assert list(figure.layers(known)[0]) == ["axes", "still", "moving"]


def test_texts_and_the_matrix_stand_still() -> None:
    figure = LiveFigure(history_of(4.0), ("confusion",))
    figure.update("all is well")
    made, data = drawn(figure, "still")
    texts = [stroke["text"] for stroke in made if stroke["kind"] == "text"]
    assert texts[:2] == ["Standing   (really: Running)", "all is well"]
    assert texts[2:6] == ["0", "0", "0", "0"] and texts[8] == "4"
    (image,) = [stroke for stroke in made if stroke["kind"] == "image"]
    places = np.frombuffer(data, np.uint8, 16, image["at"] + 1024).reshape(4, 4)
    assert places[1, 2] == 255 and (np.delete(places.ravel(), 6) == 1).all()
    palette = np.frombuffer(data, np.uint8, 1024, image["at"]).reshape(256, 4)
    assert palette[255].tolist() == list(colormaps["Blues"](1.0, bytes=True))
    for stroke in made:
        x, y = stroke["box"][:2] if stroke["kind"] == "image" else (stroke["x"], stroke["y"])
        assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT


def test_an_image_stands_upright_and_what_is_not_known_is_transparent() -> None:
    figure = LiveFigure(history_of(4.0), ("spectrogram",))
    figure.update()
    (image,) = figure.panels[0].fast
    image.set_data(np.array([[-100.0, np.nan], [-10.0, 50.0]]))  # the first row is the lowest
    (stroke,), data = strokes([image], HEIGHT)
    assert list(data[stroke["at"] + 1024 :]) == [255, 255, 1, 0]
    assert data[3] == 0  # the palette's first colour
    _, top, width, height = stroke["box"]
    assert width > 0 and height > 0 and 0 <= top < top + height <= HEIGHT


# --- slow drawing -----------------------------------------------------------------------------
N_BLOCKS, BLOCK, FRAME_S = 2000, 5, 0.5


def line(seq: int, kind: str, fields: dict) -> bytes:
    t_us = seq * BLOCK * 100_000
    body = json.dumps({"seq": seq, "t_us": t_us, "kind": kind, **fields})[:-1].encode()
    return b'\x1e%s,"crc":%d}\n' % (body, binascii.crc32(body))


class Playing:
    """A running app that sends a thousand records a second, and ends."""

    error = None

    def __init__(self) -> None:
        lines = [line(0, "hello", ABOUT)]
        for number in range(N_BLOCKS):
            b64 = base64.b64encode(counting(BLOCK, number * BLOCK).tobytes()).decode()
            fields = {"at": number * BLOCK, "n": BLOCK, "channels": 2, "b64": b64}
            lines.append(line(number + 1, "samples", fields))
        self._chunks = [b"".join(lines[i : i + 20]) for i in range(0, len(lines), 20)]
        self.ended = False

    def read(self, timeout_s: float) -> bytes:
        time.sleep(0.02)
        if self._chunks:
            return self._chunks.pop(0)
        self.ended = True
        return b""

    def write(self, data: bytes) -> None:
        raise AssertionError("it ends by itself")


class SlowScreen:
    """Shows each frame by counting, so that no other thread has all of the processor."""

    visible, free, period_s = True, True, 0.04

    def __init__(self, presses) -> None:
        pass

    def pressed(self) -> list:
        return []

    def show(self, figure) -> None:
        end_s = time.monotonic() + FRAME_S
        while time.monotonic() < end_s:
            pass

    offer = close = show


@pytest.mark.parametrize("queue_records", [10_000, 50])
def test_slow_drawing_drops_frames_and_no_record(tmp_path, monkeypatch, queue_records) -> None:
    monkeypatch.setattr(screen, "Screen", SlowScreen)
    stream = Stream(Playing(), queue_records=queue_records)
    view = LiveView(stream, ("signals",))
    with Recorder(stream, tmp_path / "x") as recorder:
        result = view.show(seconds=100)
    wanted = counting(N_BLOCKS * BLOCK)
    assert np.array_equal(recorder.recording.samples, wanted) and not recorder.recording.gaps
    counters = result.counters
    assert (counters.records, counters.lost) == (N_BLOCKS + 1, 0)
    _, shown = result.history.samples()
    assert len(shown) == len(wanted) - BLOCK * counters.dropped
    assert (counters.dropped == 0) == (queue_records > N_BLOCKS)
    assert view.frames > 1


def test_a_stream_that_runs_is_not_started_again(tmp_path) -> None:
    app = Playing()
    del app._chunks[0]  # with the app's first record
    stream = Stream(app).start()
    assert stream.hello is None
    with (
        pytest.raises(StreamError, match="did not arrive whole"),
        Recorder(stream, tmp_path / "x") as recorder,
    ):
        recorder.wait(100)
    with pytest.raises(StreamError, match="already"):
        stream.start()


def test_a_board_that_takes_no_word_is_interrupted() -> None:
    class Deaf(Playing):
        stopped = False

        def read(self, timeout_s: float) -> bytes:
            time.sleep(0.02)
            return self._chunks.pop(0) if len(self._chunks) > 1 else b"still here\n"

        def write(self, data: bytes) -> None:
            raise BoardTimeoutError("It takes nothing.")

        def stop(self, timeout_s: float) -> None:
            self.stopped = True

    app = Deaf()
    with Stream(app):
        pass
    assert app.stopped


def test_a_page_can_press_only_the_buttons_that_are_there() -> None:
    row = _Row(["walking"])
    for content in (
        {"event": "label", "value": "x"},
        {"event": "eval"},
        "text",
        {"event": 3},
        None,
    ):
        row._buttons._hear(None, content, None)
    for content in ({"event": "label", "value": "walking"}, {"event": "stop"}):
        row._buttons._hear(None, content, None)
    assert row.pressed() == [("label", "walking"), ("stop", "")]


def test_outside_a_notebook_there_are_no_buttons() -> None:
    buttons = Buttons()
    assert not buttons.shown and buttons.display() is None and buttons.pressed() == []
    buttons.offer([])
    buttons.close()
