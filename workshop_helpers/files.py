"""Files on this laptop, written whole or not at all, and read by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path`, also with two writers at once; a reader sees the old file or the new.

    Missing folders are made. Raises OSError, and leaves nothing behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def sha256_of(path: Path, step: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file as hex, read in blocks; `step(size_bytes)` follows each. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            if step:
                step(len(block))
    return digest.hexdigest()
