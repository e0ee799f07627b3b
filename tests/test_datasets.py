"""Data that travels with the project is what its README says, and is checked before use."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workshop_helpers import datasets
from workshop_helpers.errors import DataError
from workshop_helpers.paths import DATA, ROOT


def test_basic_motions_is_as_described() -> None:
    data = datasets.load("basic_motions")
    assert data.samples.shape == (80, 100, 6) and data.samples.dtype == np.int16
    assert (len(data), data.duration_s, data.rate_hz) == (80, 10.0, 10.0)
    assert data.classes == ("Badminton", "Running", "Standing", "Walking")
    assert len(set(data.ids)) == 80
    for part in ("train", "test"):
        labels, counts = np.unique(data.part(part).labels, return_counts=True)
        assert len(labels) == 4 and (counts == 10).all()
    assert len(data.channels) == len(data.units_per_lsb) == len(data.channel_units) == 6
    assert "80 recordings of 10 s" in repr(data)


def test_units_give_physical_values() -> None:
    data = datasets.load("basic_motions")
    values = data.samples * data.units_per_lsb
    # First values of the first training recording in the archive's file.
    assert values[0, :4, 0] == pytest.approx([0.079106, 0.079106, -0.903497, 1.116125], abs=5.1e-4)


def test_nobody_can_change_it_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        datasets.load("basic_motions").samples[0, 0, 0] = 1


def test_the_readme_names_every_file() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    files = [path.name for path in DATA.iterdir() if path.suffix != ".md"]
    assert files and all(name in text for name in files)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(DataError, match="no data set"):
        datasets.load("basic_emotions")
    with pytest.raises(DataError, match="no part"):
        datasets.load("basic_motions").part("validation")


@pytest.mark.parametrize("harm", ["missing", "cut", "flipped"])
def test_a_damaged_file_is_refused(harm: str, tmp_path: Path, monkeypatch) -> None:
    good = bytearray((DATA / "basic_motions.npz").read_bytes())
    monkeypatch.setattr(datasets, "DATA", tmp_path)
    if harm == "cut":
        (tmp_path / "basic_motions.npz").write_bytes(good[:5000])
    elif harm == "flipped":
        good[4000] ^= 1
        (tmp_path / "basic_motions.npz").write_bytes(good)
    with pytest.raises(DataError, match="damaged" if harm != "missing" else "can't be read"):
        datasets.load("basic_motions")


def test_a_recording_as_npy_is_read_by_numpy() -> None:
    recording = datasets.load("basic_motions").samples[5]
    assert np.array_equal(np.load(io.BytesIO(datasets.to_npy(recording))), recording)
    with pytest.raises(DataError, match="float64"):
        datasets.to_npy(np.zeros((3, 3)))  # type: ignore[arg-type]


def test_replay_files_hold_one_recording_a_class() -> None:
    data = datasets.load("basic_motions").part("test")
    files = data.replay_files(seconds=5)
    assert sorted(files) == [f"/recordings/{name.lower()}.npy" for name in data.classes]
    standing = np.load(io.BytesIO(files["/recordings/standing.npy"]))
    row = data.labels.tolist().index("Standing")
    assert np.array_equal(standing, data.samples[row, :50])


TS = """#a comment
@problemName BasicMotions
@data
0.5,-1.0:0,0:0,0:0.0026633725,0:0,0:0,0:Standing
"""


def test_the_extract_script_reads_the_archives_format(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"BasicMotions_{part}.ts").write_text(TS)
    target = tmp_path / "out.npz"
    script = ROOT / "scripts" / "extract_basic_motions.py"
    made = []
    for _ in range(2):
        subprocess.run(
            [sys.executable, str(script), str(tmp_path), "--target", str(target)],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        made.append(target.read_bytes())
    assert made[0] == made[1]
    with np.load(target, allow_pickle=False) as arrays:
        assert arrays["samples"].tolist()[0] == [[500, 0, 0, 1, 0, 0], [-1000, 0, 0, 0, 0, 0]]
        assert arrays["split"].tolist() == ["train", "test"]
