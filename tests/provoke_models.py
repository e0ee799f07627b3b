"""What models, data and notebooks do to us. See provoke_board.py."""

from __future__ import annotations

import sys

import numpy as np
from provoke_board import refused
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from workshop_helpers import datasets
from workshop_helpers.course import check
from workshop_helpers.model import convert, verify
from workshop_helpers.model.device_model import DeviceModel
from workshop_helpers.model.flatten import int_thresholds

X = np.random.default_rng(0).integers(0, 16, size=(300, 8))
Y = X[:, 0] + X[:, 1] * X[:, 2] % 5 > 11


def differs_without_cause(lab):
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(X, Y)
    assert verify(convert(forest, X), X).raise_if_unexplained().agreement > 0.9
    lab.monkeypatch.setattr(
        "workshop_helpers.model.flatten.int_thresholds",
        lambda tree, scale: int_thresholds(tree, scale) - 3,
    )
    verify(convert(forest, X), X).raise_if_unexplained()


def keras_model(lab):
    """Nothing here needs TensorFlow, and nothing imports it."""
    assert "tensorflow" not in sys.modules
    convert(type("Sequential", (), {"__module__": "keras.models"})(), X)


def features_unscaled(lab):
    floats = X / 16
    convert(DecisionTreeClassifier(random_state=0).fit(floats, Y), floats, scale=1)


def model_file_damaged(lab):
    convert(DecisionTreeClassifier(max_depth=3).fit(X, Y), X, name="m").save(lab.tmp_path)
    file = lab.tmp_path / "model.csv"
    file.write_bytes(file.read_bytes() + b"n,0,0\n")
    return refused(DeviceModel.load, lab.tmp_path)


def nothing_deployed(lab):
    with lab.own_board().stream():
        pass


def no_such_part(lab):
    datasets.load("basic_motions").part("holiday")


def no_such_exercise(lab):
    check("99.9", 1)
