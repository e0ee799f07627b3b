"""What a board's own exceptions mean, as WorkshopErrors."""

from __future__ import annotations

import errno
import os
import re

from ..errors import (
    BoardError,
    DeviceError,
    DeviceMemoryError,
    FileError,
    FlashFullError,
    NoFileSystemError,
)

# Never by itself: it costs all files. The command is that of MicroPython's rp2/_boot.py.
_BROKEN = (
    "board.soft_reset() and look again; if it stays, save files with board.get(), then make the "
    "file system anew: `workshop flash --board ID` on Espressif boards; on an RP2 "
    "board.exec('import rp2, vfs; vfs.VfsLfs2.mkfs(rp2.Flash(), progsize=256)') and RESET."
)


def device_error(error: bytes | str) -> DeviceError:
    """The exception for a device traceback; its last line is the message."""
    text = error if isinstance(error, str) else error.decode("utf-8", "backslashreplace")
    text = text.replace("\r\n", "\n")
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "no message")
    kind = DeviceMemoryError if last.startswith("MemoryError") else DeviceError
    return kind(f"The board raised {last.strip()}", device_traceback=text)


def file_error(number: int, path: str) -> BoardError:
    """The exception for an errno that a file operation on the board ended with."""
    if number == errno.ENOSPC:
        return FlashFullError(f"The flash is full; {path} was not written.", path=path)
    if number == errno.ENODEV:
        return NoFileSystemError("The board has no file system mounted.", path=path)
    if number == errno.ENOENT:
        return FileError(f"There is no {path} on the board.", path=path, errno=number)
    if number in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        what = {
            errno.EISDIR: "is a directory",
            errno.ENOTDIR: "is not a directory",
            errno.EEXIST: "already exists",
        }[number]
        return FileError(f"{path} {what}.", path=path, errno=number)
    if number == errno.EIO:
        return FileError(f"The board can't read or write {path}.", _BROKEN, path=path, errno=number)
    if number == errno.EINVAL:
        return FileError(f"The board refuses the name {path!r}.", path=path, errno=number)
    name = errno.errorcode.get(number, str(number))
    return FileError(f"{path}: {os.strerror(number)} [{name}].", path=path, errno=number)


def as_file_error(error: DeviceError, path: str) -> BoardError:
    """A DeviceError that ended with an OSError, as a FileError; any other one as it is.

    The traceback is dropped: it goes through our own code on the board, not the user's.
    """
    lines = (error.device_traceback or "").strip().splitlines()
    match = re.match(r"OSError: (?:\[Errno )?(\d+)", lines[-1]) if lines else None
    return file_error(int(match.group(1)), path) if match else error
