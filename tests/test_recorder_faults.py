"""Recordings over a line that loses, damages and breaks: what is there is right."""

from __future__ import annotations

import base64
import io
import queue
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording_cases import ABOUT, FakeStream

from workshop_helpers import datasets
from workshop_helpers.board import Board
from workshop_helpers.board.virtual import Faults, VirtualBoard
from workshop_helpers.errors import BadAnswerError, TransferError
from workshop_helpers.recordings import Gap, Recording, Span, fetch_recordings
from workshop_helpers.stream import Gap as Pause
from workshop_helpers.stream import Record, Recorder
from workshop_helpers.stream.places import Places
from workshop_helpers.stream.recorder_writer import Writer


# --- records that get lost ----------------------------------------------------------------------
class App:
    """What the app `recorder` says, as records. Each sample tells its number, its run and how many
    gaps came before it."""

    def __init__(self) -> None:
        self.said: list[Record | Pause] = []
        self.labels: dict[tuple[int, int], str | None] = {}  # (run, number) -> what is true
        self.run = -1
        self.start()

    def start(self) -> None:
        if self.run >= 0:
            self.said.append(Pause(1.0, "away"))
        self.run += 1
        self.at = self.n_labels = self.n_gaps = self.label_at = 0
        self.label: str | None = None
        self._say("hello", **ABOUT)

    def block(self, n: int) -> None:
        numbers = np.arange(self.at, self.at + n)
        samples = np.stack([numbers, np.full(n, 100 * self.run + self.n_gaps)], 1).astype("<i2")
        self.labels |= {(self.run, int(number)): self.label for number in numbers}
        marks = {"labels": self.n_labels, "gaps": self.n_gaps}
        b64 = base64.b64encode(samples.tobytes()).decode()
        self._say("samples", at=self.at, n=n, channels=2, b64=b64, **marks)
        self.at += n

    def mark(self, label: str | None) -> None:
        self.label, self.label_at = label, self.at
        self.n_labels += 1
        self._say("label", text=label, at=self.at)

    def gap(self) -> None:
        self.n_gaps += 1
        self._say("gap", at=self.at, lost=0)

    def progress(self) -> None:
        self._say("progress", label=self.label, label_at=self.label_at)

    def _say(self, kind: str, **fields: object) -> None:
        self.said.append(Record(len(self.said), self.at * 100_000 + len(self.said), kind, fields))


def written(items: list[Record | Pause], label: str | None = None) -> Recording | None:
    entries: queue.Queue[Record | Pause | None] = queue.Queue()
    for item in [*items, None]:
        entries.put(item)
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder), label, {"session": None}, entries, None)
        writer.run()
    assert writer.error is None
    return writer.recording


def labels_of(recording: Recording) -> list[str | None]:
    found: list[str | None] = [None] * len(recording)
    for span in recording.spans:
        found[span.start : span.stop] = [span.label] * (span.stop - span.start)
    return found


def check_gaps(recording: Recording) -> None:
    """Gaps where samples do not follow on, and only there; with lengths where one can know."""
    told: dict[int, list[int]] = {}
    for gap in recording.gaps:
        told.setdefault(gap.at, []).append(gap.length)
    samples = recording.samples.tolist()
    for i in range(1, len(samples)):
        (number, state), (before, state_before) = samples[i], samples[i - 1]
        lengths = told.pop(i, [])
        if state // 100 != state_before // 100:
            assert 0 in lengths, (i, lengths)
            continue
        assert sum(lengths) == number - before - 1, (i, lengths)
        assert (0 in lengths) == (state != state_before), (i, lengths)
    assert not told


steps = st.one_of(
    st.tuples(st.just("block"), st.integers(1, 4)),
    st.tuples(st.just("block"), st.just(2)),
    st.tuples(st.just("mark"), st.sampled_from(["a", "b", "c", None])),
    st.tuples(st.sampled_from(["gap", "progress"])),
    st.tuples(st.sampled_from(["start", "progress"])),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(steps, max_size=40), st.data())
