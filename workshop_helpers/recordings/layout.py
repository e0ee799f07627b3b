"""How a recording lies in its folder: names, the `.npy` header, and the file beside it.

    <name>.npy   int16 [n_samples, n_channels], as the sensor counted
    <name>.json  everything else: rate, units, labels, gaps, who and what (see `Recording`)

While it is being made, and after a crash, `<name>.part` and `<name>.journal` stand for the two
(see `partial`). The `.json` comes last: a `.npy` without it is not finished yet.
"""

from __future__ import annotations

import io
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..files import write_whole
from ..text import is_plain_name

FORMAT = 1
SUFFIXES = (".npy", ".json", ".part", ".journal")
HEADER_BYTES = 128


def npy_header(n_samples: int, n_channels: int) -> bytes:
    """Header of int16 [n_samples, n_channels]; as long for any number of samples."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<i2", "fortran_order": False, "shape": (n_samples, n_channels)}
    )
    header = buffer.getvalue()
    if len(header) != HEADER_BYTES:  # NumPy leaves room for any number that fits 64 bits
        raise DataError(f"{n_channels} channels are too many for one recording.")
    return header


def slug(text: str | None) -> str:
    """A label as the beginning of a file name, on any system."""
    plain = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]
    return name if is_plain_name(name) else "recording"


def next_name(folder: Path, label: str | None) -> str:
    """A name that no file in the folder has yet: `walking-001`, `walking-002`, ..."""
    base = slug(label)
    taken = [
        int(match[1])
        for path in folder.glob(f"{base}-*")
        if (match := re.fullmatch(rf"{re.escape(base)}-(\d+)", path.name.partition(".")[0]))
    ]
    return f"{base}-{max(taken, default=0) + 1:03d}"


def make_folder(folder: Path) -> None:
    """Raises DataError if it can't be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"The folder {folder} can't be made: {error.strerror or error}.",
            "Name another one, or let WORKSHOP_RECORDINGS name a folder that you may write.",
        ) from error


def write_meta(path: Path, meta: dict[str, Any]) -> None:
    """Write the file beside a recording, whole. Raises OSError."""
    write_whole(path, (json.dumps(meta, indent=1, ensure_ascii=False) + "\n").encode())


def sync_folder(folder: Path) -> None:
    """Make new names last through a power cut, where the system has a way to."""
    if hasattr(os, "O_DIRECTORY"):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
