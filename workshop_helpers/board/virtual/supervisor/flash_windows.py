"""The files of a board on Windows. Written against the documentation; not tried.

The interpreter has no LittleFS there, so a folder stands in for the flash: no size, never full.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile


class Flash:
    """A folder; one of its own that ends with it if no path is given."""

    def __init__(self, path: str | None, size_bytes: int) -> None:
        self.folder = path or tempfile.mkdtemp(prefix="virtual_board_")
        self._thrown_away = path is None
        os.makedirs(self.folder, exist_ok=True)
        self.unique_id = hashlib.sha256(self.folder.encode()).digest()[:8]

    def close(self) -> None:
        if self._thrown_away:
            shutil.rmtree(self.folder, ignore_errors=True)