def test_whatever_is_lost_no_label_is_wrong_and_no_gap_is_hidden(script, data) -> None:
    app = App()
    for step, *value in script:
        getattr(app, step)(*value)
    lost = data.draw(st.sets(st.integers(0, len(app.said) - 1), max_size=12))
    # The pause of a restart is this laptop's own, and the first hello makes a recording possible.
    kept = [x for i, x in enumerate(app.said) if not i or i not in lost or isinstance(x, Pause)]
    recording = written(kept)
    if recording is None:
        assert not any(isinstance(item, Record) and item.kind == "samples" for item in kept)
        return
    check_gaps(recording)
    labels = labels_of(recording)
    for (number, state), label in zip(recording.samples.tolist(), labels, strict=True):
        true = app.labels[state // 100, number]
        assert label in (true, None)
        assert label == true or len(kept) < len(app.said)


def test_a_lost_label_is_known_again_from_the_next_progress_on() -> None:
    app = App()
    app.mark("a")
    app.block(5)
    app.block(5)
    app.mark("b")
    app.block(5)
    lost = [item for item in app.said if not (item.kind == "label" and item["text"] == "b")]
    assert written(lost).spans == (Span(0, 10, "a"),)  # what follows has no label, rather than "a"
    app.block(5)
    app.progress()
    lost = [item for item in app.said if not (item.kind == "label" and item["text"] == "b")]
    assert written(lost).spans == (Span(0, 10, "a"), Span(10, 20, "b"))


def test_a_recorder_that_comes_later_learns_the_label_from_the_next_progress() -> None:
    app = App()
    app.mark("a")
    app.block(5)
    app.block(5)
    app.progress()
    late = [item for item in app.said if item.get("at") != 0 or item.kind == "hello"]
    assert written(late).spans == (Span(0, 5, "a"),)


def test_places_of_samples_over_gaps() -> None:
    places = Places()
    places.begin(10, 0)
    places.begin(20, 5)  # 15 to 19 are lost
    assert [places.of(n) for n in (0, 10, 14, 15, 19, 20, 23)] == [0, 0, 4, 5, 5, 5, 8]
    places.clear()
    places.begin(0, 9)
    assert places.of(3) == 12


def test_a_label_behind_a_gap_lies_where_it_was_given(tmp_path) -> None:
    stream = FakeStream()
    with Recorder(stream, tmp_path) as recorder:
        stream.block(5)
        stream.block(5, lost=10)
        stream.send("label", label="x", at=17)  # 15 came first after the gap
        stream.send("label", label="y", at=8)  # in the gap: from the first sample after it
    assert recorder.recording.spans == (Span(5, 7, "y"), Span(7, 10, "x"))
    assert recorder.recording.gaps == (Gap(5, 10),)


# --- a line that spoils bytes -------------------------------------------------------------------
REPLAYED = {"speed": 20, "loop": True, "to_flash": True, "file_s": 8}


@pytest.fixture(scope="module")
def flash(tmp_path_factory) -> Path:
    """A flash with the recorder on it and something to replay, put there over a good line."""
    path = tmp_path_factory.mktemp("faults") / "flash.img"
    data = datasets.load("basic_motions").part("test")
    with VirtualBoard(flash=path) as virtual, Board(virtual.port, virtual=virtual) as board:
        board.deploy(app="recorder", files=data.replay_files(), **data.replay_settings())
    return path


def stretch_and_labels() -> tuple[np.ndarray, list[str]]:
    files = datasets.load("basic_motions").part("test").replay_files()
    stretches = [np.load(io.BytesIO(content)) for content in files.values()]
    names = [Path(path).stem for path in files]
    labels = [n for n, stretch in zip(names, stretches, strict=True) for _ in stretch]
    return np.concatenate(stretches), labels


def check_recording(recording: Recording) -> None:
    """Between gaps of unknown length all samples are those of the replay, each at its time, and
    none has a label that it does not have there."""
    stretch, true = stretch_and_labels()
    n = len(stretch)
    ticks = np.round(recording.t_s * recording.rate_hz).astype(int)
    labels = labels_of(recording)
    cuts = sorted({0, len(recording), *(gap.at for gap in recording.gaps if not gap.length)})
    for start, stop in pairwise(cuts):
        run, since = recording.samples[start:stop], ticks[start:stop] - ticks[start]
        begins = np.flatnonzero((stretch == run[0]).all(1))
        fits = [b for b in begins if np.array_equal(stretch[(b + since) % n], run)]
        assert fits, (start, stop)
        assert any(
            all(labels[start + i] in (true[(b + since[i]) % n], None) for i in range(stop - start))
            for b in fits
        )


def wait_for(condition, seconds: float = 60) -> None:
    end_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["flip", "lose", "double"])
