"""Recordings from a board's flash, into a folder on this laptop."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..board.progress import ProgressOption, show_progress
from ..errors import BadAnswerError, FileError, TransferError
from ..paths import recordings_folder
from ..text import counted, is_plain_name, printable
from .arriving import take
from .recording import Recording

if TYPE_CHECKING:
    from ..board import Board, DeviceFile

ON_BOARD = "/recorded"
_TRIES = 3
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
            f"<FetchReport: {counted(len(self.recordings), 'recording')} fetched "
            f"({self.size_bytes:,} bytes), "
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

    A recording that was fetched before is skipped. What arrives damaged is asked for again, up to
    three times. A file that a power cut left open is taken up to its last flush. What is on this
    laptop is never overwritten. Recordings of one run of the app are one session, so that a split
    by groups keeps them together.

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
            origin = _origin(file, about)
            if origin in known and not remove:
                skipped.append(file.name)
                step(done_bytes, total_bytes)
                continue

            def shown(done: int, of_file: int, before: int = before) -> None:
                step(before + done, total_bytes)

            data = _get(board, file.path, shown)
            digest = f"{file.name} {hashlib.sha256(data).hexdigest()}"
            if digest in known:
                skipped.append(file.name)
            else:
                extra = {"person": person, "session": session, "fetched_as": digest}
                extra["fetched_from"] = origin
                why = take(target, file.name, data, about, extra, recordings)
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
    """What the recordings here were on their boards: names with SHA-256, and origins."""
    found = set()
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            about = json.loads(path.read_text(encoding="utf-8"))
            found |= {str(about.get(key)) for key in ("fetched_as", "fetched_from")}
    return found


def _origin(file: DeviceFile, about: dict[str, Any] | None) -> str | None:
    """What names a closed file of one run, which never changes any more; None for others."""
    session, samples = (about or {}).get("session"), (about or {}).get("samples")
    if not session or not isinstance(session, str) or type(samples) is not int or samples < 1:
        return None
    return f"{session} {file.name} {samples}"


def _get(board: Board, path: str, progress: ProgressOption = False) -> bytes:
    for _ in range(_TRIES - 1):
        with contextlib.suppress(TransferError, BadAnswerError):
            return board.get(path, progress=progress)
    return board.get(path, progress=progress)


def _files(board: Board, source: str) -> list[DeviceFile]:
    try:
        found = board.ls(source)
    except FileError as error:
        if error.data.get("errno") != errno.ENOENT:
            raise
        raise FileError(
            f"The board has no folder {source}.",
            "Record something first: board.deploy(app='recorder', ...), then run it with to_flash.",
        ) from None
    return [f for f in found if not f.is_dir and f.name.endswith(ENDINGS)]


def _beside(file: DeviceFile) -> str:
    return file.path.rsplit(".", 1)[0] + ".json"


def _sidecar(board: Board, file: DeviceFile) -> dict[str, Any] | None:
    try:
        about = json.loads(_get(board, _beside(file)))
    except TransferError:
        raise
    except (FileError, ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) else None
