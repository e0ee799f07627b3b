"""The flash chip's file, on Linux and macOS."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import sys
import tempfile

from .config import FlashInUseError

assert sys.platform != "win32"

BLOCK_BYTES = 4096


class Flash:
    """An open flash file, locked for as long as it is open.

    A file that is there keeps its size, whatever size is asked for: its file system fills it.
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
                self.fd = _above_standard(fd)
            finally:
                os.close(fd)
            real = os.path.realpath(path)
            self.unique_id = hashlib.sha256(real.encode("utf-8", "surrogatepass")).digest()[:8]
        if os.fstat(self.fd).st_size < BLOCK_BYTES:
            _erase(self.fd, size_bytes // BLOCK_BYTES)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _erase(fd: int, n_blocks: int) -> None:
    """Written, not left as a hole: a full disk is found now and not by a crash of the board."""
    os.lseek(fd, 0, os.SEEK_SET)
    os.ftruncate(fd, 0)
    for _ in range(n_blocks):
        if os.write(fd, b"\xff" * BLOCK_BYTES) != BLOCK_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _above_standard(fd: int) -> int:
    """A copy of `fd` out of the way of the numbers that the interpreter gets (0 to 5)."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise FlashInUseError from None
