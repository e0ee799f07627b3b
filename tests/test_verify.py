"""verify on the host: each cause provoked, named, counted and shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from workshop_helpers.errors import FeatureError, ModelError
from workshop_helpers.model import VerifyReport, convert, verify
from workshop_helpers.model.causes import EXPLANATIONS
from workshop_helpers.model.flatten import int_thresholds

LINE = np.arange(100).reshape(-1, 1)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X, y


@pytest.fixture(scope="module")
def shallow(digits: tuple[np.ndarray, np.ndarray]) -> RandomForestClassifier:
    X, y = digits
    return RandomForestClassifier(10, max_depth=4, random_state=0).fit(X[:900], y[:900])


def test_hard_voting_and_ties(
    digits: tuple[np.ndarray, np.ndarray], shallow: RandomForestClassifier
) -> None:
    X, y = digits
    report = verify(convert(shallow, X, voting="hard"), X, y=y)
    assert set(report.causes) == {"hard voting", "tied vote"}
    assert report.mismatches == sum(report.causes.values()) > 0
    assert report.accuracy_sklearn == pytest.approx((shallow.predict(X) == y).mean())
    assert len(report.worst) == 10
    assert report.worst[0].gap >= report.worst[-1].gap > 0
    worst = report.worst[0]
    assert worst.expected == shallow.predict(X[worst.row : worst.row + 1])[0] != worst.device
    report.raise_if_unexplained()


def test_leaf_quantisation() -> None:
    # One leaf whose three classes all become 85 of 255.
    X = np.zeros((1000, 1), dtype=int)
    y = np.repeat([0, 1, 2], [333, 335, 332])
    estimator = DecisionTreeClassifier().fit(X, y)
    assert verify(convert(estimator, X), X[:3]).agreement == 1.0
    report = verify(convert(estimator, X, voting="soft"), X[:3])
    assert report.causes == {"leaf quantisation": 3}


def test_threshold_tie() -> None:
    X = np.linspace(0, 100, 400).reshape(-1, 1)
    estimator = DecisionTreeClassifier().fit(X, np.arange(400) % 2)
    report = verify(convert(estimator, X, scale=2), X)
    assert set(report.causes) == {"threshold tie"}
    assert verify(convert(estimator, X), X).agreement == 1.0


def test_a_value_equal_to_a_threshold_goes_left_as_in_sklearn() -> None:
    X = np.round(np.random.default_rng(0).normal(size=(500, 2)), 1)
    estimator = DecisionTreeClassifier().fit(X, np.arange(500) % 2)
    model = convert(estimator, X, scale=3)
    t = estimator.tree_
    inside = t.children_left >= 0
    for feature, threshold in zip(t.feature[inside], t.threshold[inside], strict=True):
        if np.float32(threshold) <= threshold:
            row = np.zeros((1, 2))
            row[0, feature] = np.float32(threshold)
            device_left = model.quantise(row)[0, feature] < np.floor(threshold * 3) + 1
            assert device_left


def test_feature_overflow() -> None:
    estimator = DecisionTreeClassifier().fit(LINE * 1000, LINE[:, 0] >= 50)
    model = convert(estimator, LINE * 1000, scale=1)
    report = verify(model, LINE * 1000)
    assert set(report.causes) == {"feature overflow"}
    assert verify(convert(estimator, LINE * 1000), LINE * 1000).agreement == 1.0


def test_an_automatic_scale_never_overflows_into_another_answer() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    estimator = RandomForestClassifier(10, random_state=0).fit(X, X[:, 0] > 0)
    model = convert(estimator, X)
    far = rng.normal(size=(300, 3)) * 1e6
    assert (np.abs(model.quantise(far)) >= 32767).any()
    assert verify(model, far).agreement == 1.0


def test_unscaled_floats() -> None:
    model = convert(DecisionTreeClassifier().fit(LINE, LINE[:, 0] % 2), LINE)
    report = verify(model, LINE + 0.75)
    assert set(report.causes) == {"unscaled floats"}


def test_another_estimator(
    digits: tuple[np.ndarray, np.ndarray], shallow: RandomForestClassifier
) -> None:
    X, y = digits
    model = convert(shallow, X)
    other = RandomForestClassifier(10, max_depth=4, random_state=5).fit(X, y)
    assert set(verify(model, X, estimator=other).causes) == {"another estimator"}
    fewer = RandomForestClassifier(2).fit(X[y < 5], y[y < 5])
    with pytest.raises(ModelError, match="5 classes"):
        verify(model, X, estimator=fewer)


def test_a_bug_would_be_called_unexplained(
    digits: tuple[np.ndarray, np.ndarray],
    shallow: RandomForestClassifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thresholds off by one, as emlearn 0.23 writes them: the report must find no excuse."""
    X, _ = digits
    monkeypatch.setattr(
        "workshop_helpers.model.flatten.int_thresholds",
        lambda tree, scale: int_thresholds(tree, scale) - 1,
    )
    report = verify(convert(shallow, X), X)
    assert report.agreement < 0.95
    assert report.causes["unexplained"] > report.mismatches / 2
    with pytest.raises(ModelError, match="no known reason"):
        report.raise_if_unexplained()


