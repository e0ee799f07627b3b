"""Recording to this laptop's disk: samples, gaps, labels, and what crashes leave behind."""

from __future__ import annotations

import errno
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from recording_cases import ABOUT, FakeStream, counting, save

from workshop_helpers import datasets
from workshop_helpers.errors import DataError, FileError, StreamError
from workshop_helpers.recordings import Gap, Span, fetch_recordings, recover
from workshop_helpers.recordings.layout import HEADER_BYTES, next_name, npy_header, slug
from workshop_helpers.stream import Record, Recorder

TESTS = Path(__file__).parent


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_streamed_is_what_numpy_reads(tmp_path) -> None:
    stream = FakeStream()
    with Recorder(stream, tmp_path, label="walking", person="A") as recorder:
        for _ in range(10):
            stream.block(5)
    assert files_in(tmp_path) == ["walking-001.json", "walking-001.npy"]
    assert np.array_equal(np.load(tmp_path / "walking-001.npy"), counting(50))
    recording = recorder.recording
    assert np.array_equal(recording.samples, counting(50)) and recording.samples.dtype == np.int16
    assert recording.spans == (Span(0, 50, "walking"),) and recording.gaps == ()
    assert recording.rate_measured_hz == pytest.approx(10)
    meta = json.loads((tmp_path / "walking-001.json").read_text())
    assert meta["format"] == 1 and meta["samples"] == 50 and meta["person"] == "A"
    assert {key: meta[key] for key in ABOUT} == ABOUT


def test_labels_and_gaps_lie_where_they_happened(tmp_path) -> None:
    stream = FakeStream()
    with Recorder(stream, tmp_path) as recorder:
        stream.block(5)
        recorder.label("up")
        stream.block(5)
        stream.block(5, lost=7)
        stream.send("label", label="down", at=stream.at + 2)  # in the middle of the next block
        stream.block(5)
        stream.send("label", label=None, at=stream.at - 1)  # in what has come already
        stream.block(5)
    recording = recorder.recording
    assert recording.spans == (Span(5, 17, "up"), Span(17, 19, "down"))
    assert recording.gaps == (Gap(10, 7),)
    assert recording.t_s[[9, 10]].tolist() == [0.9, 1.7]
    assert recording.duration_s == 3.2 and recording.n_lost == 7
    assert [(len(piece), label) for piece, label in recording.pieces()] == [
        (5, "up"), (7, "up"), (2, "down")
    ]  # fmt: skip


def test_what_comes_before_the_stream_starts_is_no_gap(tmp_path) -> None:
    stream = FakeStream(hello=None)
    stream.at = 40
    with Recorder(stream, tmp_path) as recorder:
        recorder.label("late")
        stream.send("hello", **ABOUT)
        stream.block(5)
    assert recorder.recording.gaps == () and recorder.recording.spans == (Span(0, 5, "late"),)


def test_an_app_that_begins_again_leaves_a_gap_of_unknown_length(tmp_path) -> None:
    stream = FakeStream()
    with Recorder(stream, tmp_path, label="x") as recorder:
        stream.block(20)
        stream.at = 0
        stream.send("hello", **ABOUT)
        stream.block(30)
    recording = recorder.recording
    assert recording.gaps == (Gap(20, 0),) and len(recording) == 50
    assert recording.rate_measured_hz is None or recording.rate_measured_hz == pytest.approx(10)


def test_an_app_that_begins_again_otherwise_ends_the_recording(tmp_path) -> None:
    stream = FakeStream()
    recorder = Recorder(stream, tmp_path)
    stream.block(5)
    stream.send("hello", **ABOUT | {"rate_hz": 50.0})
    stream.block(5)
    with pytest.raises(DataError, match="another rate"):
        recorder.close()
    assert len(recorder.recording) == 5


@pytest.mark.parametrize("hello", [{}, {"rate_hz": 10}, {"channels": ["a", "b"]}])
def test_a_stream_that_does_not_say_its_rate_is_refused(tmp_path, hello) -> None:
    stream = FakeStream(hello or {"app": "x"})
    recorder = Recorder(stream, tmp_path)
    stream.block(5)
    with pytest.raises(DataError, match="rate_hz and channels"):
        recorder.close()
    assert files_in(tmp_path) == [] and recorder.recording is None


def test_a_first_record_that_got_lost_is_said_to_be_lost(tmp_path) -> None:
    recorder = Recorder(FakeStream(hello=None), tmp_path)
    recorder._stream.block(5)
    with pytest.raises(StreamError, match="did not arrive whole"):
        recorder.close()
    assert files_in(tmp_path) == []


def test_a_recording_of_nothing_leaves_nothing(tmp_path) -> None:
    with Recorder(FakeStream(), tmp_path) as recorder:
        pass
    assert recorder.recording is None and files_in(tmp_path) == []


