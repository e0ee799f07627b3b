"""Networks of scikit-learn: converted, compared, explained, run on the board."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from workshop_helpers.board import Board
from workshop_helpers.errors import FeatureError, ModelError, UnsupportedEstimatorError
from workshop_helpers.model import DeviceModel, convert, measure, verify
from workshop_helpers.model.kinds import mlp_file
from workshop_helpers.model.kinds.mlp import Networks
from workshop_helpers.model.kinds.mlp_file import LIMIT, TOP

LOADERS = {
    "digits": datasets.load_digits,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}
HIDDEN = ("relu", "tanh", "logistic", "identity")


def fit(name: str, hidden: str = "relu", sizes: Any = (12,), scaler: Any = None) -> Any:
    """(pipeline, X, y), trained on the even rows only."""
    X, y = LOADERS[name](return_X_y=True, **({"scaled": False} if name == "diabetes" else {}))
    kind = MLPRegressor if name == "diabetes" else MLPClassifier
    network = kind(
        hidden_layer_sizes=sizes,
        activation=hidden,
        max_iter=60,
        random_state=0,
        learning_rate_init=0.01,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = make_pipeline(scaler or StandardScaler(), network).fit(X[::2], y[::2])
    return estimator, X, y


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits() -> tuple[Pipeline, np.ndarray, np.ndarray]:
    found: tuple[Pipeline, np.ndarray, np.ndarray] = fit("digits")
    return found


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("name", LOADERS)
def test_agreement(name: str, hidden: str) -> None:
    estimator, X, y = fit(name, hidden, (12, 8))
    for bits, least, close in ((8, 0.95, 0.02), (16, 0.995, 0.005)):
        model = convert(estimator, X[::2], weight_bits=bits)
        report = verify(model, X[1::2], y=y[1::2])
        assert report.agreement >= least, (bits, report)
        assert set(report.causes) <= {"fixed-point rounding", "beyond the rows of convert"}
        assert report.accuracy_sklearn is not None
        assert report.accuracy_device == pytest.approx(report.accuracy_sklearn, abs=close)
        assert model.metadata["weight_bits"] == bits
        assert model.task == ("regression" if name == "diabetes" else "classification")


@pytest.mark.parametrize("name", LOADERS)
def test_the_stated_bound_holds_for_rows_never_seen(name: str) -> None:
    estimator, X, _ = fit(name)
    for bits in (8, 16):
        model = convert(estimator, X[::2], weight_bits=bits)
        rows = X[1::2]
        said = estimator.predict(rows)[:, None]
        if name != "diabetes":
            said = estimator.predict_proba(rows)
        assert np.abs(model.outputs(rows) - said).max() <= model.metadata["error_bound"]


def test_automatic_bits() -> None:
    """16 bits where 8 would show."""
    found = {}
    for scaler in (StandardScaler(), MinMaxScaler()):
        estimator, X, _ = fit("digits", scaler=scaler)
        model = convert(estimator, X[::2])
        found[type(scaler).__name__] = model.metadata["weight_bits"]
        assert verify(model, X[1::2]).agreement > 0.99
    assert found["StandardScaler"] == 16  # pixels at the rim are hardly ever set


def test_a_network_without_a_pipeline_or_hidden_layers() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    network = MLPClassifier((), max_iter=2000, random_state=0, learning_rate_init=0.02).fit(X, y)
    model = convert(network, X)
    assert verify(model, X).agreement >= 0.99
    assert len(model.host.layers) == 1  # type: ignore[attr-defined]


def test_labels_names_and_scales(tmp_path: Path) -> None:
    X, y = datasets.load_wine(return_X_y=True)
    labels = np.array(["red", "white", "<b>"])[y]
    network = MLPClassifier((6,), max_iter=300, random_state=0)
    estimator = make_pipeline(StandardScaler(), network).fit(X, labels)
    names = datasets.load_wine().feature_names
    model = convert(estimator, X, features=names, name="wine", metadata={"units": "mixed"})
    assert model.classes == ("<b>", "red", "white")
    assert (model.predict(X) == estimator.predict(X)).mean() > 0.98
    assert (model.kind, model.module, model.file) == ("mlp", "emlearn_mlp", "model.bin")
    assert set(model.files) == {"model.bin", "model.json"}
    loaded = DeviceModel.load(model.save(tmp_path))
    assert loaded.files == model.files
    assert (loaded.outputs(X) == model.outputs(X)).all()
    assert repr(model) == (
        "DeviceModel('wine': 2 layers (6-3 neurons), 96 weights of 8 bits, "
        "13 features -> 3 classes, 268 B)"
    )
    assert "<b>" not in model._repr_html_()
    with pytest.raises(ModelError, match="has no trees"):
        _ = model.forest
    damaged = tmp_path / "model.bin"
    damaged.write_bytes(model.data[:-1] + b"\0")
    with pytest.raises(ModelError, match=r"model\.bin"):
        DeviceModel.load(tmp_path)


def test_the_float_network_is_scikit_learns() -> None:
    for hidden in HIDDEN:
        for name in LOADERS:
            estimator, X, _ = fit(name, hidden, (5, 4))
            floats = Networks().read(estimator)
            said = estimator.predict(X)[:, None]
            if name != "diabetes":
                said = estimator.predict_proba(X)
            assert np.allclose(floats.outputs(X), said, atol=1e-6, rtol=1e-6)


def test_another_estimator(digits: Any) -> None:
    estimator, X, _ = digits
    model = convert(estimator, X[::2])
    other = make_pipeline(StandardScaler(), MLPClassifier((12,), max_iter=20, random_state=9))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other.fit(X, LOADERS["digits"]().target)
        wider = make_pipeline(StandardScaler(), MLPClassifier((13,), max_iter=5))
        wider.fit(X, LOADERS["digits"]().target)
    assert set(verify(model, X, estimator=other).causes) == {"another estimator"}
    assert set(verify(model, X, estimator=wider).causes) == {"another estimator"}


def test_rows_beyond_those_of_convert() -> None:
    estimator, X, _ = fit("diabetes")
    report = verify(convert(estimator, X[:5], scale=100), X)
    assert set(report.causes) <= {"beyond the rows of convert", "feature overflow", "unexplained"}
    assert report.causes["beyond the rows of convert"] > 0.9 * report.mismatches
    report = verify(convert(estimator, X, scale=100), X * 4)
    assert set(report.causes) == {"feature overflow"}
    assert report.causes


def test_wrong_weights_are_called_unexplained(digits: Any) -> None:
    estimator, X, _ = digits
    model = convert(estimator, X[::2], weight_bits=16)
    network = mlp_file.parse(model.data)
    last = network.layers[-1]
    last.weights[3] = -last.weights[3]
    last.bias[3] = -last.bias[3]
    fresh = replace(model, data=mlp_file.write(network))
    report = verify(fresh, X, estimator=estimator)
    assert report.causes["unexplained"] > 0.5 * report.mismatches


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (MLPClassifier((3,), max_iter=5), "not fitted"),
        (make_pipeline(PCA(3), MLPClassifier((3,), max_iter=5)), "PCA"),
        (MLPRegressor(hidden_layer_sizes=(3,), max_iter=5), "each column of y"),
        (MLPClassifier((3,), max_iter=5), "two classes or more"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_that_are_refused(estimator: Any, text: str) -> None:
    X, y = datasets.load_wine(return_X_y=True)
    if text != "not fitted":
        y = {"each column of y": np.column_stack([y, y]), "two classes or more": y * 0}.get(text, y)
        estimator.fit(X, y)
    with pytest.raises(ModelError, match=text):
        convert(estimator, X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_more_that_is_refused(digits: Any) -> None:
    estimator, X, y = digits
    with pytest.raises(ModelError, match="vote"):
        convert(estimator, X, voting="hard")
    with pytest.raises(ModelError, match="weight_bits=4"):
        convert(estimator, X, weight_bits=4)  # type: ignore[arg-type]
    with pytest.raises(FeatureError, match="Unscaled floats"):
        convert(estimator, X / 16, scale=1)
    multilabel = MLPClassifier((3,), max_iter=5).fit(X, np.column_stack([y > 3, y > 5]))
    with pytest.raises(UnsupportedEstimatorError, match="each column"):
        convert(multilabel, X)


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1e3, 1e9])
def test_values_of_any_size(size: float) -> None:
    X, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    network = MLPRegressor(
        hidden_layer_sizes=(8,), max_iter=200, random_state=0, learning_rate_init=0.02
    )
    estimator = make_pipeline(StandardScaler(), network).fit(X, (y - y.mean()) / y.std())
    estimator[-1].coefs_[-1] *= size  # as if y had been in other units
    estimator[-1].intercepts_[-1] *= size
    report = verify(convert(estimator, X), X)
    assert report.agreement == 1.0
    assert report.largest_error is not None
    assert report.largest_error < 0.1 * size


def test_large_weights_stay_within_the_sums() -> None:
    """Weights that dwarf others, columns that never move, neurons that are never on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 300))
    X[:, 5] = 0
    network = MLPClassifier((6,), max_iter=30, random_state=0).fit(X, X[:, 0] > 0)
    network.coefs_[0][7] *= 1e4
    network.intercepts_[0][2] = -1e6
    network.coefs_[0][:, 3] = 0
    for bits in (8, 16):
        model = convert(network, X, weight_bits=bits)
        for layer in model.host.layers:  # type: ignore[attr-defined]
            reach = np.abs(layer.bias) + TOP * np.abs(layer.weights).sum(axis=1)
            assert (reach < 2 * LIMIT).all()
        assert verify(model, X).agreement > 0.95


