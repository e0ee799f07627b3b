"""A recording while it is made: whatever ends the process, what was flushed becomes a recording.

`<name>.part` is the `.npy` file itself, but its header does not know yet how many samples follow.
`<name>.journal` has one JSON text a line: first what is known from the start, then changes of the
label, gaps, and now and then the board's clock. Finishing patches the header, gives the file its
real name, writes `<name>.json` and drops the journal; each step can be done again after a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from ..errors import DataError
from ..files import sha256_of
from .layout import (
    FORMAT,
    HEADER_BYTES,
    SUFFIXES,
    make_folder,
    next_name,
    npy_header,
    sync_folder,
    write_meta,
)
from .locking import BEAT_S, beats, try_lock
from .recording import Recording, read_recording
from .spans import spans_of

_MAY_LIVE = (
    "{} is left out: it may be being recorded, and this folder has no locks that would tell. "
    f"If its program is gone, load the folder again after {BEAT_S:.0f} s."
)


class PartialRecording:
    """Takes samples, labels and gaps as they come. Not for two threads at once.

    Args:
        folder: made if missing.
        label: of the first samples; names the file as well.
        about: rate_hz, channels, units_per_lsb, channel_units, and whatever else is known.

    Methods raise OSError when the disk is full or gone; then `finish` still keeps what was written.
    """

    def __init__(self, folder: Path, label: str | None, about: dict[str, Any]) -> None:
        make_folder(folder)
        self._folder = folder
        self._n_channels = len(about["channels"])
        self.n_samples = 0
        self.name, self._journal, self._is_locked = _new_journal(folder, label)
        self._part: IO[bytes] = open(folder / f"{self.name}.part", "xb")  # noqa: SIM115
        self._note({"format": FORMAT, "name": self.name, **about})
        self._part.write(npy_header(0, self._n_channels))
        if label:
            self.label(label)
        self.flush()
        sync_folder(folder)

    def add(self, block: bytes) -> None:
        """Whole samples, little-endian int16."""
        self._part.write(block)
        self.n_samples += len(block) // (2 * self._n_channels)

    def label(self, label: str | None, at: int | None = None) -> None:
        """The label from sample `at` (None: the next one) on."""
        self._note({"label": [self.n_samples if at is None else at, label]})

    def gap(self, length: int) -> None:
        """So many samples are missing before the next one; 0: nobody knows how many."""
        self._note({"gap": [self.n_samples, length]})

    def clock(self, ticks: int, t_us: int) -> None:
        """The board's time, us, when it had taken `ticks` samples, lost ones included."""
        self._note({"clock": [ticks, t_us]})

    def flush(self) -> None:
        """Down to the disk: the samples first, so that the journal speaks of nothing missing."""
        for file in (self._part, self._journal):
            file.flush()
            os.fsync(file.fileno())
        if not self._is_locked:
            os.utime(self._journal.name)

    def finish(self) -> Recording | None:
        """Close it and read it back as a recording; None if it holds no sample.

        Raises:
            DataError: the disk does not let it; what was flushed is kept for `recover`.
        """
        for file in (self._part, self._journal):
            with contextlib.suppress(OSError):
                file.flush()
        with contextlib.suppress(OSError):
            self._part.close()
        try:
            return _finish(self._folder, self.name)
        finally:
            with contextlib.suppress(OSError):
                self._journal.close()
            _tidy(self._folder, self.name)

    def _note(self, entry: dict[str, Any]) -> None:
        self._journal.write(json.dumps(entry).encode() + b"\n")


def recover(folder: Path | str, notes: list[str] | None = None) -> list[Recording]:
    """Make recordings of what killed processes left in a folder; those being made are left alone.

    A folder without locks does not tell the two apart for a minute, which `notes` are told.

    Raises:
        DataError: the disk does not let it; nothing is lost.
    """
    found = []
    for journal in sorted(Path(folder).glob("*.journal")):
        with contextlib.suppress(FileNotFoundError), open(journal, "rb+") as file:
            locked = try_lock(file)
            if locked is False:
                continue
            if locked is None and beats(journal):
                if notes is not None:
                    notes.append(_MAY_LIVE.format(journal.stem))
                continue
            recording = _finish(journal.parent, journal.stem, recovered=True)
            if recording is not None:
                found.append(recording)
        _tidy(journal.parent, journal.stem)
    return found


