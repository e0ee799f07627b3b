"""Mixtures and envelopes of scikit-learn, converted, verified on the board and refused."""

from __future__ import annotations

import numpy as np
import pytest
from gaussians_cases import borderline
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_blobs
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from workshop_helpers.errors import FeatureError, ModelError, ModelFileError
from workshop_helpers.errors import UnsupportedEstimatorError as Unsupported
from workshop_helpers.model import DeviceModel, convert, measure, verify

DATA = {
    "iris": load_iris,
    "wine": load_wine,
    "cancer": load_breast_cancer,
    "blobs": lambda return_X_y: make_blobs(500, 5, centers=4, random_state=0),
}
SHAPES = ("diag", "spherical", "tied", "full")


def split(name):
    X, y = DATA[name](return_X_y=True)
    return train_test_split(X, y, test_size=0.4, random_state=0)[:2]


def mixture(name, shape="diag", scaler=None, k=3):
    X, X_test = split(name)
    estimator = GaussianMixture(k, covariance_type=shape, reg_covar=1e-3, random_state=0)
    return make_pipeline(scaler or StandardScaler(), estimator).fit(X), X, X_test


def off(model, X, want):
    """(|device - want|, the stated bound) for the rows that are not clipped, [n, n_outputs]."""
    inside = (np.abs(X * model.scale) < 32767).all(axis=1)
    assert inside.mean() > 0.95
    bound = model.host.bound(model.quantise(X), "1" not in model.metadata["rounded"])
    return np.abs(model.outputs(X) - want)[inside], bound[inside]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DATA)
def test_scores(name, shape):
    estimator, X, X_test = mixture(name, shape)
    model = convert(estimator, X)
    assert (model.kind, model.task, model.classes) == ("gmm", "regression", ())
    error, bound = off(model, X_test, estimator.score_samples(X_test)[:, None])
    assert (error <= bound).all()
    assert np.median(error) < 0.01
    assert set(verify(model, X_test).causes) <= {"fixed-point rounding"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DATA)
def test_labels_of_components_and_anomalies(name, shape):
    estimator, X, X_test = mixture(name, shape)
    model = convert(estimator, X, answer="label")
    assert model.classes == (0, 1, 2)
    assert (model.predict(X_test) == estimator.predict(X_test)).all()
    model = convert(estimator, X, threshold="3%")
    assert model.classes == (-1, 1)
    threshold = model.metadata["threshold"]
    assert np.isclose(threshold, np.percentile(estimator.score_samples(X), 3), rtol=1e-6)
    assert (model.predict(X) == -1).mean() == pytest.approx(0.03, abs=0.01)
    wanted = np.where(estimator.score_samples(X_test) >= threshold, 1, -1)
    assert (model.predict(X_test) == wanted).all()
    report = verify(model, X_test, y=wanted)
    assert (report.mismatches, report.accuracy_device) == (0, 1)


@pytest.mark.parametrize("scalers", [[], [StandardScaler()], [RobustScaler()]])
@pytest.mark.parametrize("name", DATA)
def test_envelopes(name, scalers):
    X, X_test = split(name)
    estimator = make_pipeline(*scalers, EllipticEnvelope(random_state=0)).fit(X)
    model = convert(estimator, X)
    assert model.classes == (-1, 1)
    assert model.metadata["threshold"] == estimator[-1].offset_
    assert (model.predict(X_test) == estimator.predict(X_test)).all()
    error, bound = off(model, X_test, estimator.decision_function(X_test)[:, None])
    assert (error <= bound).all()
    score = convert(estimator, X, answer="score")
    error, bound = off(score, X_test, estimator.score_samples(X_test)[:, None])
    assert (error <= bound).all()
    stricter = convert(estimator, X, threshold="50%")
    assert (stricter.predict(X) == -1).mean() == pytest.approx(0.5, abs=0.02)


