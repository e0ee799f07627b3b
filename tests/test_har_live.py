"""The live app and what a sensor says of itself: units that differ, samples that were lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workshop_helpers import datasets
from workshop_helpers.errors import DeviceError

HERE = Path(__file__).parent
SETTINGS = {"speed": 0, "loop": False}


@pytest.fixture
def deployed(board, small_model):
    replay = datasets.load("basic_motions").part("test").replay_files(seconds=6)
    board.deploy(small_model, app="har_live", files=replay)
    yield board, list(replay)
    for path in ("/models/small", "/recordings"):
        board.rm(path, recursive=True)


def beside(board, path, **about):
    board.put(json.dumps(about).encode(), path.replace(".npy", ".json"))


def run(board, **settings):
    with board.stream("har_live", model="/models/small", **{**SETTINGS, **settings}) as stream:
        return list(stream.records(seconds=30))


def test_a_sensor_whose_counts_mean_something_else_is_refused(deployed, small_model):
    board, (first, *_) = deployed
    trained = small_model.metadata
    beside(board, first, units_per_lsb=[2 * u for u in trained["units_per_lsb"]])
    with pytest.raises(DeviceError, match="a count of the sensor means"):
        run(board, recordings=[first])


def test_a_sensor_with_other_units_is_refused(deployed, small_model):
    board, (first, *_) = deployed
    units = ["g"] * len(small_model.metadata["channel_units"])
    beside(board, first, channel_units=units)
    with pytest.raises(DeviceError, match="trained with units"):
        run(board, recordings=[first])


def test_the_units_of_the_training_are_taken(deployed, small_model):
    board, (first, *_) = deployed
    trained = small_model.metadata
    about = {key: trained[key] for key in ("units_per_lsb", "channel_units")}
    beside(board, first, **about)
    assert any(record.kind == "prediction" for record in run(board, recordings=[first]))


def test_no_window_spans_the_end_of_a_recording_and_its_beginning(deployed):
    board, (first, *_) = deployed
    length = 60  # six seconds at 10 Hz
    settings = {"speed": 0, "loop": True, "window": 20, "hop": 5}
    ends = []
    with board.stream("har_live", model="/models/small", recordings=[first], **settings) as stream:
        for record in stream.records(seconds=30, kind="prediction"):
            ends.append(record["at"])
            if record["at"] == 3 * length:
                break
    assert ends == [at for at in range(5, 3 * length + 1, 5) if (at - 1) % length >= 19]


def test_no_window_spans_lost_samples(deployed):
    board, recordings = deployed
    board.put((HERE / "device" / "gappy.py").read_bytes(), "/lib/sensors/gappy.py")
    records = run(board, sensor="gappy", recordings=recordings[:1], window=20, hop=5)
    (lost,) = [record for record in records if record.kind == "overrun"]
    assert lost["overruns"] == 1 and records[-1]["overruns"] == 1
    ends = [record["at"] for record in records if record.kind == "prediction"]
    before = [end for end in ends if end <= lost["at"]]
    after = [end for end in ends if end > lost["at"]]
    assert before and after
    assert min(after) == lost["at"] + 20  # a whole new window
    board.rm("/lib/sensors/gappy.py")
