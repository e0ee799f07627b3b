"""Windows and features on the laptop, computed by the very files that run on the board."""

from __future__ import annotations

import importlib.util
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .datasets import Pieces
from .errors import FeatureError
from .paths import DEVICE_SCRIPTS

Samples = NDArray[np.int16] | Sequence[NDArray[np.int16]]

# Two seconds at 10 Hz, and an answer every half second.
WINDOW, HOP = 20, 5


@cache
def device_module(name: str) -> ModuleType:
    """A file of device_scripts/lib as a Python module, by its path (`windower`, ...).

    Training and board thereby share one file: there is no second copy that could differ.
    """
    path = DEVICE_SCRIPTS / "lib" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"workshop_device_{name}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise FeatureError(f"There is no device library {name!r}.", "Look into device_scripts/lib.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def feature_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Names of the features, in the order of `extract`'s columns."""
    names: tuple[str, ...] = device_module("motion_features").feature_names(channels)
    return names


def features_id() -> str:
    """Names the definition of the features; a model carries it and the board compares it."""
    return str(device_module("motion_features").FEATURES_ID)


def windows(
    samples: Samples, window: int = WINDOW, hop: int = HOP
) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """Cut recordings into windows.

    Args:
        samples: int16 [n_recordings, n_samples, n_channels], or one recording [n_samples, ...],
            or a list of recordings of any lengths, [n_samples, n_channels] each.
        window: length in samples.
        hop: distance of two windows in samples.

    Returns:
        int16 [n, window, n_channels], and for each window the index of its recording, intp [n].
        A window never spans two recordings.

    Raises:
        FeatureError: samples are not int16, or have another shape; window or hop is no length.
    """
    _check_lengths(window, hop)
    recordings = _checked(samples)
    n_channels = recordings[0].shape[1]
    windower = device_module("windower").Windower(n_channels, window, hop)
    cut: list[array[int]] = []
    owner: list[int] = []
    for index, recording in enumerate(recordings):
        windower.reset()
        block = array("h", recording.tobytes())
        n_samples = len(recording)
        start = 0
        while start < n_samples:
            start = windower.push(block, start, n_samples)
            if windower.ready:
                cut.append(windower.data[:])
                owner.append(index)
    rows = np.array(cut, dtype=np.int16).reshape(-1, window, n_channels)
    return rows, np.array(owner, dtype=np.intp)


def extract(
    samples: Samples, window: int = WINDOW, hop: int = HOP
) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """Features of every window of every recording, cut as `windows` does.

    Returns:
        X int16 [n, n_features], and the index of the recording of each row, intp [n]
        (so `y = labels[index]`, and `groups=index` keeps a recording in one fold).

    Raises what `windows` raises.
    """
    rows, owner = windows(samples, window, hop)
    n_channels = rows.shape[2]
    features = device_module("motion_features").MotionFeatures(n_channels, window)
    X = np.empty((len(rows), len(features.out)), dtype=np.int16)
    for index, row in enumerate(rows):
        X[index] = features.compute(array("h", row.tobytes()))
    return X, owner


@dataclass(frozen=True)
class FeatureSet:
    """Features ready for scikit-learn, and what a model must know to be given the same ones.

    `X` int16 [n, n_features]; `y` str [n]; `recording` intp [n], the index of the recording of
    each row in the data set (`groups=` for a split that keeps a recording together).
    """

    X: NDArray[np.int16]
    y: NDArray[np.str_]
    recording: NDArray[np.intp]
    names: tuple[str, ...]
    window: int
    hop: int
    rate_hz: float
    channels: tuple[str, ...]
    units_per_lsb: tuple[float, ...]
    channel_units: tuple[str, ...]

    def metadata(self) -> dict[str, Any]:
        """What travels with the model; the app on the board refuses a model that differs."""
        return {
            "features_id": features_id(),
            "window": self.window,
            "hop": self.hop,
            "rate_hz": self.rate_hz,
            "channels": list(self.channels),
            "units_per_lsb": list(self.units_per_lsb),
            "channel_units": list(self.channel_units),
        }

    def __repr__(self) -> str:
        return (
            f"<FeatureSet: {len(self.X)} windows of {self.window} samples "
            f"({self.window / self.rate_hz:g} s), {len(self.names)} features>"
        )


class Pieced(Protocol):
    """What features are made of: a `Dataset`, a `RecordingSet`, or anything else that has these."""

    @property
    def rate_hz(self) -> float: ...
    @property
    def channels(self) -> tuple[str, ...]: ...
    @property
    def units_per_lsb(self) -> NDArray[np.float64]: ...
    @property
    def channel_units(self) -> tuple[str, ...]: ...
    def pieces(self) -> Pieces: ...


def motion_features(data: Pieced, window: int = WINDOW, hop: int = HOP) -> FeatureSet:
    """Features of every window of a data set, see `extract`.

    `data`: what `datasets.load` gives, recordings of the learner's own as well; no window spans
    two recordings, a gap, or a change of label.

    Raises:
        FeatureError: no piece of it is as long as a window, or window or hop is no length.
    """
    _check_lengths(window, hop)
    pieces = data.pieces()
    longest = max(map(len, pieces.samples), default=0)
    if longest < window:
        raise FeatureError(
            f"No window of {window} samples fits: the longest labelled piece has {longest}.",
            "Record longer, label more of it, or take a shorter window.",
        )
    X, piece = extract(pieces.samples, window, hop)
    return FeatureSet(
        X=X,
        y=pieces.labels[piece],
        recording=pieces.recording[piece],
        names=feature_names(data.channels),
        window=window,
        hop=hop,
        rate_hz=data.rate_hz,
        channels=data.channels,
        units_per_lsb=tuple(float(units) for units in data.units_per_lsb),
        channel_units=data.channel_units,
    )


def _check_lengths(window: int, hop: int) -> None:
    most = device_module("motion_features").MAX_WINDOW
    if type(window) is not int or type(hop) is not int or not 2 <= window <= most or hop < 1:
        raise FeatureError(
            f"window={window!r}, hop={hop!r}: they are whole numbers of samples.",
            f"A window has 2 to {most} samples, a hop 1 or more.",
        )


def _checked(samples: Samples) -> list[NDArray[np.int16]]:
    """Recordings [n_samples, n_channels] each, at least one."""
    if isinstance(samples, np.ndarray):
        if samples.ndim not in (2, 3):
            raise FeatureError(
                f"Samples have {samples.ndim} dimensions.",
                "Give [n_recordings, n_samples, n_channels] or one recording.",
            )
        recordings = list(samples) if samples.ndim == 3 and len(samples) else [samples]
    else:
        recordings = [np.asarray(recording) for recording in samples]
    shapes = {recording.shape[1:] for recording in recordings}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or not shape[0]:
        raise FeatureError(
            "These are no recordings with the same channels.",
            "Give [n_samples, n_channels] each, and at least one.",
        )
    for recording in recordings:
        if recording.dtype != np.int16:
            raise FeatureError(
                f"Samples are {recording.dtype}, the board works with int16.",
                "Give the counts of the sensor, as datasets.load(...).samples has them.",
            )
    return recordings
