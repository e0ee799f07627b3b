"""Files on the board: whole or not at all.

A copy goes to a temporary name in the same directory, is checked by SHA-256 on the board, and only
then takes its real name.
"""

from __future__ import annotations

import errno
import hashlib
import posixpath
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DeviceError, FileError, FlashFullError, TransferError, WorkshopError
from ..files import write_whole
from ..text import is_plain_name
from . import transfer
from .device_errors import as_file_error
from .progress import ProgressOption, show_progress
from .snippets import ask
from .transport import BoardTransport

PART_NAME = ".part.tmp"  # one a directory: the next copy overwrites a leftover
_MARGIN_BLOCKS = 2  # LittleFS copies directory blocks on write
_NAME_ONE = "Name a file in a folder that you may write."
_ENCODE = " For text use b'...' or text.encode()."
_PUT_BYTES, _GET_BYTES = 2048, 4096  # beyond these it hardly gets faster


@dataclass(frozen=True)
class DeviceFile:
    """A file or directory on the board."""

    path: str
    is_dir: bool
    size_bytes: int

    @property
    def name(self) -> str:
        return posixpath.basename(self.path)


@dataclass(frozen=True)
class PutReport:
    """What `put` did. `skipped`: the board had the same file already."""

    path: str
    size_bytes: int
    skipped: bool
    seconds: float
    sha256: str

    def __repr__(self) -> str:
        if self.skipped:
            return f"<{self.path}: unchanged, {self.size_bytes} bytes>"
        return f"<{self.path}: {self.size_bytes} bytes in {self.seconds:.2f} s>"


def absolute(path: str) -> str:
    """A device path from the root, without `.` and `..`. Raises FileError for no name at all."""
    if not path or "\0" in path:
        raise FileError(f"{path!r} is not a path on a board.", "Use a name like '/main.py'.")
    return posixpath.normpath("/" + path.replace("\\", "/").lstrip("/"))


def list_files(transport: BoardTransport, path: str, recursive: bool) -> list[DeviceFile]:
    """The entries of a directory, sorted by path; a file gives itself."""
    found = _ask(transport, path, "list_files", path, recursive)
    entries = [DeviceFile(str(name), bool(is_dir), int(size)) for name, is_dir, size in found]
    return sorted(entries, key=lambda entry: entry.path)


def exists(transport: BoardTransport, path: str) -> bool:
    return bool(_ask(transport, path, "exists", path))


def make_dirs(transport: BoardTransport, path: str) -> None:
    _ask(transport, path, "make_dirs", path)


def remove(transport: BoardTransport, path: str, recursive: bool) -> int:
    """Remove a file, or a directory (with all in it if `recursive`); the number removed."""
    return int(_ask(transport, path, "remove", path, recursive, timeout_s=60.0))


def _ask(
    transport: BoardTransport, path: str, name: str, *arguments: object, timeout_s: float = 10.0
) -> Any:
    try:
        return ask(transport, name, *arguments, timeout_s=timeout_s)
    except DeviceError as error:
        raise as_file_error(error, path) from None


def put(
    transport: BoardTransport,
    source: Path | str | bytes,
    path: str,
    progress: ProgressOption = False,
) -> PutReport:
    """Copy a host file (or bytes) to the board. See `Board.put`."""
    started = time.monotonic()
    path, folder_wanted = absolute(path), path.endswith("/")
    data = source if isinstance(source, bytes) else _read_host_file(source)
    digest = hashlib.sha256(data).hexdigest()
    for _ in range(2):
        if folder_wanted:
            if isinstance(source, bytes):
                raise FileError(f"{path} is a directory; bytes have no name of their own.")
            path = posixpath.join(path, Path(source).name)
        folder = posixpath.dirname(path)
        part = posixpath.join(folder, PART_NAME)
        there = _ask(transport, path, "before_put", path, part)
        folder_wanted = bool(there["is_dir"])
        if not folder_wanted:
            break
    if there["size"] == len(data) and transfer.sha256(transport, path, len(data)) == digest:
        return PutReport(path, len(data), True, time.monotonic() - started, digest)
    _check_space(path, len(data), there)
    if there["missing_dirs"]:
        make_dirs(transport, folder)
    block_bytes = _block_bytes(there["heap_free"], _PUT_BYTES)
    try:
        with show_progress(progress, path, len(data)) as step:
            transfer.write(transport, part, data, block_bytes, step)
        if _digest(transport, part, len(data), block_bytes) != digest:
            raise TransferError(f"What arrived as {path} is not what was sent.", path=path)
        _ask(transport, path, "after_put", part, path, timeout_s=20.0)
    except BaseException as error:
        _clean_up(transport, transfer.abandon, lambda board: ask(board, "remove", part, False))
        if isinstance(error, DeviceError):
            raise as_file_error(error, path) from None
        raise
    return PutReport(path, len(data), False, time.monotonic() - started, digest)


