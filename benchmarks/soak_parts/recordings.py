"""Recording, on the board's flash and here: what is kept is what the sensor gave."""

from __future__ import annotations

import io
import random
import tempfile
from typing import Any

import numpy as np

from workshop_helpers.board import Board
from workshop_helpers.recordings import Recording
from workshop_helpers.stream import Recorder

from .ground import Ground
from .truth import expect

_REPLAYED = "/recordings/walking.npy"
_REPLAY: dict[str, Any] = {"recordings": [_REPLAYED], "loop": True, "speed": 50}
_ON_FLASH: dict[str, Any] = {**_REPLAY, "to_flash": True, "block": 0, "file_s": 8}
_WAITS: dict[str, Any] = {"hello_timeout_s": 4.0, "silence_timeout_s": 3.0}


def record(board: Board, ground: Ground, chance: random.Random) -> None:
    with board.stream("recorder", seconds=0.8, **_ON_FLASH, **_WAITS) as stream:
        for _ in stream.records(seconds=8.0):
            pass


def look_at_recordings(board: Board) -> None:
    """Closed files are whole, at most one was open, and the next recording mends that one."""
    if not board.exists("/recorded"):
        return
    _check_closed(board)
    with board.stream("recorder", seconds=0.1, **_ON_FLASH) as stream:
        for _ in stream.records(seconds=8.0):
            pass
    _check_closed(board)
    left = [file.path for file in board.ls("/recorded") if file.path.endswith(".part")]
    expect(left, [])


def _check_closed(board: Board) -> None:
    replayed = np.load(io.BytesIO(board.get(_REPLAYED)))
    files = {file.path: file.size_bytes for file in board.ls("/recorded")}
    expect(sum(path.endswith(".part") for path in files) <= 1, True)
    for path in [path for path in files if path.endswith(".npy")]:
        samples = np.load(io.BytesIO(board.get(path)))
        expect(128 + samples.nbytes, files[path])
        expect((path, bool(_begins(replayed, samples, range(len(replayed))))), (path, True))


def record_here(board: Board, ground: Ground, chance: random.Random) -> None:
    """A recording of a stream: its samples are the sensor's, and its gaps as long as they say."""
    with tempfile.TemporaryDirectory(prefix="soak_") as folder:
        stream = board.stream("recorder", seconds=0.8, block=2, **_REPLAY, **_WAITS)
        recorder = Recorder(stream, folder)
        try:
            with recorder:
                recorder.wait(8.0)
        finally:
            if recorder.recording is not None:
                _check_recording(recorder.recording, ground.replayed)


def _check_recording(recording: Recording, replayed: Any) -> None:
    begins = set(range(len(replayed)))
    starts = [(0, 0), *((gap.at, gap.length) for gap in recording.gaps)]
    for (start, lost), stop in zip(
        starts, [*(gap.at for gap in recording.gaps), len(recording)], strict=True
    ):
        begins = {(at + lost) % len(replayed) for at in begins}
        if start and not lost:  # nobody knows how many
            begins = set(range(len(replayed)))
        begins = _begins(replayed, recording.samples[start:stop], begins)
        expect((start, bool(begins)), (start, True))
        begins = {(at + stop - start) % len(replayed) for at in begins}


def _begins(replayed: Any, samples: Any, among: Any) -> set[int]:
    """Where in what is replayed over and over the samples may begin."""
    n = len(samples)
    endless = np.tile(replayed, (n // len(replayed) + 2, 1))
    return {at for at in among if np.array_equal(endless[at : at + n], samples)}
