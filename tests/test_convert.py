"""convert: what it takes, what it refuses and how it says so, what comes out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from workshop_helpers.errors import FeatureError, ModelError, UnsupportedEstimatorError
from workshop_helpers.model import convert, verify
from workshop_helpers.model.treefile import parse

X4 = np.array([[0, 5], [1, 5], [2, 5], [3, 5]])
Y4 = np.array(["a", "a", "b", "b"])


def tree(X: Any = X4, y: Any = Y4, **settings: Any) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(random_state=0, **settings).fit(X, y)


def stump(threshold: float, feature: int = 0) -> DecisionTreeClassifier:
    """A tree with one split at exactly this threshold."""
    fitted = tree()
    state = fitted.tree_.__getstate__()
    state["nodes"]["threshold"][0] = threshold
    state["nodes"]["feature"][0] = feature
    fitted.tree_.__setstate__(state)
    return fitted


class Frame:
    """What convert needs of a data frame, without pandas."""

    def __init__(self, values: np.ndarray, columns: list[str]) -> None:
        self.values, self.columns = values, columns

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.values.astype(dtype or float)


def test_the_file_is_the_format() -> None:
    model = convert(tree(), X4)
    assert model.csv.decode() == "f,2\nc,2\nlb,0\nl,0\nl,1\nr,0\nn,0,2,-1,-2\n"
    assert (model.size_bytes, model.voting, model.scale) == (len(model.csv), "hard", (1.0, 1.0))
    assert model.classes == ("a", "b")
    assert model.features == ("f0", "f1")
    assert model.metadata == {"scale_rule": "integers", "official_compatible": True}


def test_digits_as_in_the_course() -> None:
    X, y = load_digits(return_X_y=True)
    for settings in ({"max_leaf_nodes": 60}, {}):
        forest = RandomForestClassifier(10, random_state=1, **settings).fit(X[:1200], y[:1200])
        model = convert(forest, X[:1200])
        report = verify(model, X, y=y)
        assert report.agreement == 1.0
        assert report.accuracy_sklearn == report.accuracy_device
        assert model.voting == ("soft" if settings else "hard")
        assert model.metadata["official_compatible"] is (not settings)


@pytest.mark.parametrize(
    ("threshold", "rows"),
    [
        (32766.5, 1),
        (32767.0, 0),  # no int16 is above it: always left
        (1e9, 0),
        (np.inf, 0),
        (-32768.0, 1),
        (-32768.5, 0),  # none is at or below it: always right
        (-1e9, 0),
        (-0.5, 1),
        (-1.0, 1),
    ],
)
def test_thresholds_at_the_limits(threshold: float, rows: int) -> None:
    estimator = stump(threshold)
    model = convert(estimator, X4)
    assert len(model.forest.nodes) == rows
    column = [-32768, -32767, -2, -1, 0, 1, 32766, 32767]
    X = np.column_stack([column, column])
    assert (model.predict(X) == estimator.predict(X)).all()


def test_a_tree_that_is_a_leaf() -> None:
    model = convert(DecisionTreeClassifier().fit(X4, ["only"] * 4), X4)
    assert model.csv.decode().splitlines()[-1] == "r,-1"
    assert model.classes == ("only",)
    assert (model.predict(X4) == "only").all()
    regression = convert(DecisionTreeRegressor().fit(X4, [0.1] * 4), X4)
    assert np.allclose(regression.predict(X4), 0.1, atol=regression.metadata["error_bound"], rtol=0)


def test_equal_leaves_are_shared_and_useless_splits_left_out() -> None:
    X = np.arange(8).reshape(-1, 1)
    y = [0, 0, 0, 1, 0, 0, 0, 1]
    estimator = tree(X, y, max_depth=2)  # has a node with the same majority on both sides
    assert estimator.tree_.node_count == 5
    model = convert(estimator, X)
    assert (len(model.forest.nodes), len(model.forest.leaves)) == (1, 2)
    assert (model.predict(X) == estimator.predict(X)).all()
    soft = convert(estimator, X, voting="soft")
    assert len(soft.forest.nodes) == 2


def test_splits_that_an_earlier_one_has_decided_are_left_out() -> None:
    X = np.array([[0.0], [0.1], [0.2], [100.0]])
    estimator = tree(X, [0, 1, 2, 3])
    model = convert(estimator, np.vstack([X, np.linspace(0, 90, 50)[:, None]]), scale=1)
    assert estimator.tree_.node_count == 7
    assert len(model.forest.nodes) == 2  # 0.05 and 0.15 are both "< 1" on the board
    assert set(verify(model, X).causes) == {"unscaled floats"}


def test_labels_names_and_classes() -> None:
    assert convert(tree(y=[7, 7, -3, -3]), X4).classes == (-3, 7)
    assert convert(tree(y=[True, True, False, False]), X4).classes == (False, True)
    model = convert(tree(), X4, features=["x", "y"], classes=["still", "moving"], name="demo")
    assert (model.features, model.name) == (("x", "y"), "demo")
    assert model.predict(X4).tolist() == ["still", "still", "moving", "moving"]
    report = verify(model, X4, y=Y4)
    assert (report.agreement, report.accuracy_device) == (1.0, 1.0)
    assert verify(model, X4, y=model.predict(X4)).accuracy_device == 1.0


def test_a_frame_gives_its_names() -> None:
    frame = Frame(X4, ["age", "<size>"])
    model = convert(tree(X4), frame)
    assert model.features == ("age", "<size>")
    assert "<size>" not in model._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = tree(X4)
        fitted.feature_names_in_ = np.array(["age", "<size>"], dtype=object)
        assert convert(fitted, X4).features == ("age", "<size>")
        with pytest.raises(FeatureError, match="columns"):
            convert(fitted, Frame(X4, ["<size>", "age"]))


def test_real_frames() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is optional: pip install pandas")
    frame = pandas.DataFrame(X4, columns=["age", "size"])
    fitted = tree(frame)
    model = convert(fitted, frame)
    assert model.features == ("age", "size")
    assert verify(model, frame).agreement == 1.0
    with pytest.raises(FeatureError, match="columns"):
        model.predict(frame[["size", "age"]])


def test_scale_of_floats() -> None:
    X, y = load_wine(return_X_y=True)
    forest = RandomForestClassifier(10, random_state=0).fit(X, y)
    model = convert(forest, X)
    assert all(np.log2(s) == int(np.log2(s)) for s in model.scale)
    largest = np.abs(X).max(axis=0) * model.scale
    assert (largest * 1.25 <= 32767).all()
    assert (largest * 2.5 > 32767).all()
    assert verify(model, X).agreement == 1.0
    given = convert(forest, X, scale=list(model.scale))
    assert (given.csv, given.metadata["scale_rule"]) == (model.csv, "given")


def test_a_column_of_integers_among_floats_stays_exact() -> None:
    X = np.column_stack([np.arange(20) * 1500, np.linspace(0, 1, 20)])
    model = convert(tree(X, np.arange(20) % 3), X)
    assert model.scale == (1.0, 16384.0)
    assert (model.quantise(X)[:, 0] == X[:, 0]).all()


@pytest.mark.parametrize("factor", [1 / 16, 1 / 4])
def test_unscaled_floats_are_refused(factor: float) -> None:
    X, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(5, random_state=0).fit(X * factor, y)
    with pytest.raises(FeatureError, match="Unscaled floats") as caught:
        convert(forest, X * factor, scale=1)
    assert "scale='auto'" in caught.value.mend
    assert verify(convert(forest, X * factor), X * factor).agreement == 1.0
    exact = convert(forest, X * factor, scale=1 / factor)  # a given scale that fits is fine
    assert verify(exact, X * factor).agreement == 1.0


def test_rows_of_unscaled_floats_are_refused_by_a_model_of_integers() -> None:
    X, y = load_digits(return_X_y=True)
    model = convert(tree(X, y), X)
    with pytest.raises(FeatureError, match="Unscaled floats"):
        model.predict(X / 16)
    with pytest.raises(FeatureError, match="Unscaled floats"):
        verify(model, X / 16)
    assert model.predict(np.zeros((2, 64))).shape == (2,)


def test_values_beyond_int16_are_clipped() -> None:
    model = convert(tree(), X4)
    assert model.quantise([[1e6, -1e6]]).tolist() == [[32767, -32768]]
    assert model.quantise([[2.9, -0.1]]).tolist() == [[2, -1]]


@pytest.mark.parametrize(
    ("X", "text"),
    [
        (np.array([[1.0, np.nan]]), r"X\[0, 1\] is nan"),
        (np.array([[1.0, np.inf]]), "inf"),
        (np.array([[1.0, 1e300]]), "too large"),
        (np.ones((3, 3)), "3 features, the model 2"),
        (np.ones(2), "1 dimensions"),
        (np.empty((0, 2)), "no rows"),
        ([["a", "b"]], "not a table of numbers"),
        ([[1, 2], [3]], "not a table of numbers"),
        (None, "dimensions|table"),
    ],
)
def test_rows_that_are_refused(X: Any, text: str) -> None:
    with pytest.raises(FeatureError, match=text):
        convert(tree(), X)


def test_a_sparse_table_is_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(FeatureError, match="sparse"):
        convert(tree(), sparse.csr_matrix(X4))


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (LogisticRegression().fit(X4, Y4), "Supported: DecisionTree"),
        (GradientBoostingClassifier(n_estimators=2).fit(X4, Y4), "Supported: DecisionTree"),
        (make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit(X4, Y4), "last step"),
        (GridSearchCV(DecisionTreeClassifier(), {}, cv=2).fit(X4, Y4), "best_estimator_"),
        (DecisionTreeClassifier, "not its class"),
        (DecisionTreeClassifier().fit(X4, np.column_stack([Y4, Y4])), "each column of y"),
        (DecisionTreeRegressor().fit(X4, np.ones((4, 2))), "each column of y"),
        (RandomForestRegressor(128, max_depth=1).fit(X4, [1, 2, 3, 4]), "n_estimators=127"),
        (tree(np.arange(600).reshape(-1, 2), np.arange(300)), "Merge rare classes"),
        ("a forest", "Supported"),
    ],
)
def test_estimators_that_are_refused(estimator: Any, text: str) -> None:
    with pytest.raises(UnsupportedEstimatorError) as caught:
        convert(estimator, X4)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"voting": "loud"}, "voting='loud'"),
        ({"name": "../x"}, "can't be a model's name"),
        ({"classes": ["one"]}, "1 class names for 2"),
        ({"features": ["one"]}, "1 feature names for 2"),
        ({"scale": "big"}, "neither 'auto' nor"),
        ({"scale": [1, 2, 3]}, "fits no 2 features"),
        ({"scale": 0}, "positive"),
        ({"scale": float("nan")}, "positive"),
        ({"metadata": {"rate": float("nan")}}, "not JSON"),
        ({"metadata": {"rate": object()}}, "not JSON"),
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        convert(tree(), X4, **arguments)
    assert text in str(caught.value)


def test_unfitted_and_regression_with_classes() -> None:
    with pytest.raises(ModelError, match="not fitted"):
        convert(RandomForestClassifier(), X4)
    with pytest.raises(ModelError, match="no classes"):
        convert(DecisionTreeRegressor().fit(X4, [1, 2, 3, 4]), X4, classes=["a"])


def test_a_branch_too_long_for_the_file() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(-30_000, 30_001, (90_000, 2))
    y = rng.integers(0, 2, len(X))
    X[-1000:, 0], y[-1000:] = 32_000, 2  # the first split sets these apart
    with pytest.raises(ModelError, match="branch of over"):
        convert(tree(X, y), X)


def test_regression_integers() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(-100, 100, (200, 3))
    for y in (X[:, 0], X[:, 0] * 1e6 + 0.1, np.full(200, -3.7), X[:, 0] * 1e-9):
        forest = RandomForestRegressor(20, random_state=0).fit(X, y)
        model = convert(forest, X)
        assert np.abs(model.forest.leaves).max() <= 2**23
        error = np.abs(model.predict(X).astype(float) - forest.predict(X)).max()
        assert error <= model.metadata["error_bound"]
        assert model.metadata["error_bound"] <= max(1e-300, np.abs(y).max()) * 2e-7
    with pytest.raises(ModelError, match="other units"):
        convert(DecisionTreeRegressor().fit(X, X[:, 0] * 1e40), X)


def test_what_the_official_module_can_run() -> None:
    X = np.tile(np.arange(8).reshape(-1, 1), (1, 128))
    assert not convert(tree(X, range(8)), X).metadata["official_compatible"]
    assert convert(tree(X[:, :127], range(8)), X[:, :127]).metadata["official_compatible"]


def test_it_shows_itself() -> None:
    model = convert(tree(y=["<b>", "<b>", "x", "x"]), X4, name="demo")
    assert repr(model) == (
        "DeviceModel('demo': 1 tree, 1 node, 2 features -> 2 classes, hard, 37 B)"
    )
    html = model._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_the_parser_reads_what_others_write() -> None:
    forest = parse(b"\r\n# text\r\nf,1\r\nc,2\r\nl,1\r\nl,0\r\nr,0\r\nn,0,5,-1,-2\r\nz,9\r\n")
    assert forest.outputs(np.array([[4], [5]], dtype=np.int16)).tolist() == [[0, 1], [1, 0]]