def _read_host_file(source: Path | str) -> bytes:
    path = Path(source)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        # A long text as a name, or a NUL in it, is no file either.
        if isinstance(error, OSError) and error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            reason = error.strerror or str(error)
            raise FileError(f"{path} can't be read here: {reason}.", "Check its name.") from None
    text = str(source)
    mend = "Check its name."
    if isinstance(source, str):  # perhaps it was meant as the content
        mend += f" For text use b'...' or {text!r}.encode()." if len(text) <= 20 else _ENCODE
    short = text if len(text) <= 60 else f"{text[:57]}..."
    raise FileError(f"There is no file {short!r} on this computer.", mend)


def _digest(transport: BoardTransport, path: str, size_bytes: int, block_bytes: int) -> str:
    """SHA-256 of a file on the board, computed there, or here from what it sends back."""
    digest = transfer.sha256(transport, path, size_bytes)
    if digest is None:
        data = transfer.read(transport, path, size_bytes, block_bytes, lambda done, total: None)
        digest = hashlib.sha256(data).hexdigest()
    return digest


def _clean_up(transport: BoardTransport, *steps: Callable[[BoardTransport], object]) -> None:
    """After a failure, if the board still answers; else the next copy does it."""
    for step in steps:
        if transport.in_step:
            with suppress(WorkshopError):
                step(transport)


def _check_space(path: str, size_bytes: int, there: dict[str, Any]) -> None:
    """LittleFS holds the old file and the new one until the rename; so must the flash."""
    free, block = there["free"], there["block"]
    if free is None:
        return
    pointers = 8 * (size_bytes // block)
    blocks = -(-(size_bytes + pointers) // block) + _MARGIN_BLOCKS + 2 * there["missing_dirs"]
    missing = blocks * block - free
    if missing > 0:
        replaces = " (the old file stays until the new one is complete)" if there["size"] else ""
        raise FlashFullError(
            f"{path} needs {blocks * block} bytes of flash, {free} are free: "
            f"{missing} bytes are missing{replaces}. Nothing was written.",
            path=path,
            missing_bytes=missing,
            free_bytes=free,
            size_bytes=size_bytes,
        )


def _block_bytes(heap_free: int | None, most: int) -> int:
    """How much of a file goes in one step; as a literal it takes about ten times that in heap."""
    if heap_free is None:
        return 256
    return min(most, max(256, 1 << (max(1, heap_free // 40).bit_length() - 1)))


def get(
    transport: BoardTransport,
    path: str,
    target: Path | None = None,
    progress: ProgressOption = False,
) -> bytes:
    """Copy a file from the board. See `Board.get`."""
    path = absolute(path)
    found = list_files(transport, path, False)
    if len(found) != 1 or found[0].is_dir or found[0].path != path:
        raise FileError(f"{path} is a directory.", "Name a file; board.ls() shows them.", path=path)
    size = found[0].size_bytes
    block_bytes = _block_bytes(ask(transport, "heap_free"), _GET_BYTES)
    try:
        with show_progress(progress, path, size) as step:
            data = transfer.read(transport, path, size, block_bytes, step)
    except BaseException:
        _clean_up(transport, transfer.abandon)
        raise
    if _digest(transport, path, size, block_bytes) != hashlib.sha256(data).hexdigest():
        raise TransferError(f"What arrived from {path} is not what the board has.", path=path)
    if target is not None:
        _write_host_file(Path(target), posixpath.basename(path), data)
    return data


def _write_host_file(target: Path, name: str, data: bytes) -> None:
    """Atomic. Into a directory only under a plain name: a board's names are not trusted."""
    if target.is_dir():
        if not is_plain_name(name):
            raise FileError(f"{name!r} is no name for a file here.", "Name the target file.")
        target = target / name
    try:
        write_whole(target, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{target} can't be written here: {reason}.", _NAME_ONE) from None