@pytest.mark.parametrize(
    ("name", "hidden", "bits"),
    [
        ("digits", "relu", 8),
        ("digits", "tanh", 16),
        ("wine", "logistic", 8),
        ("breast_cancer", "relu", 16),
        ("breast_cancer", "identity", 8),
        ("diabetes", "relu", 8),
        ("diabetes", "tanh", 16),
    ],
)
def test_on_the_board(board: Board, name: str, hidden: str, bits: Any) -> None:
    estimator, X, y = fit(name, hidden, (12, 8))
    model = convert(estimator, X[::2], weight_bits=bits, name="net")
    report = verify(model, X[:400], board, y=y[:400])
    assert report.host_matches_device
    assert report.largest_difference == report.tolerance == 0
    assert report.file_matches
    report.raise_if_unexplained()


def test_measure_and_the_store(board: Board, digits: Any) -> None:
    estimator, X, _ = digits
    model = convert(estimator, X[::2], name="net")
    cost = measure(model, board, X)
    assert cost.model_bytes == model.size_bytes
    assert cost.ram_bytes > model.size_bytes
    low, high = cost.us_spread
    assert 0 < low <= cost.us_per_inference <= high
    for call in ("run", "predict"):
        board.soft_reset()
        code = (
            "import gc, array, model_store\n"
            "m = model_store.load('/models/net')\n"
            "x = array.array('h', bytes(128))\n"
            "def f(call):\n call(x); a = gc.mem_alloc()\n for _ in range(20): call(x)\n"
            " return gc.mem_alloc() - a\n"
            f"print(f(m.{call}))"
        )
        assert board.exec(code).strip() == "0"


def test_the_wrong_file_on_the_device(board: Board, digits: Any) -> None:
    estimator, X, _ = digits
    model = convert(estimator, X[::2], name="net", weight_bits=8)
    verify(convert(estimator, X[::2], name="net", weight_bits=16), X[:5], board)
    report = verify(model, X[:200], board, deploy=False)
    assert report.file_matches is False
    assert set(report.causes) <= {"wrong file on the device", "fixed-point rounding"}
