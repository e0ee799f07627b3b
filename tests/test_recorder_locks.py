"""Who writes a recording, on file systems with locks and on those that know none."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from recording_cases import FakeStream, counting, save

from workshop_helpers import datasets
from workshop_helpers.errors import DataError
from workshop_helpers.recordings import locking
from workshop_helpers.recordings.locking import BEAT_S, try_lock
from workshop_helpers.stream import Recorder

TAKEN = [errno.EWOULDBLOCK, errno.EACCES]
NO_LOCKS = [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL]


def refuse_locks(monkeypatch, number: int) -> None:
    """Every lock is refused with this error."""

    def flock(file, flags):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", flock)


def await_true(question) -> None:
    end = time.monotonic() + 10
    while not question():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_lock_keeps_others_out_until_its_holder_is_gone(tmp_path) -> None:
    path = tmp_path / "file"
    with open(path, "xb") as first, open(path, "rb+") as second:
        assert try_lock(first) and try_lock(second) is False
        first.close()
        assert try_lock(second)


@pytest.mark.parametrize("number", TAKEN + NO_LOCKS)
def test_a_lock_that_is_taken_is_told_from_one_that_is_not_to_be_had(
    tmp_path, monkeypatch, number
) -> None:
    refuse_locks(monkeypatch, number)
    with open(tmp_path / "file", "xb") as file:
        assert try_lock(file) is (False if number in TAKEN else None)


@pytest.mark.parametrize("number", [None, errno.EACCES, errno.EINVAL])
def test_on_windows_one_byte_behind_the_end_is_locked(tmp_path, monkeypatch, number) -> None:
    """As Microsoft's `_locking` is documented: from where the file stands, EACCES if taken."""
    asked = []

    def lock(fd, mode, n_bytes):
        asked.append((os.lseek(fd, 0, os.SEEK_CUR), mode, n_bytes))
        if number is not None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=lock, LK_NBLCK=2))
    monkeypatch.setattr(locking, "sys", SimpleNamespace(platform="win32"))
    with open(tmp_path / "file", "xb") as file:
        file.write(b"12")
        wanted = {None: True, errno.EACCES: False, errno.EINVAL: None}[number]
        assert try_lock(file) is wanted
        file.write(b"3")
    assert asked == [(1 << 30, 2, 1)]
    assert (tmp_path / "file").read_bytes() == b"123"


def test_a_taken_journal_is_no_folder_to_record_into(tmp_path, monkeypatch) -> None:
    refuse_locks(monkeypatch, errno.EWOULDBLOCK)
    with pytest.raises(DataError, match="can't be locked"):
        save(tmp_path, counting(30))


def test_without_locks_it_is_recorded_all_the_same(tmp_path, monkeypatch) -> None:
    refuse_locks(monkeypatch, errno.ENOLCK)
    save(tmp_path, counting(30))
    data = datasets.load(tmp_path)
    assert len(data[0]) == 30 and not data.notes


def test_without_locks_a_recording_in_progress_is_left_alone(tmp_path, monkeypatch) -> None:
    """However long no sample comes: the journal's time is what says that somebody is there."""
    refuse_locks(monkeypatch, errno.ENOLCK)
    save(tmp_path, counting(30))
    stream = FakeStream()
    with Recorder(stream, tmp_path, label="walking") as recorder:
        stream.block(5)
        await_true(lambda: recorder.n_samples)
        journal = tmp_path / "walking-002.journal"
        os.utime(journal, (0, 0))
        await_true(lambda: journal.stat().st_mtime)
        data = datasets.load(tmp_path)
        assert [r.name for r in data.recordings] == ["walking-001"]
        (note,) = data.notes
        assert "walking-002" in note and "no locks" in note and f"{BEAT_S:.0f} s" in note
        stream.block(5)
    assert recorder.recording.name == "walking-002" and len(recorder.recording) == 10


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from recording_cases import ABOUT, counting
from workshop_helpers.recordings.partial import PartialRecording
partial = PartialRecording(Path(sys.argv[2]), "walking", ABOUT)
partial.add(counting(30).tobytes())
partial.flush()
import os
os._exit(1)
"""


def test_without_locks_what_a_killed_process_left_is_recovered_later(tmp_path, monkeypatch) -> None:
    refuse_locks(monkeypatch, errno.ENOLCK)
    tests = os.path.dirname(__file__)
    subprocess.run([sys.executable, "-c", KILLED, tests, str(tmp_path)], timeout=60)
    with pytest.raises(DataError, match="no locks"):
        datasets.load(tmp_path)
    before_s = time.time() - BEAT_S - 1
    os.utime(tmp_path / "walking-001.journal", (before_s, before_s))
    data = datasets.load(tmp_path)
    assert len(data[0]) == 30 and "recovered" in data.notes[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "walking-001.json",
        "walking-001.npy",
    ]
