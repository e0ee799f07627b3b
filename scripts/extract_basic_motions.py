"""Make data/basic_motions.npz from the `.ts` files of the UEA archive.

    python scripts/extract_basic_motions.py FOLDER_OR_WHEEL

The argument is a folder with BasicMotions_TRAIN.ts and BasicMotions_TEST.ts, or a sktime wheel
(`pip download sktime --no-deps`); without one, an installed sktime is used. The result depends
only on the values in the files, and the script prints its SHA-256 for `datasets.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "data" / "basic_motions.npz"
IN_WHEEL = "sktime/datasets/data/BasicMotions"
PARTS = ("train", "test")
CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
# The gyroscope values are whole multiples of this step, to the six decimals of the file; 0.001 is
# far below the noise of the accelerometer at rest and keeps its +-29.4 inside int16.
ACC_STEP, GYRO_STEP = 0.001, 0.0026633725
UNITS_PER_LSB = (ACC_STEP,) * 3 + (GYRO_STEP,) * 3
CHANNEL_UNITS = ("m/s²",) * 3 + ("rad/s",) * 3  # our reading: see data/README.md
# A fixed date, so that the same values make the same bytes.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def read_sources(source: Path | None) -> dict[str, str]:
    """The text of the train and the test file."""
    if source is None:
        spec = importlib.util.find_spec("sktime")
        if spec is None or spec.origin is None:
            sys.exit("sktime is not installed: give a folder with the .ts files, or a wheel.")
        source = Path(spec.origin).parents[1] / IN_WHEEL
    names = {part: f"BasicMotions_{part.upper()}.ts" for part in PARTS}
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            return {part: wheel.read(f"{IN_WHEEL}/{name}").decode() for part, name in names.items()}
    return {part: (source / name).read_text(encoding="utf-8") for part, name in names.items()}


def parse(text: str) -> tuple[np.ndarray, list[str]]:
    """Values float64 [n, n_samples, n_channels] and a label for each recording."""
    values, labels = [], []
    for line in text.splitlines():
        if not line.strip() or line[0] in "#@":
            continue
        *channels, label = line.strip().split(":")
        values.append([[float(v) for v in channel.split(",")] for channel in channels])
        labels.append(label)
    return np.array(values).transpose(0, 2, 1), labels


def to_counts(values: np.ndarray) -> np.ndarray:
    """Physical values to int16 counts; refuses what does not fit instead of clipping it."""
    counts = np.round(values / np.array(UNITS_PER_LSB))
    if np.abs(counts).max() > 32767:
        sys.exit("A value does not fit int16: the step is too small.")
    return counts.astype("<i2")


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """As numpy.savez_compressed, without the time of day in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0))
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", ZIP_DATE), buffer.getvalue(), zipfile.ZIP_DEFLATED
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()

    samples, labels, ids, split = [], [], [], []
    for part, text in read_sources(options.source).items():
        values, names = parse(text)
        counts = to_counts(values)
        lost = np.abs(counts * np.array(UNITS_PER_LSB) - values).max(axis=(0, 1))
        print(f"{part}: {counts.shape}, largest rounding error {lost[:3].max():.6f} (acc),"
              f" {lost[3:].max():.6f} (gyro)")  # fmt: skip
        samples.append(counts)
        labels += names
        ids += [f"{part}-{row:02d}" for row in range(len(names))]
        split += [part] * len(names)
    meta = {
        "rate_hz": 10.0,
        "channels": CHANNELS,
        "units_per_lsb": UNITS_PER_LSB,
        "channel_units": CHANNEL_UNITS,
    }
    write_npz(
        options.target,
        {
            "samples": np.concatenate(samples),
            "labels": np.array(labels),
            "ids": np.array(ids),
            "split": np.array(split),
            "meta": np.array([json.dumps(meta)]),
        },
    )
    data = options.target.read_bytes()
    print(f"{options.target.name}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
