"""Who writes a recording right now: a lock that the system takes back from a killed process.

Some network folders know no locks. There a file's time is what tells: its writer renews it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import IO

BEAT_S = 60.0  # a writer renews its file's time far more often


def try_lock(file: IO[bytes]) -> bool | None:
    """Lock an open file for this process and this handle; False if somebody has it, None if this
    file system knows no locks.

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
    except (BlockingIOError, PermissionError):  # EWOULDBLOCK; EACCES on Windows and SMB
        return False
    except OSError:  # ENOLCK, ENOTSUP, ENOSYS; EINVAL on Windows
        return None
    return True


def beats(path: Path) -> bool:
    """Whether a file's time was renewed within `BEAT_S`, by the clock of its file system."""
    with tempfile.TemporaryFile(dir=path.parent) as now:
        return os.fstat(now.fileno()).st_mtime - path.stat().st_mtime < BEAT_S