def test_regression_scores_and_errors() -> None:
    X, y = load_diabetes(return_X_y=True, scaled=False)
    forest = RandomForestRegressor(20, random_state=0).fit(X[:300], y[:300])
    model = convert(forest, X[:300])
    report = verify(model, X, y=y)
    assert report.accuracy_sklearn == pytest.approx(forest.score(X, y))
    assert report.accuracy_device == pytest.approx(report.accuracy_sklearn, abs=0.01)
    assert set(report.causes) <= {"threshold tie"}
    assert report.largest_error == pytest.approx(
        np.abs(model.predict(X).astype(float) - forest.predict(X)).max()
    )


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(),  # not fitted
        RandomForestClassifier,
        RandomForestRegressor(2).fit(LINE, LINE.ravel()),
        RandomForestClassifier(2).fit(np.hstack([LINE, LINE]), LINE.ravel() > 50),
        GaussianNB().fit(LINE, LINE.ravel() > 50),
        5,
    ],
    ids=str,
)
def test_an_estimator_that_the_model_can_not_be_of_is_refused(estimator) -> None:
    model = convert(RandomForestClassifier(2).fit(LINE, LINE.ravel() > 50), LINE)
    with pytest.raises(ModelError):
        verify(model, LINE, estimator=estimator)


def test_a_truth_that_is_no_number_is_refused() -> None:
    model = convert(RandomForestRegressor(2).fit(LINE, LINE.ravel()), LINE)
    with pytest.raises(FeatureError, match="no number"):
        verify(model, LINE, y=["many"] * len(LINE))


def test_a_value_that_is_no_number_agrees_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = load_diabetes(return_X_y=True, scaled=False)
    model = convert(RandomForestRegressor(2, random_state=0).fit(X, y), X)
    none = np.full((5, 1), np.nan, dtype=np.float32)
    monkeypatch.setattr("workshop_helpers.model.treefile.Forest.outputs", lambda *_: none)
    report = verify(model, X[:5])
    assert report.mismatches == 5 and report.causes == {"unexplained": 5}


def test_a_loaded_model_needs_an_estimator_or_a_board(
    digits: tuple[np.ndarray, np.ndarray], shallow: RandomForestClassifier
) -> None:
    X, y = digits
    loaded = replace(convert(shallow, X), estimator=None)
    with pytest.raises(ModelError, match="nothing to compare"):
        verify(loaded, X)
    assert verify(loaded, X, estimator=shallow).causes == {"leaf quantisation": 1}
    with pytest.raises(FeatureError, match="no rows"):
        verify(loaded, X[:0], estimator=shallow)
    with pytest.raises(FeatureError, match="y has the shape"):
        verify(loaded, X, estimator=shallow, y=y[:5])


def test_the_report_shows_itself_escaped() -> None:
    X = LINE
    estimator = DecisionTreeClassifier().fit(X, np.where(X[:, 0] % 2, "<b>", "<i>"))
    report = verify(convert(estimator, X), X + 0.75, y=estimator.predict(X))
    assert repr(report).startswith("VerifyReport(model: ")
    assert len(repr(report)) < 200
    html = report._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    for cause in report.causes:
        assert EXPLANATIONS[cause].split(".")[0] in html


def test_unexplained_raises() -> None:
    report = VerifyReport("m", 10, 9, 1, {"unexplained": 1})
    assert report.agreement == 0.9
    with pytest.raises(ModelError, match="1 of 10 rows"):
        report.raise_if_unexplained()
    with pytest.raises(ModelError, match="apart"):
        VerifyReport(
            "m", 10, 10, 0, host_matches_device=False, file_matches=True, largest_difference=0.1
        ).raise_if_unexplained()
    fine = VerifyReport("m", 10, 10, 0, host_matches_device=True, file_matches=True)
    assert fine.raise_if_unexplained() is fine
