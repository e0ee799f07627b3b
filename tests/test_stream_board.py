"""The whole loop on a board: sensor, windows, features, model, line, parser."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from workshop_helpers import datasets
from workshop_helpers.board import Board
from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.errors import BadAnswerError, BoardGoneError, DeviceError, StreamError
from workshop_helpers.features import extract
from workshop_helpers.model.deploy import deploy
from workshop_helpers.stream import LiveView, Record, Stream, open_stream

DEVICE = Path(__file__).with_name("device")

FLOOD = b"""
from commands import Commands
from link import Link

def main(config):
    link = Link()
    commands = Commands(link, None, {})
    link.send("hello", commands.describe())
    while not commands.stopped:
        commands.poll()
        link.send("flood", {"text": "x" * 400})
    link.send("bye", {})
"""


@pytest.fixture
def ready(board, small_model):
    """A board with har_live, a small model and the default recordings."""
    deploy(board, small_model, "har_live")
    return board


def test_the_board_says_what_the_laptop_computes(ready, small_model) -> None:
    """Four recordings as fast as it goes: features and outputs are the same bits."""
    test = datasets.load("basic_motions").part("test")
    with ready.stream("har_live", speed=0, loop=False) as stream:
        records = list(stream.records(seconds=60))
    assert str(stream.counters) == f"{len(records)} records, 0 lost"
    assert stream.bye is not None and stream.bye["records"] == len(records)
    assert [r.seq for r in records] == list(range(len(records)))

    samples = np.concatenate([r.samples() for r in records if r.kind == "samples"])
    rows = [test.labels.tolist().index(name) for name in sorted(test.classes)]
    assert np.array_equal(samples, test.samples[rows].reshape(-1, 6))

    predictions = [r for r in records if r.kind == "prediction"]
    X, recording = extract(test.samples[rows])
    assert len(predictions) == len(X)
    outputs = np.array([r["outputs"] for r in predictions], dtype=np.float32)
    assert np.array_equal(outputs, small_model.outputs(X))
    assert [r["label"] for r in predictions] == small_model.predict(X).tolist()
    assert [r["truth"] for r in predictions] == test.labels[rows][recording].tolist()
    assert all(r["us"] >= 0 and r["feature_us"] >= 0 for r in predictions)


def test_a_live_stream_loses_nothing_and_ends_when_told(ready) -> None:
    with open_stream(ready) as stream:  # what was deployed last
        assert stream.hello["window"] == 20 and len(stream.hello["classes"]) == 4
        records = list(stream.records(seconds=3))
    assert stream.bye is not None  # "stop" was understood, nothing had to be interrupted
    assert stream.ended and stream.counters.lost == stream.counters.damaged == 0
    assert any(r.kind == "samples" for r in records)
    assert any(r.kind == "prediction" for r in records)
    assert ready.eval("1 + 1") == 2


def test_an_app_that_fills_its_line_ends_when_told(small_model, monkeypatch) -> None:
    # Long enough for a slow laptop; what could wait on a fast line takes 11 s on this one.
    monkeypatch.setattr(Stream, "STOP_TIMEOUT_S", 9.0)
    with VirtualBoard(baud=115200) as virtual, Board(virtual.port, virtual=virtual) as board:
        deploy(board, small_model, "har_live")  # brings the libraries
        board.put(FLOOD, "/flood.py")
        with board.stream("flood", hello_timeout_s=60) as stream:
            for _ in stream.records(kind="flood"):
                if stream.counters.size_bytes > 30_000:
                    break
        assert stream.bye is not None and stream.counters.damaged == 0


def test_the_app_ends_by_itself(ready) -> None:
    with ready.stream(seconds=0.5) as stream:
        kinds = [r.kind for r in stream.records()]
    assert kinds[0] == "hello" and kinds[-1] == "bye"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [("window", 40, "window 20"), ("hop", 1, "hop 5"), ("rate_hz", 50, "rate_hz 10")],
)
def test_a_model_trained_otherwise_is_refused(ready, name, value, complaint) -> None:
    with pytest.raises(DeviceError, match=complaint) as caught, ready.stream(**{name: value}):
        pass
    assert "ValueError" in caught.value.device_traceback


def test_a_model_without_metadata_is_refused(ready, small_model) -> None:
    meta = json.loads(small_model.files["model.json"])
    for change in ({"metadata": {}}, {"scale": 2.0}, {"features": None}):
        ready.put(json.dumps(meta | change).encode(), f"/models/{small_model.name}/model.json")
        with (
            pytest.raises(DeviceError, match=r"ValueError: (model\.json|the model)"),
            ready.stream(),
        ):
            pass


def test_an_error_in_the_middle_comes_after_what_was_sent(ready) -> None:
    """The third recording is no recording."""
    ready.put(b"nonsense", "/recordings/bad.npy")
    recordings = ["/recordings/running.npy", "/recordings/bad.npy"]
    stream = ready.stream(recordings=recordings, speed=0)
    got: list[Record] = []
    with pytest.raises(DeviceError, match=r"bad\.npy is no \.npy file"), stream:
        for record in stream.records():
            got.append(record)
    assert sum(r.kind == "prediction" for r in got) == 17
    assert ready.eval("1 + 1") == 2


def test_an_error_nobody_iterated_to_is_raised_at_the_end(ready) -> None:
    ready.put(b"nonsense", "/recordings/bad.npy")
    recordings = ["/recordings/running.npy", "/recordings/bad.npy"]
    with (
        pytest.raises(DeviceError, match=r"bad\.npy"),
        ready.stream(recordings=recordings, speed=0) as stream,
    ):
        stream._reader.thread.join(30)


def test_a_board_that_goes_away_keeps_what_it_sent(own_board, small_model) -> None:
    board = own_board()
    deploy(board, small_model, "har_live")
    got = []
    with pytest.raises(BoardGoneError), board.stream(speed=4) as stream:
        for record in stream.records(seconds=30):
            got.append(record)
            if record.kind == "prediction":
                board.virtual.close()
    assert got[0].kind == "hello" and got[-1].seq == len(got) - 1


def test_a_board_that_falls_silent_is_noticed(own_board, small_model) -> None:
    """No power, but the port is still there, as behind a USB bridge chip."""
    board = own_board()
    deploy(board, small_model, "har_live")
    with (
        pytest.raises(StreamError, match="Not a byte"),
        board.stream(silence_timeout_s=1) as stream,
    ):
        for record in stream.records(seconds=30):
            if record.kind == "samples":
                board.virtual.power_cut()
    board.virtual.power_on()
    board.reconnect()
    with board.stream(seconds=0.5) as stream:
        assert [r.kind for r in stream.records()][-1] == "bye"


def test_subscribers_get_all_that_a_slow_loop_drops(ready) -> None:
    seen, started = [], threading.Event()
    stream = open_stream(ready, config={"speed": 0, "loop": False, "queue_records": 50})
    stream.subscribe(lambda item: (seen.append(item), started.set()))
    with stream:
        assert started.wait(10)
        stream._reader.thread.join(30)
        left = list(stream.records())
    assert len(left) == 50 and left[-1].kind == "bye"
    assert stream.counters.dropped == stream.counters.records - 50
    assert [r.seq for r in seen if isinstance(r, Record)] == list(range(stream.counters.records))


def test_settings_must_be_literals(ready) -> None:
    with pytest.raises(StreamError, match="can't be sent"):
        ready.stream(seconds=object())
    with pytest.raises(StreamError, match="can't be sent"):
        ready.stream(seconds=float("nan"))


def test_prints_of_an_app_are_kept_as_text(ready) -> None:
    ready.put(
        b"from link import Link\n"
        b"def main(config):\n"
        b"    link = Link()\n"
        b"    link.send('hello', {})\n"
        b"    print('so far', config['n'])\n"
        b"    link.send('bye', {})\n",
        "/talker.py",
    )
    with ready.stream("talker", n=3) as stream:
        assert [r.kind for r in stream.records()] == ["hello", "bye"]
    assert stream.text == ["so far 3"]


def test_an_app_that_says_nothing_is_an_error(ready) -> None:
    ready.put(b"def main(config):\n    print('shy')\n", "/shy.py")
    with pytest.raises(StreamError, match="shy"), ready.stream("shy"):
        pass


def test_a_start_that_was_damaged_on_its_way_is_not_the_apps_error(ready, monkeypatch) -> None:
    from workshop_helpers.board import session

    whole = session.checked
    monkeypatch.setattr(session, "checked", lambda *args: whole(*args).replace("har", "hat"))
    with pytest.raises(BadAnswerError, match="did not reach the board whole"):
        ready.stream("har_live").start()
    monkeypatch.undo()
    ready.put(b"def main(config):\n    raise ValueError('mine')\n", "/broken.py")
    with pytest.raises(DeviceError, match="mine"):
        ready.stream("broken").start()


def test_outside_a_notebook_a_live_view_only_collects(ready) -> None:
    with ready.stream(speed=0, loop=False) as stream:
        result = LiveView(stream).show(seconds=30)
    history = result.history
    assert history.outputs.shape == (68, 4) and len(history.labels) == 68
    assert history.samples()[1].shape == (400, 6)
    assert history.accuracy > 0.9 and not result.interrupted
    assert "68 predictions" in repr(result) and "0 lost" in repr(result)


def test_the_steady_state_allocates_nothing(ready, small_model) -> None:
    ready.exec((DEVICE / "count_allocations.py").read_text())
    taken = ready.eval(f"measure('/models/{small_model.name}')")
    assert taken == {"window": 0, "features": 0, "model": 0}


@pytest.mark.parametrize("viper", [True, False], ids=["viper", "plain"])
def test_the_whole_loop_with_its_records_allocates_nothing(ready, small_model, viper) -> None:
    """Sensor, window, features, model, sample blocks, predictions: not a byte in 400 steps."""
    ready.exec((DEVICE / "count_stream_allocations.py").read_text())
    code = f"measure('/models/{small_model.name}', '/recordings/running.npy', {viper})"
    taken = ready.eval(code, timeout_s=60)
    assert taken["heap"] == 0
    assert taken["records"] > 1000 and taken["bytes"] > 100 * taken["records"]
