"""Models as notebooks make them, for who did not get there. A test compares them with theirs."""

from __future__ import annotations

from ..model import DeviceModel, convert


def xor_model() -> DeviceModel:
    """The forest of notebook 06: whether exactly one of two dials is turned to the right."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    X = np.random.default_rng(1).uniform(-1, 1, (600, 2))
    y = np.where((X[:, 0] > 0) != (X[:, 1] > 0), "on", "off")
    forest = RandomForestClassifier(n_estimators=10, random_state=1).fit(X[:400], y[:400])
    return convert(forest, X[:400], features=["left", "right"], name="xor")
