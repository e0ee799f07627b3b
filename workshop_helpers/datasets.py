"""The recordings in data/, checked before use. Their origin and licence: data/README.md."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .paths import DATA

# SHA-256 of each file, as its extract script prints it.
_SHA256 = {
    "basic_motions": "e27ac5cc5c8e3e920f3e51d965e5edeb8b27de3730cda31b15b48cfd0f252901",
}


@dataclass(frozen=True)
class Dataset:
    """Recordings of one sensor, all of one length.

    `samples` int16 [n_recordings, n_samples, n_channels] in sensor counts; `labels`, `ids` and
    `split` ("train" or "test") are str [n_recordings]. `samples * units_per_lsb` is the physical
    value, one factor for each channel.
    """

    name: str
    samples: NDArray[np.int16]
    labels: NDArray[np.str_]
    ids: NDArray[np.str_]
    split: NDArray[np.str_]
    rate_hz: float
    channels: tuple[str, ...]
    units_per_lsb: tuple[float, ...]
    meta: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(str(label) for label in np.unique(self.labels))

    def part(self, split: str) -> Dataset:
        """Only the recordings of "train" or of "test"."""
        keep = self.split == split
        if not keep.any():
            raise DataError(f"{self.name} has no part {split!r}.", "Use 'train' or 'test'.")
        return Dataset(
            self.name, self.samples[keep], self.labels[keep], self.ids[keep], self.split[keep],
            self.rate_hz, self.channels, self.units_per_lsb, self.meta,
        )  # fmt: skip

    def npy(self, index: int) -> bytes:
        """One recording as a `.npy` file, int16 [n_samples, n_channels], for the replay sensor."""
        buffer = io.BytesIO()
        samples = np.ascontiguousarray(self.samples[index].astype("<i2"))
        np.lib.format.write_array(buffer, samples, version=(1, 0))
        return buffer.getvalue()

    def __repr__(self) -> str:
        n_recordings, n_samples, n_channels = self.samples.shape
        return (
            f"<Dataset {self.name}: {n_recordings} recordings of {n_samples / self.rate_hz:g} s, "
            f"{n_channels} channels at {self.rate_hz:g} Hz, classes {', '.join(self.classes)}>"
        )


def load(name: str = "basic_motions") -> Dataset:
    """Load a data set that is part of the workshop.

    Raises:
        DataError: no such data set, or its file is missing or damaged.
    """
    if name not in _SHA256:
        raise DataError(f"There is no data set {name!r}.", f"Choose one of: {', '.join(_SHA256)}.")
    path = DATA / f"{name}.npz"
    mend = "Get the file again: `git checkout -- data`, or unpack the workshop's archive anew."
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"data/{path.name} can't be read: {error}", mend) from error
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise DataError(f"data/{path.name} is damaged: its SHA-256 is not the known one.", mend)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return _dataset(name, {key: arrays[key] for key in arrays.files})
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"data/{path.name} is not laid out as expected: {error}", mend) from error


def _dataset(name: str, arrays: dict[str, NDArray[Any]]) -> Dataset:
    meta = json.loads(arrays["meta"].item())
    samples = arrays["samples"].astype(np.int16, copy=False)
    for array in (samples, arrays["labels"], arrays["ids"], arrays["split"]):
        array.setflags(write=False)
    return Dataset(
        name=name,
        samples=samples,
        labels=arrays["labels"],
        ids=arrays["ids"],
        split=arrays["split"],
        rate_hz=float(meta["rate_hz"]),
        channels=tuple(meta["channels"]),
        units_per_lsb=tuple(meta["units_per_lsb"]),
        meta=meta,
    )
