"""The flash chip's file, on Linux and macOS."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import sys
import tempfile

from .config import BLOCK_BYTES, MAX_FLASH_BYTES, FlashInUseError, NotAFlashError

assert sys.platform != "win32"

_LOOK_BYTES = 1 << 20
_MAGIC = slice(8, 16)  # of LittleFS, in the first block, the second one, or both


class Flash:
    """An open flash file, locked for as long as it is open.

    A file that is there keeps its size, whatever size is asked for: its file system fills it.
    Raises FlashInUseError; NotAFlashError for a file that holds something else; OSError.
    """

    def __init__(self, path: str | None, size_bytes: int) -> None:
        if path is None:
            with tempfile.TemporaryFile(prefix="virtual_board_") as file:
                self.fd = _above_standard(file.fileno())
            self.unique_id = os.urandom(8)
        else:
            self.fd = -1
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(fd)
                _check(fd)
                self.fd = _above_standard(fd)
            finally:
                os.close(fd)
            real = os.path.realpath(path)
            self.unique_id = hashlib.sha256(real.encode("utf-8", "surrogatepass")).digest()[:8]
        if os.fstat(self.fd).st_size == 0:
            try:
                _erase(self.fd, size_bytes // BLOCK_BYTES)
            except OSError:
                os.ftruncate(self.fd, 0)
                raise

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _check(fd: int) -> None:
    """NotAFlashError unless it is empty, erased, or a LittleFS in whole blocks."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise NotAFlashError("it is not a file")
    if status.st_size % BLOCK_BYTES:
        raise NotAFlashError(f"its size is not a multiple of {BLOCK_BYTES} bytes")
    if status.st_size > MAX_FLASH_BYTES:
        raise NotAFlashError(f"it is larger than {MAX_FLASH_BYTES >> 20} MiB")
    heads = [os.pread(fd, _MAGIC.stop, at) for at in (0, BLOCK_BYTES)]
    if not any(head[_MAGIC] == b"littlefs" for head in heads) and not _is_erased(fd):
        raise NotAFlashError("it holds no LittleFS file system")


def _is_erased(fd: int) -> bool:
    start = 0
    while data := os.pread(fd, _LOOK_BYTES, start):
        if data.strip(data[:1]) or data[:1] not in b"\xff\0":
            return False
        start += len(data)
    return True


def _erase(fd: int, n_blocks: int) -> None:
    """Written, not left as a hole: a full disk is found now and not by a crash of the board."""
    for _ in range(n_blocks):
        if os.write(fd, b"\xff" * BLOCK_BYTES) != BLOCK_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _above_standard(fd: int) -> int:
    """A copy of `fd` out of the way of the numbers that the interpreter gets (0 to 5)."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise FlashInUseError from None
