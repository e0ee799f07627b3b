"""Recordings from a board's flash, into a folder on this laptop."""

from __future__ import annotations

import contextlib
import hashlib
import html
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..board.progress import ProgressOption, show_progress
from ..errors import DataError, FileError
from ..paths import recordings_folder
from ..text import is_plain_name, printable
from .layout import HEADER_BYTES
from .partial import PartialRecording
from .recording import Recording

if TYPE_CHECKING:
    from ..board import Board, DeviceFile

ON_BOARD = "/recorded"
_CHANNELS = 256
ENDINGS = (".npy", ".part")


@dataclass(frozen=True)
class FetchReport:
    """What came from a board. `skipped` were here already; `ignored`: can't be used, and why."""

    recordings: tuple[Recording, ...]
    skipped: tuple[str, ...]
    ignored: tuple[str, ...]
    size_bytes: int

    def __repr__(self) -> str:
        return (
            f"<FetchReport: {len(self.recordings)} recordings fetched ({self.size_bytes:,} bytes), "
            f"{len(self.skipped)} already here, {len(self.ignored)} ignored>"
        )

    def _repr_html_(self) -> str:
        lines = [repr(recording)[1:-1] for recording in self.recordings]
        lines += [f"{name}: already here" for name in self.skipped]
        lines += self.ignored
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        return f"<p>{html.escape(repr(self)[1:-1])}</p><ul>{items}</ul>"


def fetch_recordings(
    board: Board,
    folder: Path | str = "my_recordings",
    *,
    source: str = ON_BOARD,
    person: str | None = None,
    session: str | None = None,
    progress: ProgressOption = True,
    remove: bool = False,
) -> FetchReport:
    """Copy what the app `recorder` left on the board's flash, checked by SHA-256.

    A recording that was fetched before is skipped. One that a power cut left open is taken up to
    its last flush. What is on this laptop is never overwritten. Recordings of one run of the app
    are one session, so that a split by groups keeps them together.

    Args:
        board: connected, at its prompt.
        folder: a name under the learner's recordings, or a path.
        source: the folder on the board.
        person: who, for a split by groups.
        session: None: one for each run of the app, as the board named it.
        progress: True shows a bar over all files, a callback gets (done_bytes, total_bytes).
        remove: take from the board what has safely arrived.

    Raises:
        FileError, TransferError, BoardGoneError: as `Board.get`; what came before is kept.
        DataError: the folder here can't be written.
    """
    target = recordings_folder(folder)
    known = _fetched_before(target)
    recordings: list[Recording] = []
    skipped: list[str] = []
    ignored: list[str] = []
    size_bytes = 0
    files = _files(board, source)
    total_bytes, done_bytes = sum(file.size_bytes for file in files), 0
    with show_progress(progress, source, total_bytes) as step:
        for file in files:
            before = done_bytes
            done_bytes += file.size_bytes
            if not is_plain_name(file.name):
                ignored.append(f"{printable(file.name)!r}: no name for a file on every system")
                continue
            about = _sidecar(board, file)

            def shown(done: int, of_file: int, before: int = before) -> None:
                step(before + done, total_bytes)

            data = board.get(file.path, progress=shown)
            digest = f"{file.name} {hashlib.sha256(data).hexdigest()}"
            if digest in known:
                skipped.append(file.name)
            else:
                extra = {"person": person, "session": session, "fetched_as": digest}
                why = _take(target, file, data, about, extra, recordings)
                if why:
                    ignored.append(f"{file.name}: {why}")
                    continue
                known.add(digest)
                size_bytes += len(data)
            if remove:
                board.rm(file.path)
                if about is not None:
                    board.rm(_beside(file))
    return FetchReport(tuple(recordings), tuple(skipped), tuple(ignored), size_bytes)


def _fetched_before(folder: Path) -> set[str]:
    """Names and SHA-256 that the recordings here had on their board."""
    found = set()
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            found.add(str(json.loads(path.read_text(encoding="utf-8")).get("fetched_as")))
    return found


def _files(board: Board, source: str) -> list[DeviceFile]:
    try:
        found = board.ls(source)
    except FileError:
        raise FileError(
            f"The board has no folder {source}.",
            "Record something first: board.deploy(app='recorder', ...), then run it with to_flash.",
        ) from None
    return [f for f in found if not f.is_dir and f.name.endswith(ENDINGS)]