def test_the_reader_is_never_blocked(tmp_path, monkeypatch) -> None:
    """A disk that hangs: the queue fills up, the reader goes on, and the loss is told."""
    from workshop_helpers.recordings.partial import PartialRecording

    hangs, go_on = threading.Event(), threading.Event()
    add = PartialRecording.add

    def slow_add(self, block: bytes) -> None:
        hangs.set()
        go_on.wait()
        add(self, block)

    monkeypatch.setattr(PartialRecording, "add", slow_add)
    stream = FakeStream()
    recorder = Recorder(stream, tmp_path, label="x", queue_records=10)
    try:
        stream.block(5)
        hangs.wait()
        # As the stream's reader would. If it were held up, the test would never come to its end.
        for _ in range(99):
            stream.block(5)
    finally:
        go_on.set()
    while recorder.n_samples < 55:  # one block in hand and ten in the queue
        time.sleep(0.01)
    stream.block(5)  # from here on the disk is quick again
    recording = recorder.close()
    assert [(gap.at, gap.length) for gap in recording.gaps] == [(55, 445)]
    assert len(recording) == 60
    assert recording.samples[-1].tolist() == [504, -504]
    assert "too many for this disk" in recorder.status()


FULL = """
import resource, sys, time
sys.path.insert(0, sys.argv[1])
from recording_cases import FakeStream
from workshop_helpers.errors import DataError
from workshop_helpers.stream.recorder import Recorder
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
stream = FakeStream()
recorder = Recorder(stream, sys.argv[2], label="full")
end_s = time.monotonic() + 60
while not recorder.error and time.monotonic() < end_s:
    stream.block(50)
    time.sleep(0.01)
try:
    recorder.wait(1)
except DataError as error:
    assert "recorded until then is kept" in error.mend, error
else:
    raise SystemExit("no error while it runs")
try:
    recorder.close()
except DataError:
    print(len(recorder.recording))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of a file as POSIX does")
def test_a_full_disk_is_told_and_what_is_there_is_kept(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(TESTS), str(tmp_path / "x")],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept = int(done.stdout)
    assert kept == (8000 - HEADER_BYTES) // 4
    data = datasets.load(tmp_path / "x")
    assert np.array_equal(data[0].samples, counting(kept))


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from recording_cases import FakeStream
from workshop_helpers.recordings.partial import PartialRecording
from workshop_helpers.stream.recorder import Recorder
flush = PartialRecording.flush
def told(self):
    flush(self)
    print(self.n_samples, flush=True)
PartialRecording.flush = told
stream = FakeStream()
recorder = Recorder(stream, sys.argv[2], label="alive")
while True:
    stream.block(5, lost=3 if stream.at % 100 == 0 and stream.at else 0)
    if stream.at % 60 == 0:
        recorder.label("turn %d" % stream.at)
    time.sleep(0.01)
"""


