"""Recording on the board: files that NumPy reads, rings, full flashes, power cuts, fetching."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import random
import sys
import time
from array import array
from pathlib import Path

import numpy as np
import pytest
from on_micropython import needs_micropython, on_micropython
from recording_cases import counting

from workshop_helpers import datasets
from workshop_helpers.errors import FileError
from workshop_helpers.paths import DEVICE_SCRIPTS
from workshop_helpers.recordings import fetch_recordings
from workshop_helpers.stream import Recorder

DEVICE = Path(__file__).with_name("device")
ABOUT = {"app": "recorder", "sensor": "test", "rate_hz": 10, "channels": ["a", "b"],
         "units_per_lsb": [1, 1], "channel_units": ["counts", "counts"]}  # fmt: skip


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, DEVICE_SCRIPTS / "lib" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lib(monkeypatch):
    """npy_writer and flash_ring under this Python, on this computer's disk."""
    names = ("npy_writer", "flash_ring")
    modules = {name: load(name) for name in names}
    yield modules
    for name in names:
        sys.modules.pop(name, None)


def ring_in(lib, folder: Path, rows=20, chunk=4, max_files=0, max_bytes=0, reserve=0):
    return lib["flash_ring"].FlashRing(
        str(folder), dict(ABOUT), 2, rows, chunk, max_files, max_bytes, reserve
    )


