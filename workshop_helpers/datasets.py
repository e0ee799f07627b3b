"""Data sets: those in data/, checked before use (origin and licence: data/README.md), and folders
of the learner's own recordings."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .paths import DATA, recordings_dir, recordings_folder

if TYPE_CHECKING:
    from .recordings import RecordingSet

# SHA-256 of each file, as its extract script prints it.
_SHA256 = {
    "basic_motions": "2ee6a920aad46cf3949db6fabecfa4e9f6c8f92d46dae8978e9dc3d72ed8871f",
}


@dataclass(frozen=True)
class Pieces:
    """Runs of samples to cut windows from; no window spans two of them.

    `samples`: int16 [n_samples, n_channels] each, of any length; for each its label, str [n], and
    the index of its recording, intp [n].
    """

    samples: list[NDArray[np.int16]]
    labels: NDArray[np.str_]
    recording: NDArray[np.intp]


@dataclass(frozen=True)
class Dataset:
    """Recordings of one sensor, all of one length.

    `samples` int16 [n_recordings, n_samples, n_channels] in sensor counts; `labels`, `ids` and
    `split` ("train" or "test") are str [n_recordings]. `samples * units_per_lsb` is the physical
    value in `channel_units`, one factor float64 and one unit for each channel.
    """

    name: str
    samples: NDArray[np.int16]
    labels: NDArray[np.str_]
    ids: NDArray[np.str_]
    split: NDArray[np.str_]
    rate_hz: float
    channels: tuple[str, ...]
    units_per_lsb: NDArray[np.float64]
    channel_units: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def duration_s(self) -> float:
        """Length of one recording."""
        return float(self.samples.shape[1] / self.rate_hz)

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(str(label) for label in np.unique(self.labels))

    def pieces(self) -> Pieces:
        """Each recording is one piece."""
        return Pieces(list(self.samples), self.labels, np.arange(len(self), dtype=np.intp))

    def part(self, split: str) -> Dataset:
        """Only the recordings of "train" or of "test"."""
        keep = self.split == split
        if not keep.any():
            raise DataError(f"{self.name} has no part {split!r}.", "Use 'train' or 'test'.")
        return replace(
            self,
            samples=self.samples[keep],
            labels=self.labels[keep],
            ids=self.ids[keep],
            split=self.split[keep],
        )

    def replay_files(self, seconds: float | None = None) -> dict[str, bytes]:
        """The first recording of each class for the replay sensor: path on the board -> `.npy`.

        `seconds`: only so much of each; None for all of it.
        """
        n_samples = None if seconds is None else round(seconds * self.rate_hz)
        first = {label: self.labels.tolist().index(label) for label in self.classes}
        return {
            f"/recordings/{label.lower()}.npy": to_npy(self.samples[row, :n_samples])
            for label, row in first.items()
        }

    def replay_settings(self) -> dict[str, Any]:
        """What the app `recorder` must be told with `replay_files`: rate, channels, units."""
        return replay_settings(self)

    def __repr__(self) -> str:
        n_recordings, _, n_channels = self.samples.shape
        return (
            f"<Dataset {self.name}: {n_recordings} recordings of {self.duration_s:g} s, "
            f"{n_channels} channels at {self.rate_hz:g} Hz, classes {', '.join(self.classes)}>"
        )


@overload
def load(name: Literal["basic_motions"] = ...) -> Dataset: ...
@overload
def load(name: str | Path) -> Dataset | RecordingSet: ...
def load(name: str | Path = "basic_motions") -> Dataset | RecordingSet:
    """Load a data set that is part of the workshop, or a folder of your own recordings.

    `name`: "basic_motions"; or a folder in `notebooks/recordings` (WORKSHOP_RECORDINGS), or the
    path of one elsewhere.

    Raises:
        DataError: no such data set or folder; a file is missing or damaged; or the recordings of
            the folder can't be mixed, since they differ in rate, channels or units.
    """
    if name not in _SHA256:
        return _own(name)
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


def _own(name: str | Path) -> RecordingSet:
    from .recordings import load_set

    folder = recordings_folder(name)
    if folder.is_dir():
        return load_set(folder)
    own = recordings_dir()
    there = sorted(path.name for path in own.iterdir() if path.is_dir()) if own.is_dir() else []
    raise DataError(
        f"There is no data set {str(name)!r}.",
        f"Choose one of: {', '.join([*_SHA256, *there])}; or the path of a folder of recordings.",
    )


def replay_settings(data: Dataset | RecordingSet) -> dict[str, Any]:
    """Rate, channels and units as an app's settings: the replay sensor has only the samples."""
    return {
        "rate_hz": data.rate_hz,
        "channel_names": list(data.channels),
        "channel_units": list(data.channel_units),
        "units_per_lsb": [float(units) for units in data.units_per_lsb],
    }


def to_npy(samples: NDArray[np.int16]) -> bytes:
    """One recording int16 [n_samples, n_channels] as the `.npy` file that the replay sensor plays.

    Raises:
        DataError: another type or shape.
    """
    if samples.dtype != np.int16 or samples.ndim != 2:
        raise DataError(
            f"A recording to replay is int16 [n_samples, n_channels], this is {samples.dtype} "
            f"with shape {samples.shape}.",
            "Give one recording of a data set: to_npy(data.samples[0]).",
        )
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(samples, dtype="<i2"), version=(1, 0))
    return buffer.getvalue()


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
        units_per_lsb=np.array(meta["units_per_lsb"], dtype=np.float64),
        channel_units=tuple(meta["channel_units"]),
        meta=meta,
    )
