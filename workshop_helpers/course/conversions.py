"""Conversions done wrong on purpose, for notebook 07: what a careless converter would make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import CourseError
from ..model import DeviceModel
from ..model.ensembles import read
from ..model.features import as_rows, quantise
from ..model.flatten import flatten
from ..model.treefile import parse


def with_truncated_thresholds(model: DeviceModel) -> DeviceModel:
    """The same trees, with each threshold rounded down, floor(t), instead of floor(t) + 1.

    That is int(t) for what is not negative, and what one gets by forgetting that scikit-learn asks
    `x <= t` and the board `x < t`.
    """
    if model.kind != "trees":
        raise CourseError("Only trees have thresholds.", "Give a converted forest.")
    lines = []
    for line in model.data.decode("ascii").splitlines():
        kind, *fields = line.split(",")
        if kind == "n":
            fields[1] = str(int(fields[1]) - 1)
        lines.append(",".join([kind, *fields]))
    data = ("\n".join(lines) + "\n").encode("ascii")
    return replace(model, data=data, name=f"{model.name[:22]}_truncated")


def agreement_without_scaling(model: DeviceModel, X: Any) -> float:
    """Share of rows with scikit-learn's answer if its estimator had been converted unscaled.

    All scales are 1, so that features and thresholds are cut to whole numbers. `convert` and
    `verify` refuse to do this; a converter that trusts its caller does not.

    Args:
        model: a converted classifier with its estimator.
        X: [n, n_features], in the units of the training.
    """
    estimator: Any = model.estimator
    if model.kind != "trees" or estimator is None or model.task != "classification":
        raise CourseError("This needs a converted forest and its estimator.", "Use convert first.")
    scale = (1.0,) * len(model.features)
    host = parse(flatten(read(estimator), scale, model.voting))
    values, _ = quantise(as_rows(X, len(model.features)), scale)
    answers = np.asarray(model.classes)[model.winners(host.outputs(values))]
    return float(np.mean(answers == estimator.predict(X)))
