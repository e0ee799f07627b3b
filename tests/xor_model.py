"""The model of notebook 06, for tests."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from workshop_helpers.model import DeviceModel, convert


def xor_model() -> DeviceModel:
    """A forest that says whether exactly one of two dials is turned to the right."""
    X = np.random.default_rng(1).uniform(-1, 1, (600, 2))
    y = np.where((X[:, 0] > 0) != (X[:, 1] > 0), "on", "off")
    forest = RandomForestClassifier(n_estimators=10, random_state=1).fit(X[:400], y[:400])
    return convert(forest, X[:400], features=["left", "right"], name="xor")
