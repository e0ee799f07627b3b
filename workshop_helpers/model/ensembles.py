"""What convert takes: scikit-learn's trees and forests of trees, and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError, UnsupportedEstimatorError
from .treefile import MAX_CLASSES, MAX_REGRESSION_TREES

SUPPORTED = (
    "DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor, "
    "RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor"
)


@dataclass(frozen=True, eq=False)
class SourceTree:
    """One fitted tree: children int64 [n] (-1 at a leaf), feature, threshold float64 [n], and

    value float64 [n, n_classes] (proportions, each row sums to 1) or [n, 1] (regression).
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    raw: Any

    @property
    def is_leaf(self) -> npt.NDArray[np.bool_]:
        return self.left < 0

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The leaf scikit-learn itself ends in: float64 [n, n_features] -> node ids int64 [n]."""
        leaves: npt.NDArray[np.int64] = self.raw.apply(np.ascontiguousarray(rows, np.float32))
        return leaves


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A fitted estimator reduced to what a board needs. `classes` is None for regression."""

    trees: tuple[SourceTree, ...]
    n_features: int
    classes: tuple[Any, ...] | None

    @property
    def n_outputs(self) -> int:
        return 1 if self.classes is None else len(self.classes)

    @property
    def is_pure(self) -> bool:
        """Every leaf of every tree holds one class only, so that hard voting loses nothing."""
        return all(bool((t.value[t.is_leaf].max(axis=1) == 1).all()) for t in self.trees)

    def used_features(self) -> npt.NDArray[np.bool_]:
        used = np.zeros(self.n_features, dtype=bool)
        for tree in self.trees:
            used[tree.feature[~tree.is_leaf]] = True
        return used

    def largest_threshold(self) -> npt.NDArray[np.float64]:
        """The largest |threshold| of each feature, float64 [n_features]; 0 where there is none."""
        largest = np.zeros(self.n_features)
        for tree in self.trees:
            inside = ~tree.is_leaf & np.isfinite(tree.threshold)
            np.maximum.at(largest, tree.feature[inside], np.abs(tree.threshold[inside]))
        return largest


def read(estimator: Any) -> Ensemble:
    """UnsupportedEstimatorError for what is not a tree ensemble with one output, fitted."""
    is_classifier = _kind(estimator)
    _require_fitted(estimator)
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise UnsupportedEstimatorError(
            f"The estimator has {estimator.n_outputs_} outputs; a board's model has one.",
            "Fit one estimator for each column of y and convert each.",
        )
    members: Sequence[Any] = getattr(estimator, "estimators_", [estimator])
    trees = tuple(_tree(member.tree_, is_classifier) for member in members)
    classes = tuple(_plain(c) for c in estimator.classes_) if is_classifier else None
    if classes is not None and len(classes) > MAX_CLASSES:
        raise UnsupportedEstimatorError(
            f"The estimator has {len(classes)} classes; a model file holds {MAX_CLASSES}.",
            "Merge rare classes before training.",
        )
    if classes is None and len(trees) > MAX_REGRESSION_TREES:
        raise UnsupportedEstimatorError(
            f"{len(trees)} trees; a regression's sum stays exact up to {MAX_REGRESSION_TREES}.",
            f"Train with n_estimators={MAX_REGRESSION_TREES} or fewer.",
        )
    return Ensemble(trees, int(estimator.n_features_in_), classes)


def _kind(estimator: Any) -> bool:
    from sklearn import ensemble, tree

    classifiers = (
        tree.DecisionTreeClassifier,  # the parent of ExtraTreeClassifier
        ensemble.RandomForestClassifier,
        ensemble.ExtraTreesClassifier,
    )
    regressors = (
        tree.DecisionTreeRegressor,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesRegressor,
    )
    if isinstance(estimator, classifiers):
        return True
    if isinstance(estimator, regressors):
        return False
    name = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
    mend = f"Supported: {SUPPORTED}."
    if isinstance(estimator, type):
        mend = "Pass a fitted estimator, not its class: " + name + "().fit(X, y)."
    elif hasattr(estimator, "best_estimator_"):
        mend = "Pass its best_estimator_. " + mend
    elif hasattr(estimator, "steps"):
        mend = "Pass its last step, and X as the steps before it leave it. " + mend
    raise UnsupportedEstimatorError(f"There is no conversion for {name}.", mend, name=name)


def _require_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise ModelError(
            f"This {type(estimator).__name__} is not fitted.", "Call estimator.fit(X, y) first."
        ) from None


def _tree(raw: Any, is_classifier: bool) -> SourceTree:
    value = np.asarray(raw.value, dtype=np.float64)[:, 0, :]
    if is_classifier:  # proportions or weighted counts, depending on scikit-learn's version
        total = value.sum(axis=1, keepdims=True)
        value = value / np.where(total > 0, total, 1.0)
    return SourceTree(
        left=np.asarray(raw.children_left, dtype=np.int64),
        right=np.asarray(raw.children_right, dtype=np.int64),
        feature=np.asarray(raw.feature, dtype=np.int64),
        threshold=np.asarray(raw.threshold, dtype=np.float64),
        value=value,
        raw=raw,
    )


def _plain(label: Any) -> Any:
    """A class label as JSON can hold it."""
    label = label.item() if isinstance(label, np.generic) else label
    if isinstance(label, str | bool | int | float):
        return label
    raise UnsupportedEstimatorError(
        f"The class label {label!r} is a {type(label).__name__}.",
        "Name the classes with convert(..., classes=[...]), as text or numbers.",
    )
