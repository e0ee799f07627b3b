"""Random estimators and data for the tests of the model part; everything follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

SINGLE = {
    "classification": (DecisionTreeClassifier, ExtraTreeClassifier),
    "regression": (DecisionTreeRegressor, ExtraTreeRegressor),
}
FORESTS = {
    "classification": (RandomForestClassifier, ExtraTreesClassifier),
    "regression": (RandomForestRegressor, ExtraTreesRegressor),
}
DATA = ("small integers", "all of int16", "floats", "steps", "tiny", "huge", "bits")


@dataclass(frozen=True, eq=False)
class Case:
    """A fitted estimator, rows to train on and rows to test with."""

    estimator: Any
    X: np.ndarray
    X_test: np.ndarray
    data: str

    @property
    def is_exact(self) -> bool:
        """Every value is an integer within int16: nothing is lost on the way to the board."""
        return self.data in ("small integers", "all of int16", "bits")


def table(rng: np.random.Generator, data: str, rows: int, columns: int) -> np.ndarray:
    """[rows, columns] float64 (or int64) values of one kind; one column may be constant."""
    if data == "small integers":
        X = rng.integers(-9, 10, (rows, columns))
    elif data == "all of int16":
        X = rng.choice([-32768, -32767, -1, 0, 1, 32766, 32767], (rows, columns))
        X = np.where(rng.random(X.shape) < 0.5, X, rng.integers(-32768, 32768, X.shape))
    elif data == "bits":
        X = rng.integers(0, 2, (rows, columns))
    elif data == "steps":
        X = np.round(rng.normal(size=(rows, columns)) * 3, 1)
    else:
        X = rng.normal(size=(rows, columns)) * {"floats": 5.0, "tiny": 1e-20, "huge": 1e20}[data]
    if columns > 1 and rng.random() < 0.2:
        X[:, 0] = X[0, 0]
    return X


def build(seed: int, task: str, data: str) -> Case:
    """A case from a seed: sizes, kind of estimator and its settings are drawn from it."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(1, 50)), int(rng.integers(1, 7))
    X = table(rng, data, rows, columns)
    settings: dict[str, Any] = {"random_state": seed % 1000}
    if rng.random() < 0.5:
        settings["max_depth"] = int(rng.integers(1, 5))
    elif rng.random() < 0.3:
        settings["max_leaf_nodes"] = int(rng.integers(2, 12))
    if rng.random() < 0.4:
        settings["min_samples_leaf"] = int(rng.integers(1, 5))
    kinds = SINGLE if rng.random() < 0.3 else FORESTS
    if kinds is FORESTS:
        settings["n_estimators"] = int(rng.integers(1, 9))
    if task == "classification":
        labels = np.array([["walk", "run", "rest", "<b>"], [3, -1, 7, 20]][int(rng.integers(2))])
        y: np.ndarray = labels[rng.integers(0, rng.integers(1, 5), rows)]
        if rng.random() < 0.3:
            settings["class_weight"] = "balanced"
    else:
        y = rng.normal(size=rows) * 10.0 ** rng.integers(-3, 5) + 10.0 ** rng.integers(-3, 5)
    estimator = kinds[task][int(rng.integers(2))](**settings)
    weights = rng.random(rows) + 0.1 if rng.random() < 0.3 else None
    estimator.fit(X, y, sample_weight=weights)
    return Case(estimator, X, np.vstack([X, table(rng, data, 40, columns)]), data)


def cases(task: str | None = None, data: tuple[str, ...] = DATA) -> st.SearchStrategy[Case]:
    """Any case, or those of one task and some kinds of data."""
    tasks = [task] if task else ["classification", "regression"]
    return st.builds(
        build, st.integers(0, 2**32 - 1), st.sampled_from(tasks), st.sampled_from(data)
    )