def _new_journal(folder: Path, label: str | None) -> tuple[str, IO[bytes], bool]:
    """A name of our own, its journal, and whether that is locked: not every folder can."""
    while True:
        name = next_name(folder, label)
        with contextlib.suppress(FileExistsError):  # somebody took it meanwhile
            file = open(folder / f"{name}.journal", "xb")  # noqa: SIM115
            locked = try_lock(file)
            if locked is False:
                raise DataError(f"{file.name} can't be locked.", "Record into another folder.")
            return name, file, locked is True


def _finish(folder: Path, name: str, recovered: bool = False) -> Recording | None:
    npy, meta, part, journal = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    try:
        if meta.exists():  # all was done but the tidying up
            return None
        entries = _entries(journal)
        if not entries or "channels" not in entries[0]:
            return None  # killed before the first flush
        if not _complete(part, npy, len(entries[0]["channels"])):
            return None
        n = (_size(npy) - HEADER_BYTES) // (2 * len(entries[0]["channels"]))
        about = _about(entries, n) | {"sha256": sha256_of(npy), "recovered": recovered}
        write_meta(meta, about)
        sync_folder(folder)
    except OSError as error:
        raise DataError(
            f"{name} can't be finished: {error.strerror or error}. What was recorded is kept in "
            f"{part if part.exists() else npy}.",
            f"Make room on the disk, then load the folder {folder.name} again.",
        ) from error
    return read_recording(npy)


def _complete(part: Path, npy: Path, n_channels: int) -> bool:
    """Patch the header and give the file its real name; False if there is no sample."""
    if npy.exists():
        return True
    n = (_size(part) - HEADER_BYTES) // (2 * n_channels)
    if n < 1:
        return False
    with open(part, "rb+") as file:
        file.write(npy_header(n, n_channels))
        file.truncate(HEADER_BYTES + 2 * n_channels * n)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, npy)
    return True


def _about(entries: list[dict[str, Any]], n_samples: int) -> dict[str, Any]:
    """The content of the file beside the samples, without the samples' own hash."""
    changes = [(int(e["label"][0]), e["label"][1]) for e in entries if "label" in e]
    gaps = [e["gap"] for e in entries if "gap" in e]
    clocks = [e["clock"] for e in entries if "clock" in e]
    return {
        **entries[0],
        "samples": n_samples,
        "rate_measured_hz": measured_rate_hz(clocks),
        "spans": [span.as_list() for span in spans_of(changes, n_samples)],
        # A gap before the first sample or after the last is none.
        "gaps": [[at, length] for at, length in gaps if 0 < at < n_samples],
    }


def measured_rate_hz(clocks: Iterable[tuple[int, int]], at_least_s: float = 2.0) -> float | None:
    """Samples a second between the first and the last look at the clock; None if too close.

    Looks are (samples taken until then, board time in us). Each is late by up to one block, which
    over a few seconds is a percent or two: a longer recording measures better.
    """
    runs: list[list[tuple[int, int]]] = []
    for look in clocks:
        if not runs or look[1] < runs[-1][-1][1]:  # the board's clock began again
            runs.append([])
        runs[-1].append((look[0], look[1]))
    if not runs:
        return None
    run = max(runs, key=lambda run: run[-1][1] - run[0][1])
    (first, t_first), (last, t_last) = run[0], run[-1]
    seconds = (t_last - t_first) / 1e6
    return round((last - first) / seconds, 4) if seconds >= at_least_s else None


def _entries(journal: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal; the last one may be torn."""
    entries = []
    for line in journal.read_bytes().split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            break
        entries.append(entry)
    return entries


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _tidy(folder: Path, name: str) -> None:
    """Remove what stood for the recording while it was made, once that is finished or empty."""
    _, meta, part, journal = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    if meta.exists() or (_size(part) <= HEADER_BYTES and not (folder / f"{name}.npy").exists()):
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
            journal.unlink(missing_ok=True)