@pytest.mark.parametrize("flushes", [1, 2, 4])
def test_kill_9_loses_nothing_that_was_flushed(tmp_path, flushes) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(TESTS), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    said = [process.stdout.readline() for _ in range(flushes)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    flushed = int([line for line in said if line.endswith("\n")][-1])
    assert files_in(tmp_path) == ["alive-001.journal", "alive-001.part"]
    if not flushed:  # the first one is of an empty file
        assert len(recover(tmp_path)) <= 1
        return
    data = datasets.load(tmp_path)
    recording = data[0]
    assert len(recording) >= flushed
    ticks = np.round(recording.t_s * 10).astype(int)
    assert np.array_equal(recording.samples[:, 0], ticks)  # gaps included
    assert recording.meta["recovered"] is True
    assert any("recovered" in note for note in data.notes)
    assert files_in(tmp_path) == ["alive-001.json", "alive-001.npy"]


@pytest.mark.parametrize("pauses_s", [(0.01,), (0.49,), (3.0,), (0.01, 0.45, 3.0)])
def test_samples_are_brought_down_to_the_disk_within_half_a_second(
    tmp_path, monkeypatch, pauses_s
) -> None:
    """However seldom blocks come: the clock moves only while the writer waits for the next one."""
    from workshop_helpers.recordings.partial import PartialRecording
    from workshop_helpers.stream import recorder_writer

    now_s, taken_s, flushed_s = 0.0, [], []
    feeder = FakeStream()
    blocks: list[Record] = []
    feeder.subscribe(blocks.append)

    class Seldom:
        def get(self, timeout: float) -> Record | None:
            nonlocal now_s
            pause_s = pauses_s[len(taken_s) % len(pauses_s)]
            next_s = (taken_s[-1] if taken_s else 0.0) + pause_s
            if next_s - now_s > timeout:
                now_s += timeout
                raise queue.Empty
            now_s = next_s
            taken_s.append(now_s)
            if len(taken_s) > 20:
                return None
            feeder.block(5)
            return blocks[-1]

    monkeypatch.setattr(recorder_writer, "time", SimpleNamespace(monotonic=lambda: now_s))
    flush = PartialRecording.flush
    monkeypatch.setattr(
        PartialRecording, "flush", lambda self: (flush(self), flushed_s.append(now_s))
    )
    writer = recorder_writer.Writer(tmp_path, None, {}, Seldom(), feeder.hello)
    writer.run()
    assert writer.n_samples == 100 and writer.error is None
    for at_s in taken_s[:-1]:
        assert any(at_s <= each_s <= at_s + 0.5 + 1e-9 for each_s in (*flushed_s, now_s))


def test_a_recording_in_progress_is_left_alone(tmp_path) -> None:
    stream = FakeStream()
    save(tmp_path, counting(30))
    with Recorder(stream, tmp_path, label="walking") as recorder:
        stream.block(5)
        while not recorder.n_samples:
            time.sleep(0.01)
        assert [r.name for r in datasets.load(tmp_path).recordings] == ["walking-001"]
        stream.block(5)
    assert recorder.recording.name == "walking-002" and len(recorder.recording) == 10


@pytest.mark.parametrize("step", ["header", "renamed", "described"])
def test_finishing_can_be_killed_at_any_step(tmp_path, step) -> None:
    """The states between the steps of finishing, made by hand; loading does the rest."""
    save(tmp_path, counting(30))
    npy, meta = tmp_path / "walking-001.npy", tmp_path / "walking-001.json"
    content, about = npy.read_bytes(), json.loads(meta.read_text())
    lines = [{k: about[k] for k in (*ABOUT, "format", "name")}, {"label": [0, "walking"]}]
    journal = "".join(json.dumps(line) + "\n" for line in lines) + '{"label": [20, "to'
    (tmp_path / "walking-001.journal").write_text(journal)
    if step != "described":
        meta.unlink()
    if step == "header":
        npy.rename(tmp_path / "walking-001.part")
    data = datasets.load(tmp_path)
    assert data[0].spans == (Span(0, 30, "walking"),) and npy.read_bytes() == content
    assert files_in(tmp_path) == ["walking-001.json", "walking-001.npy"]


def test_two_recorders_never_share_a_name(tmp_path) -> None:
    streams = [FakeStream() for _ in range(4)]
    recorders = [Recorder(stream, tmp_path, label="Höhe/../x") for stream in streams]
    for stream in streams:
        stream.block(3)
    names = {recorder.close().name for recorder in recorders}
    assert names == {f"hohe_x-00{i}" for i in range(1, 5)}


@pytest.mark.parametrize(
    ("label", "name"),
    [("Walking fast", "walking_fast"), ("", "recording"), (None, "recording"),
     ("../..", "recording"), ("CON", "recording"), ("行走", "recording"), ("x" * 99, "x" * 40)],
)  # fmt: skip
def test_any_label_makes_a_file_name(label, name, tmp_path) -> None:
    assert slug(label) == name and next_name(tmp_path, label) == f"{name}-001"


def test_the_header_is_as_long_for_any_number_of_samples() -> None:
    assert {len(npy_header(n, 6)) for n in (0, 1, 10**6, 2**62)} == {HEADER_BYTES}


def test_a_label_must_be_a_text(tmp_path) -> None:
    with Recorder(FakeStream(), tmp_path) as recorder:
        for wrong in ("", "  ", 3):
            with pytest.raises(DataError, match="label"):
                recorder.label(wrong)


def test_a_folder_that_cannot_be_made_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    stream = FakeStream()
    recorder = Recorder(stream, tmp_path / "file" / "x")
    stream.block(5)
    with pytest.raises(DataError, match="can't be made"):
        recorder.close()


def test_a_flash_that_cannot_be_read_is_not_called_a_missing_folder(tmp_path):
    class Worn:
        def ls(self, path):
            raise FileError(f"The board can't read or write {path}.", errno=errno.EIO)

    with pytest.raises(FileError, match="can't read"):
        fetch_recordings(Worn(), tmp_path)


def test_a_block_of_other_channels_ends_the_recording_and_spoils_nothing(tmp_path):
    stream = FakeStream()
    recorder = Recorder(stream, tmp_path)
    stream.block(5)
    stream.block(2, channels=4)
    stream.block(5)
    with pytest.raises(StreamError, match="4 channels and names 2"):
        recorder.close()
    assert np.array_equal(recorder.recording.samples, counting(5))


def test_counts_of_marks_that_are_none_are_left_aside(tmp_path):
    stream = FakeStream()
    with Recorder(stream, tmp_path) as recorder:
        stream.block(5, gaps="none", labels=None)
        stream.send("gap", at=5, lost=2)
        stream.block(5, lost=2)
    assert recorder.recording.n_lost >= 2