def test_integers_are_exact():
    X = load_digits().data
    estimator = GaussianMixture(3, covariance_type="diag", reg_covar=1, random_state=0).fit(X)
    model = convert(estimator, X)
    assert "1" not in model.metadata["rounded"]
    error, bound = off(model, X, estimator.score_samples(X)[:, None])
    assert error.max() < 0.02
    assert (error <= bound).all()


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ("full", {}),
        ("tied", {"answer": "label", "classes": ["low", "middle", "high"]}),
        ("diag", {"threshold": -20.0, "classes": ["odd", "fine"]}),
    ],
)
def test_mixtures_on_the_board(shape, options, board):
    estimator, X, X_test = mixture("wine", shape)
    model = convert(estimator, X, **options)
    report = verify(model, X_test, board)
    assert report.host_matches_device
    assert report.matches == report.rows == len(X_test)
    assert set(model.predict(X_test)) <= set(options.get("classes", model.predict(X_test)))
    cost = measure(model, board, X_test)
    assert cost.model_bytes == model.size_bytes


def test_an_envelope_on_the_board(board):
    X, X_test = split("cancer")
    model = convert(EllipticEnvelope(random_state=0).fit(X), X)
    report = verify(model, X_test, board)
    assert report.host_matches_device
    assert report.matches == report.rows == len(X_test)
    board.put(model.data, "/m.bin")
    # The module itself tells the distance as well.
    values = model.quantise(X_test[:1])[0].tolist()
    board.exec("import emlearn_gmm; from array import array; m = emlearn_gmm.load('/m.bin')")
    board.exec(f"d = array('f', [0]); m.distances(array('h', {values}), d)")
    distance = board.eval("d[0]")
    assert distance == pytest.approx(model.estimator.mahalanobis(X_test[:1])[0], rel=0.02)


def test_saved_and_loaded(tmp_path):
    estimator, X, X_test = mixture("iris", "full")
    model = convert(estimator, X, threshold="2%")
    again = DeviceModel.load(model.save(tmp_path))
    assert again.outputs(X_test).tobytes() == model.outputs(X_test).tobytes()
    assert verify(again, X_test, estimator=estimator).mismatches == 0
    (tmp_path / "model.bin").write_bytes(model.data + b"\0")
    with pytest.raises(ModelFileError):
        DeviceModel.load(tmp_path)


def test_causes():
    estimator, X, X_test = mixture("iris", "full")
    model = convert(estimator, X, answer="label")
    report = verify(model, borderline(estimator, X, 100))
    assert report.mismatches > 10
    assert set(report.causes) == {"fixed-point rounding"}
    far = X_test * 1000
    assert set(verify(convert(estimator, X), far).causes) == {"feature overflow"}
    other = mixture("iris", "full", k=3)[0]
    other[-1].means_ = other[-1].means_ + 1
    report = verify(convert(estimator, X), X_test, estimator=other)
    assert set(report.causes) == {"another estimator"}


def test_refusals():
    X, _ = split("iris")
    estimator = GaussianMixture(2, random_state=0).fit(X)
    with pytest.raises(ModelError, match="not fitted"):
        convert(GaussianMixture(2), X)
    with pytest.raises(Unsupported, match="BayesianGaussianMixture"):
        convert(BayesianGaussianMixture(random_state=0).fit(X), X)
    for threshold in ("x", "101%", "-1%", "%", float("nan"), True, [1], {}):
        with pytest.raises(ModelError, match="neither a score nor a share"):
            convert(estimator, X, threshold=threshold)
    with pytest.raises(ModelError, match="unknown"):
        convert(estimator, X, answer="loud")
    with pytest.raises(ModelError, match="no threshold"):
        convert(estimator, X, answer="score", threshold=1.0)
    with pytest.raises(ModelError, match="beyond all reason"):
        convert(estimator, X, threshold=-1e6)
    with pytest.raises(ModelError, match="Only"):
        convert(estimator, X, voting="soft")
    with pytest.raises(ModelError, match="no classes"):
        convert(estimator, X, classes=["a", "b"])
    narrow = GaussianMixture(1, covariance_type="diag").fit(X)
    narrow.precisions_cholesky_ = narrow.precisions_cholesky_ * 1e12
    with pytest.raises(FeatureError, match="hardly any width"):
        convert(narrow, X)
    twice = np.concatenate([X, X[:, :1] * 2], axis=1)
    with pytest.warns(UserWarning, match="full rank"):
        envelope = EllipticEnvelope(random_state=0).fit(twice)
    with pytest.raises(Unsupported, match="singular"):
        convert(envelope, twice)
    wide = np.random.default_rng(0).normal(size=(20, 300))
    diagonal = GaussianMixture(1, covariance_type="diag").fit(wide)
    with pytest.raises(Unsupported, match="300 features"):
        convert(diagonal, wide)
