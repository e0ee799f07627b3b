"""Windows and features on the laptop, computed by the very files that run on the board."""

from __future__ import annotations

import importlib.util
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .datasets import Dataset
from .errors import FeatureError
from .paths import DEVICE_SCRIPTS

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
    samples: NDArray[np.int16], window: int = WINDOW, hop: int = HOP
) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """Cut recordings into windows.

    Args:
        samples: int16 [n_recordings, n_samples, n_channels], or one recording [n_samples, ...].
        window: length in samples.
        hop: distance of two windows in samples.

    Returns:
        int16 [n, window, n_channels], and for each window the index of its recording, intp [n].
        A window never spans two recordings.

    Raises:
        FeatureError: samples are not int16, or have another shape.
    """
    samples = _checked(samples)
    n_recordings, n_samples, n_channels = samples.shape
    windower = device_module("windower").Windower(n_channels, window, hop)
    cut: list[array[int]] = []
    owner: list[int] = []
    for index in range(n_recordings):
        windower.reset()
        block = array("h", samples[index].astype(np.int16).tobytes())
        start = 0
        while start < n_samples:
            start = windower.push(block, start, n_samples)
            if windower.ready:
                cut.append(windower.data[:])
                owner.append(index)
    rows = np.array(cut, dtype=np.int16).reshape(-1, window, n_channels)
    return rows, np.array(owner, dtype=np.intp)


def extract(
    samples: NDArray[np.int16], window: int = WINDOW, hop: int = HOP
) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """Features of every window of every recording.

    Args:
        samples: int16 [n_recordings, n_samples, n_channels], or one recording [n_samples, ...].
        window: length in samples.
        hop: distance of two windows in samples.

    Returns:
        X int16 [n, n_features], and the index of the recording of each row, intp [n]
        (so `y = labels[index]`, and `groups=index` keeps a recording in one fold).

    Raises:
        FeatureError: samples are not int16, or have another shape.
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


def motion_features(data: Dataset, window: int = WINDOW, hop: int = HOP) -> FeatureSet:
    """Features of every window of a data set, see `extract`."""
    X, recording = extract(data.samples, window, hop)
    return FeatureSet(
        X=X,
        y=data.labels[recording],
        recording=recording,
        names=feature_names(data.channels),
        window=window,
        hop=hop,
        rate_hz=data.rate_hz,
        channels=data.channels,
        units_per_lsb=tuple(float(units) for units in data.units_per_lsb),
        channel_units=data.channel_units,
    )


def _checked(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    samples = np.asarray(samples)
    if samples.dtype != np.int16:
        raise FeatureError(
            f"Samples are {samples.dtype}, the board works with int16.",
            "Give the counts of the sensor, as datasets.load(...).samples has them.",
        )
    if samples.ndim == 2:
        samples = samples[np.newaxis]
    if samples.ndim != 3:
        raise FeatureError(
            f"Samples have {samples.ndim} dimensions.",
            "Give [n_recordings, n_samples, n_channels] or one recording.",
        )
    return samples
