"""Gaussian naive Bayes of scikit-learn, converted, verified on the board and refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from gaussians_cases import borderline
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_blobs
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

from workshop_helpers.errors import (
    FeatureError,
    ModelError,
    ModelFileError,
    UnsupportedEstimatorError,
)
from workshop_helpers.model import DeviceModel, convert, measure, verify

DATA = {
    "iris": load_iris,
    "wine": load_wine,
    "cancer": load_breast_cancer,
    "digits": load_digits,
    "blobs": lambda return_X_y: make_blobs(500, 5, centers=4, random_state=0),
}
SCALERS = {"alone": [], "standard": [StandardScaler()], "min-max": [MinMaxScaler((-1, 1))]}


def split(name):
    X, y = DATA[name](return_X_y=True)
    return train_test_split(X, y, test_size=0.4, random_state=0)


def fitted(name, scalers=()):
    X, X_test, y, _ = split(name)
    return make_pipeline(*scalers, GaussianNB()).fit(X, y), X, X_test


@pytest.mark.parametrize("scalers", SCALERS)
@pytest.mark.parametrize("name", DATA)
def test_labels_and_errors(name, scalers):
    estimator, X, X_test = fitted(name, SCALERS[scalers])
    model = convert(estimator, X)
    assert (model.kind, model.task, model.file) == ("bayes", "classification", "model.bin")
    # In standardised digits two classes may be 1e12 away, and the same to 32 bits.
    few = (name, scalers) == ("digits", "standard")
    report = verify(model, X_test)
    assert report.mismatches <= few
    assert set(report.causes) <= {"fixed-point rounding"}
    values = model.quantise(X_test)
    exact = "1" not in model.metadata["rounded"]
    inside = (np.abs(X_test * model.scale) < 32767).all(axis=1)
    assert inside.mean() > 0.95
    shares = estimator.predict_proba(X_test)
    off = np.abs(model.outputs(X_test) - shares)
    assert (off <= model.host.bound(values, exact))[inside].all()
    final, seen = estimator[-1], estimator[:-1].transform(X_test) if scalers != "alone" else X_test
    loglik = final.predict_joint_log_proba(seen)
    off = np.abs(model.host.fixed.loglik(values) - loglik)
    bound = model.host.fixed.bound(values, exact) + np.abs(loglik) * 2.0**-24
    assert (off <= bound)[inside].all()


def test_on_the_board(board):
    estimator, X, X_test = fitted("wine", [StandardScaler()])
    y_test = split("wine")[3]
    model = convert(estimator, X, classes=["Barolo", "Grignolino", "Barbera"])
    report = verify(model, X_test, board, y=y_test)
    assert report.host_matches_device
    assert report.matches == report.rows == len(X_test)
    assert report.accuracy_device == report.accuracy_sklearn
    cost = measure(model, board, X_test)
    assert cost.model_bytes == model.size_bytes
    assert cost.us_per_inference > 0


def test_classes_and_priors():
    X, _, y, _ = split("iris")
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    model = convert(GaussianNB(priors=[0.8, 0.1, 0.1]).fit(X, labels), X)
    assert model.classes == ("setosa", "versicolor", "virginica")
    assert model.predict(X).tolist() == (
        GaussianNB(priors=[0.8, 0.1, 0.1]).fit(X, labels).predict(X).tolist()
    )


def test_saved_and_loaded(tmp_path):
    estimator, X, X_test = fitted("iris")
    model = convert(estimator, X, name="iris")
    again = DeviceModel.load(model.save(tmp_path))
    assert again.outputs(X_test).tobytes() == model.outputs(X_test).tobytes()
    assert verify(again, X_test, estimator=estimator).mismatches == 0
    (tmp_path / "model.bin").write_bytes(model.data[:-1])
    with pytest.raises(ModelFileError):
        DeviceModel.load(tmp_path)


def test_causes():
    estimator, X, X_test = fitted("wine")
    model = convert(estimator, X)
    # Rows on the border of two classes: within the stated error, either label is right.
    report = verify(model, borderline(estimator, X, 100))
    assert report.mismatches > 10
    assert set(report.causes) == {"fixed-point rounding"}
    # Beyond int16: every class is far, and the clipped row may be nearer to another one.
    far = X_test.copy()
    far[:, 12] = np.linspace(-1e5, 1e5, len(far))
    assert set(verify(model, far).causes) <= {"feature overflow"}
    elsewhere = GaussianNB().fit(X, np.roll(split("wine")[2], 1))
    assert set(verify(model, X_test, estimator=elsewhere).causes) == {"another estimator"}


def test_integers_are_exact():
    X, _, y, _ = split("digits")
    model = convert(GaussianNB().fit(X, y), X)
    assert set(model.scale) == {1024.0}  # some pixels are nearly constant: steps of 1 are coarse
    assert (model.quantise(X) == X * 1024).all()
    assert "1" not in model.metadata["rounded"]


@pytest.mark.parametrize("option", [{"voting": "hard"}, {"weight_bits": 8}, {"threshold": 1.0}])
def test_options_of_other_kinds(option):
    estimator, X, _ = fitted("iris")
    with pytest.raises(ModelError, match="Only"):
        convert(estimator, X, **option)


def test_refusals():
    X, _, y, _ = split("iris")
    with pytest.raises(UnsupportedEstimatorError, match="BernoulliNB"):
        convert(BernoulliNB().fit(X, y), X)
    with pytest.raises(ModelError, match="not fitted"):
        convert(GaussianNB(), X)
    with pytest.raises(UnsupportedEstimatorError, match="PolynomialFeatures"):
        convert(make_pipeline(PolynomialFeatures(), GaussianNB()).fit(X, y), X)
    with pytest.raises(FeatureError, match="4"):
        convert(GaussianNB().fit(X, y), X[:, :3])
    with pytest.raises(FeatureError, match="far outside"):
        convert(GaussianNB().fit(X * 1e9, y), X * 1e9, scale=1.0)
    with pytest.raises(UnsupportedEstimatorError, match="class 1 has a prior of 0"):
        convert(GaussianNB(priors=[1, 0, 0]).fit(X, y), X)
    unseen = GaussianNB().partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
    with pytest.raises(UnsupportedEstimatorError, match="class 2 has a prior of 0"):
        convert(unseen, X)
    constant = X.copy()
    constant[y == 1, 2] = 4.0
    with pytest.raises(UnsupportedEstimatorError, match="Feature 2 has no variance"):
        convert(GaussianNB(var_smoothing=0).fit(constant, y), constant)
    wide = np.random.default_rng(0).normal(size=(20, 300))
    with pytest.raises(UnsupportedEstimatorError, match="300 features"):
        convert(GaussianNB().fit(wide, np.arange(20) % 2), wide)


def test_constant_features():
    """A feature with one value has next to no width: it decides, as in scikit-learn."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(100, 3)), np.arange(100) % 2
    X[:, 1] = 4.0
    estimator = GaussianNB().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = convert(estimator, X)
    assert (model.predict(X) == estimator.predict(X)).mean() > 0.98
