"""Who writes a recording right now: a lock that the system takes back from a killed process."""

from __future__ import annotations

import sys
from typing import IO


def try_lock(file: IO[bytes]) -> bool:
    """Lock an open file for this process and this handle; False if somebody has it.

    It ends with the handle. On Windows, where it was not tried yet, one byte far behind the end is
    locked, so that the content can still be read.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            at = file.tell()
            file.seek(1 << 30)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            finally:
                file.seek(at)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
