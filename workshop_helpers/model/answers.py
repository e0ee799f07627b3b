"""The two sides that verify compares: what the device said, and what scikit-learn says."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FeatureError, ModelError
from .device_model import DeviceModel


@dataclass(frozen=True, eq=False)
class OnBoard:
    """outputs float32 [n, n_outputs], answers int64 [n] (none for regression), differs bool [n]."""

    outputs: npt.NDArray[np.float32]
    answers: npt.NDArray[np.int64]
    differs: npt.NDArray[np.bool_]
    name: str = "host reference"
    module: str | None = None
    largest_difference: float = 0.0
    tolerance: float = 0.0
    file_matches: bool | None = None
    single: bool = False


class Answers:
    """What the two sides say: class indices int64 [n], or values float64 [n]."""

    def __init__(
        self,
        model: DeviceModel,
        estimator: Any,
        X: Any,
        host: npt.NDArray[np.float32],
        on_board: OnBoard,
    ) -> None:
        self.model, self.on_board = model, on_board
        self.is_regression = model.task == "regression"
        self.sureness: npt.NDArray[Any] = host
        if self.is_regression:
            self.device: npt.NDArray[Any] = on_board.outputs[:, 0].astype(np.float64)
            self.expected: npt.NDArray[Any] = host[:, 0].astype(np.float64)
        else:
            self.device = on_board.answers
            self.expected = model.winners(host)
        if estimator is None:
            return
        with warnings.catch_warnings():  # names of columns were checked; an array has none
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            said, outputs = model.runs_as.reference(estimator, X, model)
        if self.is_regression:
            self.expected = said.astype(np.float64)
            return
        if outputs is not None:
            self.sureness = outputs
        known = list(model.runs_as.labels(estimator, model))
        if len(known) != len(model.classes):
            raise ModelError(
                f"The estimator has {len(known)} classes, the model {len(model.classes)}.",
                "Convert the estimator again.",
            )
        index = {label: i for i, label in enumerate(known)}
        self.expected = np.array([index[label] for label in said.tolist()], dtype=np.int64)

    def labels(self) -> npt.NDArray[Any]:
        """What the device said, as labels, or as values in units of y, [n]."""
        if self.is_regression:
            return self.device
        said: npt.NDArray[Any] = np.asarray(self.model.classes)[self.device]
        return said

    def distance(self) -> npt.NDArray[np.float64]:
        """|device - expected| float64 [n] (regression), or 0 and 1."""
        apart: npt.NDArray[np.float64] = np.abs(self.device - self.expected).astype(np.float64)
        return apart

    def bound(self) -> float:
        """How far apart two regression values may be without being called different."""
        key = "error_bound_single" if self.on_board.single else "error_bound"
        return float(self.model.metadata.get(key, 0.0)) if self.is_regression else 0.0

    def gap(self, row: int) -> float:
        if self.is_regression:
            return float(self.distance()[row])
        shares = self.sureness[row]
        if len(shares) == 1:  # a score, whose sign decides
            return abs(float(shares[0]))
        return float(shares[self.expected[row]] - shares[self.device[row]])

    def shown(self, side: npt.NDArray[Any], row: int) -> Any:
        return float(side[row]) if self.is_regression else self.model.classes[int(side[row])]

    def score(self, side: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
        if not self.is_regression:
            return float((side == truth).mean())
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1 - float(((side - truth) ** 2).sum()) / spread if spread else float("nan")


def truth_of(model: DeviceModel, estimator: Any, y: Any, rows: int) -> npt.NDArray[Any]:
    """y as class indices (-1 for a label the model does not know) or as float64, [n]."""
    truth = np.asarray(y)
    if truth.shape != (rows,):
        raise FeatureError(f"y has the shape {truth.shape} for {rows} rows of X.", "Pass y_test.")
    if model.task == "regression":
        try:
            return truth.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise FeatureError(
                f"y has something that is no number ({error}).", "Pass y_test."
            ) from None
    names = [model.classes, model.runs_as.labels(estimator, model) if estimator else ()]
    best = max(names, key=lambda labels: sum(label in set(labels) for label in truth.tolist()))
    index = {label: i for i, label in enumerate(best)}
    return np.array([index.get(label, -1) for label in truth.tolist()])