def feed(ring, n: int, label="walk", start=0) -> bool:
    """`n` samples, three at a time."""
    samples = counting(n, start)
    going = True
    for at in range(0, n, 3):
        block = array("h", samples[at : at + 3].astype(np.int16).tobytes())
        going = ring.add(block, len(block) // 2, label, (start + at) * 100_000)
    return going


def arrays_in(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}


# --- files, under this Python -------------------------------------------------------------------
@pytest.mark.parametrize(("n", "rows"), [(1, 20), (3, 20), (4, 20), (19, 20), (20, 20), (57, 20)])
def test_numpy_reads_what_the_ring_writes(lib, tmp_path, n, rows) -> None:
    ring = ring_in(lib, tmp_path / "a" / "b", rows=rows)
    feed(ring, n)
    ring.close(n * 100_000)
    found = list(arrays_in(tmp_path / "a" / "b").values())
    assert np.array_equal(np.concatenate(found), counting(n))
    assert all(len(each) == rows for each in found[:-1]) and found[0].dtype == np.dtype("<i2")
    assert ring.files == len(found) == -(-n // rows)
    assert not list((tmp_path / "a" / "b").glob("*.part"))
    about = json.loads((tmp_path / "a" / "b" / "walk-0001.json").read_text())
    assert about["samples"] == min(n, rows) and about["label"] == "walk"
    assert {key: about[key] for key in ABOUT} == ABOUT


def test_the_replay_sensor_plays_what_was_recorded(lib, tmp_path) -> None:
    ring = ring_in(lib, tmp_path)
    feed(ring, 7)
    ring.close(1)
    spec = importlib.util.spec_from_file_location(
        "replay", DEVICE_SCRIPTS / "sensors" / "replay.py"
    )
    replay = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(replay)
    path = str(tmp_path / "walk-0001.npy")
    sensor = replay.open({"recordings": [path], "rate_hz": 10, "speed": 0})
    block = array("h", bytes(2 * 2 * 10))
    assert sensor.read_into(block) == 7 and sensor.label == "walk"
    assert list(block[:14]) == counting(7).ravel().tolist()


def test_labels_count_on_and_the_oldest_files_go(lib, tmp_path) -> None:
    ring = ring_in(lib, tmp_path, max_files=3)
    for i, label in enumerate(["Walking fast", "b", None, "d", "e-f"]):
        feed(ring, 5, label, start=5 * i)
        ring.close(0)
    names = [path.stem for path in sorted(tmp_path.glob("*.npy"))]
    assert sorted(names) == ["d-0004", "e_f-0005", "unlabelled-0003"]
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == sorted(names)
    again = ring_in(lib, tmp_path, max_files=3)
    feed(again, 5, "z")
    again.close(0)
    assert "z-0006" in arrays_in(tmp_path) and again.files == 3


def test_the_ring_keeps_within_its_bytes(lib, tmp_path) -> None:
    ring = ring_in(lib, tmp_path, rows=20, max_bytes=500)  # a file is 208 bytes
    feed(ring, 200)
    ring.close(0)
    kept = arrays_in(tmp_path)
    assert list(kept) == ["walk-0009", "walk-0010"] and ring.size == 416
    assert np.array_equal(kept["walk-0010"], counting(20, 180))


def test_a_file_cut_short_is_mended_at_the_next_start(lib, tmp_path) -> None:
    ring = ring_in(lib, tmp_path, rows=50, chunk=4)
    feed(ring, 10)  # 8 are flushed; nobody closes it
    assert (tmp_path / "walk-0001.part").exists()
    again = ring_in(lib, tmp_path)
    assert again.files == 1
    assert np.array_equal(arrays_in(tmp_path)["walk-0001"], counting(8))


def test_gaps_stand_in_the_file_beside(lib, tmp_path) -> None:
    ring = ring_in(lib, tmp_path)
    ring.gap()  # before the first sample it is none
    feed(ring, 6)
    ring.gap()
    feed(ring, 6)
    ring.close(0)
    assert json.loads((tmp_path / "walk-0001.json").read_text())["gaps"] == [[6, 0]]


def test_gaps_reach_the_flash_before_the_samples_behind_them(lib, tmp_path) -> None:
    """Cut at any sample: what is there of the open file never hides a gap."""
    for cut in range(4, 16):
        folder = tmp_path / str(cut)
        ring = ring_in(lib, folder, rows=50, chunk=4)
        samples = counting(cut)
        for at in range(cut):
            if at == 6:
                ring.gap()
            ring.add(array("h", samples[at].astype(np.int16).tobytes()), 1, "walk", 0)
        about = json.loads((folder / "walk-0001.json").read_text())
        flushed = cut // 4 * 4
        assert about["samples"] == 0 and about["gaps"] == ([[6, 0]] if flushed > 6 else [])
        assert ring_in(lib, folder).files == 1 and len(arrays_in(folder)["walk-0001"]) == flushed


def test_the_files_of_one_run_are_one_session(lib, tmp_path) -> None:
    sessions = []
    for folder in ("a", "a", "b"):
        ring = ring_in(lib, tmp_path / folder)
        feed(ring, 45)
        ring.close(0)
        about = [json.loads(p.read_text()) for p in (tmp_path / folder).glob("*.json")]
        assert ring.session.startswith("flash-")
        assert [each["session"] for each in about].count(ring.session) == 3
        sessions.append(ring.session)
    assert len(set(sessions)) == 3 and sessions[1].startswith("flash-0004-")


def test_what_is_free_counts_down_without_asking(lib, tmp_path, monkeypatch) -> None:
    ring_module, asked = lib["flash_ring"], []

    def statvfs(folder):
        asked.append(folder)
        return (512, 512, 200, 99, 99)

    monkeypatch.setattr(ring_module.os, "statvfs", statvfs, raising=False)
    ring = ring_in(lib, tmp_path, rows=20, chunk=4)
    assert ring.free == 99 * 512
    feed(ring, 9)
    assert ring.free == 99 * 512 - 4 * 2 * 4 and len(asked) == 2
    ring.close(0)
    assert ring.free == 99 * 512 - 128 - 9 * 4 and len(asked) == 2


def test_a_flash_with_less_than_nothing_free_is_full(lib, tmp_path, monkeypatch) -> None:
    ring_module = lib["flash_ring"]
    below_zero = (4096, 4096, 128, 2**32 - 16, 2**32 - 16)
    monkeypatch.setattr(ring_module.os, "statvfs", lambda folder: below_zero, raising=False)
    ring = ring_in(lib, tmp_path)
    assert ring.free == 0 and feed(ring, 5) is False and ring.full


@needs_micropython
def test_a_power_cut_at_any_write_spoils_only_the_open_file() -> None:
    """On LittleFS: before each write to the flash, and in the middle of each."""
    said, cuts, writes = on_micropython("import power_cuts\npower_cuts.run()").split()
    assert said == "ok" and int(cuts) == 2 * int(writes) > 400


# --- on the board -------------------------------------------------------------------------------
@pytest.fixture
def ready(board):
    """A board with the recorder, two short recordings to replay, and nothing recorded yet."""
    data = datasets.load("basic_motions").part("test")
    board.deploy(app="recorder", files=data.replay_files(), **data.replay_settings())
    if board.exists("/recorded"):
        board.rm("/recorded", recursive=True)
    yield board
    board.interrupt()
    if board.exists("/recorded"):
        board.rm("/recorded", recursive=True)


def replayed() -> dict[str, np.ndarray]:
    files = datasets.load("basic_motions").part("test").replay_files()
    return {Path(path).stem: np.load(io.BytesIO(data)) for path, data in files.items()}


def test_the_same_samples_reach_the_flash_and_the_laptop(ready, tmp_path) -> None:
    """Four labelled recordings as fast as it goes, both ways at once."""
    stream = ready.stream("recorder", speed=0, to_flash=True, file_s=6)
    with Recorder(stream, tmp_path / "streamed") as recorder:
        recorder.wait(60)
    assert stream.bye["samples"] == 400 and not stream.bye["flash_full"]
    assert stream.counters.lost == 0
    truth = replayed()
    streamed = recorder.recording
    assert np.array_equal(streamed.samples, np.concatenate(list(truth.values())))
    assert [(len(piece), label) for piece, label in streamed.pieces()] == [
        (100, name) for name in truth
    ]
    assert streamed.meta["board"].endswith(ready.info.version.split("-")[0])

    done: list[tuple[int, int]] = []
    report = fetch_recordings(
        ready, tmp_path / "fetched", progress=lambda now, total: done.append((now, total))
    )
    total = sum(f.size_bytes for f in ready.ls("/recorded") if f.name.endswith(".npy"))
    assert report.size_bytes == total and {each[1] for each in done} == {total}
    assert [each[0] for each in done] == sorted({each[0] for each in done})
    assert done[-1][0] == total
    fetched = datasets.load(tmp_path / "fetched")
    session = stream.hello["session"]
    assert set(fetched.groups) == {f"session {session}"} and streamed.meta["session"] == session
    assert 0 < stream.bye["flash_free"] < stream.hello["flash_free"]
    assert len(report.recordings) == len(fetched) == 8  # 60 and 40 samples of each
    for name, samples in truth.items():
        parts = [r.samples for r in fetched.recordings if r.name.startswith(name)]
        assert np.array_equal(np.concatenate(parts), samples)
    assert fetched.durations_s == dict.fromkeys(sorted(truth), 10.0)
    assert fetched.rate_hz == 10 and fetched.channel_units[3] == "rad/s"


def test_a_recording_that_begins_again_says_its_label_once_more(ready) -> None:
    settings = {"recordings": ["/recordings/walking.npy"], "loop": True, "speed": 50}
    with ready.stream("recorder", **settings, seconds=0.7) as stream:
        labels = [r.fields["at"] for r in stream.records(seconds=30) if r.kind == "label"]
    assert len(labels) >= 2 and labels == [100 * i for i in range(len(labels))]


def test_fetching_again_fetches_only_what_is_new(ready, tmp_path) -> None:
    for _ in range(2):
        with ready.stream("recorder", speed=0, to_flash=True) as stream:
            list(stream.records(seconds=60))
        report = fetch_recordings(ready, tmp_path, progress=False)
        assert len(report.recordings) == 4
    assert len(report.skipped) == 4 and "4 already here" in repr(report)
    got = []
    with pytest.MonkeyPatch.context() as patch:
        get = ready.get
        patch.setattr(ready, "get", lambda path, **rest: (got.append(path), get(path, **rest))[1])
        assert len(fetch_recordings(ready, tmp_path, progress=False).skipped) == 8
    assert len(got) == 8 and all(path.endswith(".json") for path in got)
    done: list[int] = []
    report = fetch_recordings(
        ready, tmp_path, progress=lambda now, total: done.append(now), remove=True
    )
    assert report.recordings == () and len(report.skipped) == 8 and done
    assert ready.ls("/recorded") == [] and len(datasets.load(tmp_path)) == 8


def test_what_can_not_be_used_is_left_and_named(ready, tmp_path) -> None:
    ready.put(b"\x93NUMPY nonsense", "/recorded/odd-0001.npy")
    ready.put(b"{}", "/recorded/bare-0002.json")
    ready.put(b"\x93NUMPY" + bytes(200), "/recorded/bare-0002.npy")
    report = fetch_recordings(ready, tmp_path, progress=False, remove=True)
    assert len(report.ignored) == 2 and report.recordings == ()
    assert "odd-0001.npy: no readable .json" in " ".join(report.ignored)
    assert ready.exists("/recorded/odd-0001.npy")
    assert "bare-0002.npy" in report._repr_html_()


def test_a_board_without_recordings_says_so(ready, tmp_path) -> None:
    with pytest.raises(FileError, match="no folder /recorded"):
        fetch_recordings(ready, tmp_path)


def test_the_recording_loop_allocates_nothing(ready, device_dir) -> None:
    ready.exec((DEVICE / "recorder_memory.py").read_text())
    assert ready.eval(f"measure({device_dir!r})") == 0


def test_whoever_interrupts_it_finds_a_whole_file(ready, tmp_path) -> None:
    """As with a board that records by itself, from its main.py, until a laptop comes."""
    config = {"recordings": ["/recordings/walking.npy"], "loop": True, "speed": 4,
              "rate_hz": 10, "to_flash": True, "block": 0}  # fmt: skip
    running = ready.start(f"import recorder\nrecorder.main({config})")
    said = b""
    while b'"progress"' not in said:
        said += running.read(10)
    running.stop()
    names = [file.name for file in ready.ls("/recorded")]
    assert sorted(names) == ["walking-0001.json", "walking-0001.npy"]
    (recording,) = fetch_recordings(ready, tmp_path, progress=False).recordings
    n = len(recording)
    assert n >= 20 and recording.meta["cut_short"] is False
    assert np.array_equal(recording.samples, np.tile(replayed()["walking"], (9, 1))[:n])


def test_it_stops_before_the_flash_is_full(own_board, tmp_path) -> None:
    board = own_board(flash_size_bytes=384 * 1024)
    data = datasets.load("basic_motions").part("test")
    files = data.replay_files()
    board.deploy(app="recorder", files=files, **data.replay_settings())
    settings = {"speed": 0, "loop": True, "to_flash": True, "file_s": 200, "block": 0}
    with board.stream("recorder", reserve_bytes=100_000, **settings) as stream:
        list(stream.records(seconds=90))
    assert stream.bye["flash_full"] is True and stream.bye["files"] >= 1
    assert stream.hello["flash_free"] > stream.bye["flash_free"] >= 100_000
    assert board.info.flash_free_bytes >= 100_000
    report = fetch_recordings(board, tmp_path / "full", progress=False)
    assert len(report.recordings) == stream.bye["files"] and not report.ignored

    # With a ring the oldest make room, and it goes on and on.
    with board.stream("recorder", reserve_bytes=100_000, max_files=3, **settings) as stream:
        for record in stream.records(seconds=90):
            if record.kind == "progress" and record["samples"] > 20_000:
                break
    assert stream.bye["files"] <= 3 and not stream.bye["flash_full"]
    assert board.info.flash_free_bytes >= 100_000


def test_a_folder_that_cannot_be_made_is_said(lib, tmp_path, monkeypatch) -> None:
    """With the reason, not with the name of a folder that is not there."""

    def worn_out(path):
        raise OSError(5, "EIO")

    ring_in(lib, tmp_path / "deep" / "there")
    monkeypatch.setattr(os, "mkdir", worn_out)
    with pytest.raises(OSError, match="EIO"):
        ring_in(lib, tmp_path / "new")


@pytest.mark.slow
def test_a_power_cut_spoils_only_the_open_file(own_board, tmp_path) -> None:
    """Cuts of a whole board, at random moments; what a laptop then fetches is right."""
    board = own_board()
    data = datasets.load("basic_motions").part("test")
    board.deploy(app="recorder", files=data.replay_files(), **data.replay_settings())
    settings = {"speed": 20, "loop": True, "to_flash": True, "file_s": 7, "block": 0}
    stretch = np.concatenate(list(replayed().values()))
    chance = random.Random(4)
    for round_ in range(3):
        stream = board.stream("recorder", silence_timeout_s=30, **settings)
        stream.start()
        time.sleep(chance.uniform(0.1, 1.5))
        board.virtual.power_cut()
        board.virtual.power_on()
        board.reconnect()
        sizes = {f.name: f.size_bytes for f in board.ls("/recorded")}
        closed = {name for name in sizes if name.endswith(".npy")}
        assert len([name for name in sizes if name.endswith(".part")]) <= 1
        for name in closed:  # the header says what is there
            array_ = np.load(io.BytesIO(board.get(f"/recorded/{name}")))
            assert 128 + array_.nbytes == sizes[name]
        report = fetch_recordings(board, tmp_path / str(round_), progress=False)
        assert closed <= {r.meta["fetched_as"].split()[0] for r in report.recordings}
        for recording in report.recordings:
            # Whole samples that stand in what was replayed, one after the other.
            starts = np.flatnonzero((stretch == recording.samples[0]).all(1))
            n = len(recording)
            assert any(np.array_equal(stretch[s : s + n], recording.samples) for s in starts)
        with board.stream("recorder", seconds=0.2, speed=1, to_flash=True, block=0) as again:
            list(again.records(seconds=10))
        assert not [f for f in board.ls("/recorded") if f.name.endswith(".part")]


def test_the_app_takes_labels_and_pauses(ready, tmp_path) -> None:
    recordings = ["/recordings/walking.npy"]
    stream = ready.stream("recorder", recordings=recordings, loop=True, speed=4, to_flash=True)
    with Recorder(stream, tmp_path / "x") as recorder:
        wait_for(stream, lambda: recorder.n_samples > 5)
        recorder.label("mine")
        wait_for(stream, lambda: "mine" in recorder.status())
        n = recorder.n_samples
        wait_for(stream, lambda: recorder.n_samples > n + 10)
        stream.command("pause")
        stream.command("resume")
        n = recorder.n_samples
        wait_for(stream, lambda: recorder.n_samples > n + 10)
    recording = recorder.recording
    assert {span.label for span in recording.spans} >= {"walking", "mine"}
    assert len(recording.gaps) == 1 and recording.gaps[0].length == 0
    named = fetch_recordings(ready, tmp_path / "y", progress=False).recordings
    assert {"walking", "mine"} <= {span.label for r in named for span in r.spans}
    at = recording.gaps[0].at
    looped = np.tile(replayed()["walking"], (9, 1))
    assert np.array_equal(recording.samples[:at], looped[:at])
    assert sum(len(r) for r in named) == len(recording)


def wait_for(stream, condition) -> None:
    end_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end_s and not stream.ended
        time.sleep(0.02)
