"""Windows and features: the same file, and the same bits, under CPython and MicroPython."""

from __future__ import annotations

import shutil
import subprocess
import sys
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workshop_helpers import datasets
from workshop_helpers.errors import FeatureError
from workshop_helpers.features import (
    HOP,
    WINDOW,
    device_module,
    extract,
    feature_names,
    motion_features,
    windows,
)
from workshop_helpers.paths import DEVICE_SCRIPTS

MICROPYTHON = shutil.which("micropython", path=str(Path(sys.executable).parent))
needs_micropython = pytest.mark.skipif(
    MICROPYTHON is None, reason="no MicroPython wheel for this system"
)
motion = device_module("motion_features")
isqrt = motion.isqrt

# Reads rows of int16 from standard input, writes rows of features to standard output.
ON_MICROPYTHON = """
import sys
sys.path.insert(0, LIB)
from array import array
from motion_features import MotionFeatures
features = MotionFeatures(CHANNELS, WINDOW)
row = array("h", bytes(2 * CHANNELS * WINDOW))
while sys.stdin.buffer.readinto(row) == 2 * len(row):
    sys.stdout.buffer.write(features.compute(row))
"""


def on_micropython(rows: np.ndarray) -> np.ndarray:
    """Features of int16 [n, window, channels], computed by the real interpreter."""
    _, window, channels = rows.shape
    lib = str(DEVICE_SCRIPTS / "lib")
    code = f"LIB = {lib!r}\nCHANNELS = {channels}\nWINDOW = {window}\n{ON_MICROPYTHON}"
    assert MICROPYTHON
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=128k", "-c", code],
        input=rows.astype("<i2").tobytes(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode() or done.stdout.decode(errors="replace")
    return np.frombuffer(done.stdout, dtype="<i2").reshape(len(rows), -1)


def on_cpython(rows: np.ndarray) -> np.ndarray:
    features = motion.MotionFeatures(rows.shape[2], rows.shape[1])
    return np.array(
        [features.compute(array("h", row.tobytes()))[:] for row in rows], dtype=np.int16
    )


def extreme_rows(window: int, channels: int) -> np.ndarray:
    """What arithmetic goes wrong on: the ends of int16, constants, alternation, steps, noise."""
    t = np.arange(window)
    signals = [
        np.full(window, v) for v in (-32768, -32767, -1, 0, 1, 32767)
    ] + [
        np.where(t % 2, 32767, -32768),
        np.where(t % 2, -32768, 32767),
        np.where(t < window // 2, 32767, -32768),
        np.where(t == window - 1, 32767, -32768),
        np.where(t % 2, 1, -1),
        np.linspace(-32768, 32767, window).astype(int),
    ]  # fmt: skip
    generator = np.random.default_rng(7)
    signals += [generator.integers(-32768, 32768, window) for _ in range(20)]
    signals += [generator.integers(-3, 4, window) for _ in range(20)]
    rows = np.array(signals, dtype=np.int16)
    # Every channel another one of the signals.
    return np.stack([np.roll(rows, c, axis=0) for c in range(channels)], axis=2)


@needs_micropython
def test_real_windows_give_the_same_bits_on_both_pythons() -> None:
    data = datasets.load("basic_motions")
    rows, _ = windows(data.samples[::10])
    assert np.array_equal(on_micropython(rows), on_cpython(rows))


@needs_micropython
@pytest.mark.parametrize(("window", "channels"), [(20, 6), (2, 1), (3, 2), (200, 3), (1000, 1)])
def test_extreme_windows_give_the_same_bits_on_both_pythons(window: int, channels: int) -> None:
    rows = extreme_rows(window, channels)
    assert np.array_equal(on_micropython(rows), on_cpython(rows))


def test_features_are_what_they_are_said_to_be() -> None:
    """Against NumPy's floats: std within the shift and the rounding, the others exactly."""
    rows, _ = windows(datasets.load("basic_motions").samples[::7])
    got = on_cpython(rows).reshape(len(rows), 6, len(motion.KINDS))
    x = rows.astype(np.int64)
    assert np.abs(got[:, :, 0] - x.std(axis=1)).max() <= 8
    assert np.array_equal(got[:, :, 1], (x.max(axis=1) - x.min(axis=1)) >> 1)
    steps = np.abs(np.diff(x, axis=1)).sum(axis=1)
    assert np.array_equal(got[:, :, 2], steps // (WINDOW - 1) >> 1)
    above = x >= x.sum(axis=1, keepdims=True) // WINDOW
    assert np.array_equal(got[:, :, 3], (above[:, 1:] != above[:, :-1]).sum(axis=1))


@given(hnp.arrays(np.int16, (12, 2), elements=st.integers(-16000, 16000)), st.integers(-9999, 9999))
def test_a_constant_added_changes_nothing(row: np.ndarray, offset: int) -> None:
    both = on_cpython(np.stack([row, row + np.int16(offset)]))
    assert np.array_equal(both[0], both[1])


@given(hnp.arrays(np.int16, (12, 2)))
def test_no_feature_leaves_int16(row: np.ndarray) -> None:
    features = on_cpython(row[np.newaxis])[0].reshape(2, -1)
    assert (features >= 0).all()
    assert (features[:, 3] <= 11).all()


@given(st.integers(0, (1 << 30) - 1))
def test_integer_square_root(value: int) -> None:
    root = isqrt(value)
    assert root * root <= value < (root + 1) * (root + 1)


class Counted(int):
    """An int that remembers the largest value that any operation made from it."""

    largest = 0

    def _made(self, value: int) -> Counted:
        Counted.largest = max(Counted.largest, abs(value))
        return Counted(value)


def _counting(name: str) -> None:
    operation = getattr(int, name)
    setattr(Counted, name, lambda self, other: self._made(operation(self, other)))


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "floordiv", "rshift", "lshift"):
    _counting(f"__{_name}__")


@pytest.mark.parametrize("window", [2, 20, 200, 1000])
def test_no_value_exceeds_thirty_bits(window: int) -> None:
    """On a 32-bit board an int above 30 bits is a heap object."""
    Counted.largest = 0
    features = motion.MotionFeatures(1, window)
    features._limit = Counted(features._limit)
    for row in extreme_rows(window, 1):
        features.compute([Counted(v) for v in row[:, 0].tolist()])
    assert 0 < Counted.largest < 1 << 30


def test_names_fit_the_vector() -> None:
    names = feature_names(["a", "b"])
    assert len(names) == len(motion.MotionFeatures(2, 5).out)
    assert names[:5] == ("a_std", "a_range", "a_step", "a_cross", "b_std")


def test_wrong_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        motion.MotionFeatures(6, 1)
    with pytest.raises(ValueError, match="120 values"):
        motion.MotionFeatures(6, 20).compute(array("h", bytes(10)))


# --- windows ----------------------------------------------------------------------------------
Windower = device_module("windower").Windower


def cut(samples: np.ndarray, window: int, hop: int, block_lengths: list[int]) -> list[np.ndarray]:
    """Windows of int16 [n, channels], pushed in blocks of these lengths, then sample by sample."""
    windower = Windower(samples.shape[1], window, hop)
    found, at = [], 0
    while at < len(samples):
        n = block_lengths.pop(0) if block_lengths else 1
        block = array("h", samples[at : at + n].tobytes())
        n, start = len(block) // samples.shape[1], 0
        while start < n:
            start = windower.push(block, start, n)
            if windower.ready:
                found.append(np.array(windower.data).reshape(window, -1))
        at += n
    return found


@given(
    st.integers(1, 60), st.integers(1, 3), st.integers(1, 12), st.integers(1, 30),
    st.lists(st.integers(1, 40), max_size=6),
)  # fmt: skip
def test_windows_are_the_slices_they_should_be(
    n_samples: int, channels: int, window: int, hop: int, blocks: list[int]
) -> None:
    samples = np.arange(1, 1 + n_samples * channels, dtype=np.int16).reshape(-1, channels)
    wanted = [samples[s : s + window] for s in range(0, n_samples - window + 1, hop)]
    found = cut(samples, window, hop, blocks)
    assert len(found) == len(wanted)
    assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_nothing_comes_out_before_the_window_is_full() -> None:
    """A known fault elsewhere: a first window that is half zeros."""
    windower = Windower(1, 4, 2)
    block = array("h", [5, 6, 7])
    assert windower.push(block, 0, 3) == 3
    assert not windower.ready
    assert windower.push(array("h", [8]), 0, 1) == 1
    assert windower.ready and list(windower.data) == [5, 6, 7, 8]


def test_reset_forgets_the_samples() -> None:
    windower = Windower(1, 2, 1)
    windower.push(array("h", [1]), 0, 1)
    windower.reset()
    windower.push(array("h", [2]), 0, 1)
    assert not windower.ready


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Windower(1, 0, 1)


# --- the laptop's side ------------------------------------------------------------------------
def test_extract_keeps_recordings_apart() -> None:
    data = datasets.load("basic_motions").part("train")
    X, recording = extract(data.samples)
    per_recording = (data.samples.shape[1] - WINDOW) // HOP + 1
    assert X.shape == (len(data) * per_recording, len(feature_names(data.channels)))
    assert X.dtype == np.int16
    assert np.array_equal(recording, np.repeat(np.arange(len(data)), per_recording))
    alone, _ = extract(data.samples[3])
    assert np.array_equal(alone, X[recording == 3])


def test_extract_of_nothing_has_the_right_shape() -> None:
    X, recording = extract(np.zeros((2, 5, 3), dtype=np.int16))
    assert X.shape == (0, 12) and len(recording) == 0


def test_other_types_are_refused() -> None:
    with pytest.raises(FeatureError, match="float64"):
        extract(np.zeros((2, 50, 3)))  # type: ignore[arg-type]
    with pytest.raises(FeatureError, match="dimensions"):
        extract(np.zeros(50, dtype=np.int16))
    with pytest.raises(FeatureError, match="same channels"):
        extract(np.zeros((2, 50, 0), dtype=np.int16))


@pytest.mark.parametrize(
    ("window", "hop"), [(0, 5), (1, 1), (20, 0), (20.0, 5), (20, 2.5), (None, None), (20_000, 5)]
)
def test_what_is_no_window_is_refused(window, hop) -> None:
    for compute in (extract, windows):
        with pytest.raises(FeatureError, match="whole numbers"):
            compute(np.zeros((1, 50, 3), dtype=np.int16), window, hop)
    with pytest.raises(FeatureError, match="whole numbers"):
        motion_features(datasets.load("basic_motions").part("test"), window, hop)


def test_a_feature_set_says_what_a_model_must_know() -> None:
    features = motion_features(datasets.load("basic_motions").part("test"), window=30, hop=10)
    assert features.X.shape == (len(features.y), len(features.names))
    assert features.metadata()["window"] == 30
    assert features.metadata()["features_id"] == motion.FEATURES_ID
    assert "30 samples (3 s)" in repr(features)


def test_a_small_forest_recognises_unseen_recordings() -> None:
    """The numbers the course promises: windows 95 %, whole recordings all."""
    from sklearn.ensemble import RandomForestClassifier

    data = datasets.load("basic_motions")
    train, test = motion_features(data.part("train")), motion_features(data.part("test"))
    forest = RandomForestClassifier(10, min_samples_leaf=2, random_state=1).fit(train.X, train.y)
    said = forest.predict(test.X)
    assert (said == test.y).mean() >= 0.95
    for recording in np.unique(test.recording):
        mine = test.recording == recording
        labels, votes = np.unique(said[mine], return_counts=True)
        assert labels[votes.argmax()] == test.y[mine][0]
