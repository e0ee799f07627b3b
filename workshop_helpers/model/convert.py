"""One call from a fitted estimator to what a board runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ..errors import FeatureError, ModelError
from . import features as feature_rules
from . import kinds
from .device_model import DeviceModel


def convert(
    estimator: Any,
    X: Any,
    *,
    features: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    voting: Literal["auto", "hard", "soft"] = "auto",
    scale: Literal["auto"] | float | Sequence[float] = "auto",
    weight_bits: Literal["auto", 8, 16] = "auto",
    answer: Literal["auto", "score", "label"] = "auto",
    threshold: float | str | None = None,
    name: str = "model",
    metadata: Mapping[str, Any] | None = None,
) -> DeviceModel:
    """Turn a fitted scikit-learn estimator into a model for a board.

    Args:
        estimator: fitted, one output: trees and forests, MLP*, GaussianNB, GaussianMixture,
            EllipticEnvelope (`kinds.supported()` lists them); all but trees also as the last step
            of a pipeline of scalers.
        X: [n, n_features], rows such as the board will see (the training rows do): they decide
            the scale. An array, nested lists or a data frame.
        features: names of the columns; else the estimator's, X's, or f0, f1, ...
        classes: labels to show in place of the estimator's, in the order of its `classes_`.
        voting: "hard": each tree has one vote; the official emlearn module can run it.
            "soft": trees add up class proportions of 8 bits, as scikit-learn does in floats.
            "auto": hard where nothing is lost by it (one tree, or every leaf of one class).
        scale: the board compares int16, floor(x * scale). "auto": 1 if all of X is integers
            within int16, else a power of two for each feature; see `features.choose_scale`.
        weight_bits: of a network's weights. "auto": 8, or 16 where 8 bits would err by more than
            0.15 of a share or of a regression's standard deviation.
        answer: a Gaussian mixture answers with its "score" (score_samples, the default) or with a
            "label", the likeliest component; see `threshold`.
        threshold: a mixture or an elliptic envelope with one answers -1 (anomaly) or 1 (normal): a
            score, or "1%" for the score that this share of X lies below. An envelope has its own.
        name: folder name on the board.
        metadata: JSON values to travel with the model, such as rate_hz, window, units.

    Regression leaves become integers of 24 bits; `metadata["error_bound"]` says how far, in units
    of y, the result may be from scikit-learn's by that (`error_bound_single` on boards whose
    Python floats are single precision).

    Raises:
        UnsupportedEstimatorError: another estimator, several outputs, or too many classes.
        FeatureError: X is empty, has NaN or the wrong width, or the scale can't work.
        ModelError: not fitted, or too large for the file format.
    """
    kind = kinds.find(estimator)
    source = kind.read(estimator)
    rows = _rows(X, estimator, source.n_features)
    options = kinds.Options(voting, scale, weight_bits, answer, threshold)
    labels = kind.classes(source, options)
    made = kind.convert(source, rows, options)
    model = DeviceModel(
        name=name,
        data=made.data,
        task=made.task,
        features=feature_rules.names_of(X, estimator, features, source.n_features),
        classes=_labels(labels, classes),
        scale=made.scale,
        voting=made.voting,
        metadata={**made.metadata, **(metadata or {})},
        kind=kind.name,
        module=kind.module,
        estimator=estimator,
    )
    _ = model.files  # metadata that is no JSON fails here, not on the way to the board
    return model


def _rows(X: Any, estimator: Any, n_features: int) -> feature_rules.FloatArray:
    feature_rules.check_columns(X, estimator)
    rows = feature_rules.as_rows(X, n_features)
    if not len(rows):
        raise FeatureError("X has no rows.", "Pass rows such as the board will see: X_train.")
    return rows


def _labels(own: tuple[Any, ...] | None, classes: Sequence[Any] | None) -> tuple[Any, ...]:
    if own is None:
        if classes is not None:
            raise ModelError("A regression has no classes.", "Leave classes= out.")
        return ()
    if classes is None:
        return own
    labels = tuple(c.item() if isinstance(c, np.generic) else c for c in classes)
    if len(labels) != len(own):
        raise ModelError(
            f"{len(labels)} class names for {len(own)} classes.",
            f"Name them in this order: {list(own)}.",
        )
    return labels