def test_spoilt_bytes_become_gaps_of_known_length(flash, tmp_path, kind) -> None:
    # Bytes that the board sends while it records; the ones before are for the prompt.
    spoilt = tuple(range(12_000, 60_000, 577))
    faults = Faults(direction="to_host", **{f"{kind}_at": spoilt})
    with VirtualBoard(flash=flash, faults=faults) as virtual, Board(virtual.port) as board:
        stream = board.stream("recorder", **REPLAYED)
        with Recorder(stream, tmp_path) as recorder:
            wait_for(lambda: stream.counters.lost >= 20)
            n = recorder.n_samples
            wait_for(lambda: recorder.n_samples > n + 20)
    recording = recorder.recording
    assert len(recording.gaps) >= 10 and all(gap.length for gap in recording.gaps)
    assert stream.counters.damaged >= 20
    check_recording(recording)
    share = sum(label is not None for label in labels_of(recording)) / len(recording)
    assert share > 0.5


@pytest.mark.parametrize("kind", ["flip", "lose"])
def test_what_is_fetched_over_a_bad_line_is_right_and_in_the_end_all(flash, tmp_path, kind) -> None:
    with VirtualBoard(flash=flash) as virtual, Board(virtual.port) as board:
        folder = {"folder": f"/{kind}", "speed": 0, "to_flash": True, "file_s": 3, "block": 0}
        with board.stream("recorder", **folder) as stream:
            list(stream.records(seconds=60))
        there = {f.name: board.get(f.path) for f in board.ls(f"/{kind}") if f.name[-4:] == ".npy"}
    assert len(there) == 16
    faults = Faults(direction="to_host", **{f"{kind}_at": tuple(range(6_000, 90_000, 6_007))})
    failed = 0
    with VirtualBoard(flash=flash, faults=faults) as virtual, Board(virtual.port) as board:
        for _ in range(10):
            try:
                report = fetch_recordings(board, tmp_path, source=f"/{kind}", progress=False)
            except (TransferError, BadAnswerError):  # what came before is kept
                failed += 1
            else:
                break
    assert failed < 10 and report.ignored == ()
    found = datasets.load(tmp_path).recordings
    assert {r.meta["fetched_as"].split()[0] for r in found} == set(there) and len(found) == 16
    for recording in found:
        npy = np.load(io.BytesIO(there[recording.meta["fetched_as"].split()[0]]))
        assert np.array_equal(recording.samples, npy)


def test_a_cable_that_comes_off_and_is_back_leaves_one_gap_of_unknown_length(
    flash, tmp_path
) -> None:
    faults = Faults(disconnect_at=30_000, flip_at=(20_000, 40_000), direction="to_host")
    with VirtualBoard(flash=flash, faults=faults) as virtual, Board(virtual.port) as board:
        stream = board.stream("recorder", reconnect=True, silence_timeout_s=2, **REPLAYED)
        with Recorder(stream, tmp_path) as recorder:
            wait_for(lambda: stream.counters.gaps == 1)
            n = recorder.n_samples
            wait_for(lambda: recorder.n_samples > n + 150)
    recording = recorder.recording
    assert [gap.length for gap in recording.gaps].count(0) == 1
    check_recording(recording)
    assert stream.counters.gaps == 1 and stream.counters.gap_s > 0