def _beside(file: DeviceFile) -> str:
    return file.path.rsplit(".", 1)[0] + ".json"


def _sidecar(board: Board, file: DeviceFile) -> dict[str, Any] | None:
    try:
        about = json.loads(board.get(_beside(file)))
    except (FileError, ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) else None


def _take(
    folder: Path,
    file: DeviceFile,
    data: bytes,
    about: dict[str, Any] | None,
    extra: dict[str, Any],
    recordings: list[Recording],
) -> str | None:
    """Write one recording; returns why it can't be used, None if it can."""
    if about is None:
        return "no readable .json beside it says its rate and units"
    try:
        label = about.get("label")
        if not isinstance(label, str | None):
            raise TypeError("the label is no text")
        session = about.get("session")
        if not isinstance(session, str | None):
            raise TypeError("the session is no text")
        kept = _checked(about)
        row_bytes = 2 * len(kept["channels"])
        n = (len(data) - HEADER_BYTES) // row_bytes
        if data[:6] != b"\x93NUMPY" or n < 1:
            return "it holds no sample"
        gaps = [(int(at), int(lost)) for at, lost in about.get("gaps", [])]
        # The .json of a file that was never closed may speak of samples that never got there.
        cut_short = file.name.endswith(".part") or about.get("samples") == 0
        if cut_short:
            gaps = [(at, lost) for at, lost in gaps if at < n]
        clocks = [(int(ticks), int(t_us)) for ticks, t_us in about.get("clocks", [])]
        if any(not 0 <= at <= n or lost < 0 for at, lost in gaps):
            raise ValueError("a gap lies outside")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return f"its .json is not as the app writes it ({error})"
    kept |= {
        "source": "flash",
        "fetched": datetime.now(UTC).isoformat("T", "seconds"),
    }
    kept |= {"cut_short": cut_short, **extra}
    kept["session"] = extra["session"] or session
    recording = write_recording(folder, label, kept, data[HEADER_BYTES:], row_bytes, gaps, clocks)
    recordings.append(recording)
    return None


def _checked(about: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a board's description; ValueError, TypeError or KeyError if it is none."""
    kept = {
        key: about[key]
        for key in ("rate_hz", "channels", "units_per_lsb", "channel_units", "sensor", "app")
    } | {"board": about.get("board")}
    channels, units, names = kept["channels"], kept["units_per_lsb"], kept["channel_units"]
    if not all(isinstance(part, list) and 0 < len(part) <= _CHANNELS for part in (channels, units)):
        raise ValueError("channels or units are no list")
    if not len(channels) == len(units) == len(names):
        raise ValueError("channels and units do not go together")
    if not all(math.isfinite(number) for number in (*units, kept["rate_hz"])):
        raise ValueError("a rate or unit is no number")
    if not kept["rate_hz"] > 0:
        raise ValueError("the rate is not above 0")
    # What JSON can't hold, or UTF-8 can't, could not be written beside the samples.
    json.dumps(
        [kept, about.get("label"), about.get("session")], ensure_ascii=False, allow_nan=False
    ).encode()
    return kept


def write_recording(
    folder: Path,
    label: str | None,
    about: dict[str, Any],
    raw: bytes,
    row_bytes: int,
    gaps: list[tuple[int, int]],
    clocks: list[tuple[int, int]],
) -> Recording:
    """Write samples that are all there as a recording. DataError if the disk does not let it."""
    try:
        partial = PartialRecording(folder, label, about)
        done = 0
        for at, lost in sorted(gaps):
            partial.add(raw[done * row_bytes : at * row_bytes])
            partial.gap(lost)
            done = at
        partial.add(raw[done * row_bytes : len(raw) // row_bytes * row_bytes])
        for ticks, t_us in clocks:
            partial.clock(ticks, t_us)
        partial.flush()
        recording = partial.finish()
    except OSError as error:
        raise DataError(
            f"{folder} can't be written: {error.strerror or error}.", "Make room on the disk."
        ) from error
    if recording is None:
        raise DataError("A recording without samples was written.")
    return recording
