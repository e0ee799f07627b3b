"""The seam between models and their kinds, and what a board decides from outputs."""

from __future__ import annotations

import importlib.util
import json
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_cases import build
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from workshop_helpers import paths
from workshop_helpers.errors import ModelError, ModelFileError, UnsupportedEstimatorError
from workshop_helpers.model import DeviceModel, convert, kinds
from workshop_helpers.model.kinds import pipelines


def _store() -> Any:
    path = paths.DEVICE_SCRIPTS / "lib" / "model_store.py"
    spec = importlib.util.spec_from_file_location("model_store", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_kind_is_found_by_its_name() -> None:
    for name in ("trees", "mlp", "bayes", "gmm"):
        kind = kinds.get(name)
        assert kind.name == name
        assert kind.supported
        assert set(kind.supported) <= set(kinds.supported())
    with pytest.raises(ModelFileError, match="no kind of model 'magic'"):
        kinds.get("magic")


@pytest.mark.parametrize("change", [{"kind": "magic"}, {"kind": None}, {"module": "os"}])
def test_a_json_of_no_kind(tmp_path: Path, change: dict[str, object]) -> None:
    case = build(5, "classification", "small integers")
    path = convert(case.estimator, case.X).save(tmp_path) / "model.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(ModelFileError):
        DeviceModel.load(tmp_path)


def test_a_model_without_trees_has_no_forest() -> None:
    case = build(5, "classification", "small integers")
    model = replace(convert(case.estimator, case.X), kind="magic")
    with pytest.raises(ModelError):
        _ = model.forest


@pytest.mark.parametrize("seed", range(20))
def test_the_first_of_the_largest_by_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([0.0, -0.0, 1, -1, 2, 3e38, -3e38, 1e-45, -1e-45, 0.5, 1.5], 6)
    values = np.where(rng.random(6) < 0.5, values, rng.normal(size=6)).astype(np.float32)
    outputs = array("f", values.tolist())
    store = _store()
    assert store._first_largest_bits(outputs.tobytes()) == int(np.argmax(values))
    assert store._first_largest(outputs) == int(np.argmax(values))


@pytest.mark.parametrize(
    "scalers",
    [
        [StandardScaler()],
        [StandardScaler(with_mean=False), MinMaxScaler()],
        [MaxAbsScaler(), RobustScaler()],
        [RobustScaler(with_centering=False), StandardScaler(with_std=False)],
        ["passthrough", MinMaxScaler((-1, 3))],
    ],
)
def test_scalers_fold_into_one_line(scalers: list[Any]) -> None:
    X = np.random.default_rng(0).normal(3, 5, (50, 4))
    y = X[:, 0] > 3
    pipeline = make_pipeline(*scalers, DecisionTreeClassifier()).fit(X, y)
    folded = pipelines.fold(pipeline)
    assert folded.final is pipeline[-1]
    assert np.allclose(pipeline[:-1].transform(X), X * folded.factor + folded.offset)


def test_a_step_that_is_no_scaler() -> None:
    from sklearn.decomposition import PCA

    X = np.random.default_rng(0).normal(size=(50, 4))
    pipeline = make_pipeline(PCA(), DecisionTreeClassifier()).fit(X, X[:, 0] > 0)
    with pytest.raises(UnsupportedEstimatorError, match="PCA"):
        pipelines.fold(pipeline)
    clipped = make_pipeline(MinMaxScaler(clip=True), DecisionTreeClassifier()).fit(X, X[:, 0] > 0)
    with pytest.raises(UnsupportedEstimatorError, match="MinMaxScaler"):
        pipelines.fold(clipped)
