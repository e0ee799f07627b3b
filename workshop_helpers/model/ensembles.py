"""What convert takes: scikit-learn's trees and forests of trees, and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedEstimatorError
from .estimators import plain_label, require_fitted
from .treefile import MAX_CLASSES, MAX_REGRESSION_TREES

SUPPORTED = (
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
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
    classifies = is_classifier(estimator)
    if classifies is None:
        raise UnsupportedEstimatorError(
            f"{type(estimator).__name__} is no tree and no forest of trees.",
            f"Supported: {', '.join(SUPPORTED)}.",
        )
    require_fitted(estimator)
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise UnsupportedEstimatorError(
            f"The estimator has {estimator.n_outputs_} outputs; a board's model has one.",
            "Fit one estimator for each column of y and convert each.",
        )
    members: Sequence[Any] = getattr(estimator, "estimators_", [estimator])
    trees = tuple(_tree(member.tree_, classifies) for member in members)
    classes = tuple(plain_label(c) for c in estimator.classes_) if classifies else None
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


def is_classifier(estimator: Any) -> bool | None:
    """True or False for a tree or a forest of trees, None for anything else."""
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
    return False if isinstance(estimator, regressors) else None


def _tree(raw: Any, classifies: bool) -> SourceTree:
    value = np.asarray(raw.value, dtype=np.float64)[:, 0, :]
    if classifies:  # proportions or weighted counts, depending on scikit-learn's version
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
