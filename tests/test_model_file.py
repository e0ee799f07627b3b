"""Model files: saved whole, loaded only if whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import build

from workshop_helpers.errors import ModelError, ModelFileError, WorkshopError
from workshop_helpers.model import DeviceModel, convert
from workshop_helpers.model.treefile import parse

GOOD = ["f,2", "c,2", "lb,0", "l,0", "l,1", "r,0", "n,0,2,1,-2", "n,1,7,-1,-2"]


def data(lines: list[str]) -> bytes:
    return "\n".join(lines).encode()


@pytest.fixture
def model() -> DeviceModel:
    case = build(5, "classification", "small integers")
    return convert(case.estimator, case.X, metadata={"rate_hz": 10, "units": "g"})


def test_round_trip(model: DeviceModel, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "a" / "b")
    assert sorted(path.name for path in folder.iterdir()) == ["model.csv", "model.json"]
    loaded = DeviceModel.load(folder)
    assert loaded.files == model.files
    assert loaded.metadata["rate_hz"] == 10
    model.metadata["rate_hz"] = 20  # what is added later travels as well
    model.save(folder)
    assert DeviceModel.load(folder).metadata["rate_hz"] == 20


def test_the_json_is_small_and_complete(model: DeviceModel) -> None:
    meta = json.loads(model.files["model.json"])
    n_trees, n_nodes, n_leaves = meta["capacities"]
    text = model.csv.decode()
    assert n_trees == text.count("\nr,")
    assert n_nodes == text.count("\nn,")
    assert n_leaves == text.count("\nl,")
    assert meta["sha256"] == model.sha256
    assert meta["size_bytes"] == len(model.csv)
    assert meta["features"] is None
    assert len(model.files["model.json"]) < 700


def test_names_and_scales_come_back(tmp_path: Path) -> None:
    case = build(11, "regression", "floats")
    n = case.X.shape[1]
    names = [f"mean of {i} [m/s²]" for i in range(n)]
    scale = [float(2**i) for i in range(4, 4 + n)]
    model = convert(case.estimator, case.X, features=names, scale=scale)
    loaded = DeviceModel.load(model.save(tmp_path))
    assert loaded.features == tuple(names)
    assert loaded.scale == tuple(scale)
    assert loaded.task == "regression"


def test_a_failed_save_leaves_the_old_file(
    model: DeviceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ModelError, match="disk full"):
        model.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["model.csv", "model.json"])
def test_missing_and_damaged_files(model: DeviceModel, tmp_path: Path, name: str) -> None:
    path = model.save(tmp_path) / name
    whole = path.read_bytes()
    for damaged in (whole[:-3], whole[: len(whole) // 2], b"", whole.replace(b"1", b"2"), b"\xff"):
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            DeviceModel.load(tmp_path)
    path.unlink()
    with pytest.raises(ModelFileError, match="can't be read"):
        DeviceModel.load(tmp_path)


@pytest.mark.parametrize(
    "change", [{"format": 9}, {"name": "../x"}, {"scale": [1.0]}, {"classes": 3}, {"features": []}]
)
def test_a_json_that_does_not_fit(
    model: DeviceModel, tmp_path: Path, change: dict[str, object]
) -> None:
    path = model.save(tmp_path) / "model.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(ModelFileError):
        DeviceModel.load(tmp_path)
    path.write_text("[]")
    with pytest.raises(ModelFileError):
        DeviceModel.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("f,2", "f,1", "feature lies outside"),
        ("f,2", "", "number of features"),
        ("f,2", "f,0", "0 features"),
        ("f,2", "f,x", "can't be read"),
        ("c,2", "c,1", "leaf lies outside"),
        ("c,2", "c,2\nc,2", "number of classes"),
        ("c,2", "c,256", "256 classes"),
        ("lb,0", "lb,7", "leaf bits"),
        ("lb,0", "lb,8\nl,3", "cut short"),
        ("lb,0", "lb,8\nl,256\nl,3", "leaf lies outside"),
        ("lb,0", "lb,32", "regression with 2 outputs"),
        ("lb,0", "lb,0\nlb,0", "twice"),
        ("r,0", "", "no tree"),
        ("r,0", "r,2", "root lies outside"),
        ("r,0", "r,-3", "root lies outside"),
        ("n,0,2,1,-2", "n,0,2,0,-2", "its own child"),
        ("n,0,2,1,-2", "n,0,2,2,-2", "child lies outside"),
        ("n,0,2,1,-2", "n,0,2,1,-3", "child lies outside"),
        ("n,0,2,1,-2", "n,2,2,1,-2", "feature lies outside"),
        ("n,0,2,1,-2", "n,0,32768,1,-2", "threshold lies outside"),
        ("n,0,2,1,-2", "n,0,2.5,1,-2", "can't be read"),
        ("n,0,2,1,-2", "n,0,99999999999999999999,1,-2", "can't be read"),
        ("n,0,2,1,-2", "n,0,2,1", "has 3 fields"),
        ("n,0,2,1,-2", "n,0,2,1,-2,5", "has 5 fields"),
        ("lb,0", "y,nan,1\nlb,0", ""),
    ],
)
def test_the_parser_refuses(old: str, new: str, text: str) -> None:
    parse(data(GOOD))
    lines = [new if line == old else line for line in GOOD]
    if text:
        with pytest.raises(ModelFileError, match=text):
            parse(data(lines))
    else:
        parse(data(lines))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 120), st.integers(0, 255), st.booleans())
def test_damage_is_refused_or_harmless(at: int, byte: int, cut: bool) -> None:
    whole = bytearray(data(GOOD))
    at %= len(whole)
    damaged = whole[:at] if cut else whole[:at] + bytes([byte]) + whole[at + 1 :]
    try:
        forest = parse(bytes(damaged))
    except WorkshopError:
        return
    rows = np.random.default_rng(0).integers(-9, 9, (20, forest.n_features)).astype(np.int16)
    outputs = forest.outputs(rows[:, : forest.n_features])
    assert outputs.shape == (20, forest.n_outputs)
    assert np.isfinite(outputs).all()
