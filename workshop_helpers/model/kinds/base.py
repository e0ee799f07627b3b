"""What a kind of model is: which estimators it reads, its file, its host reference."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .. import features as feature_rules
from ..causes import OTHER_ESTIMATOR, OVERFLOW, ROUNDING, UNEXPLAINED, Rows

if TYPE_CHECKING:
    from ..answers import Answers
    from ..device_model import DeviceModel

FloatArray = npt.NDArray[np.float64]


class Source(Protocol):
    """A fitted estimator, read and checked. `classes` is None for regression."""

    @property
    def n_features(self) -> int: ...
    @property
    def classes(self) -> tuple[Any, ...] | None: ...


class HostModel(Protocol):
    """A parsed model file, evaluated with the device's arithmetic.

    With as many outputs as classes, the first of the largest wins; with one output and two classes,
    the second class wins from 0 on.
    """

    @property
    def n_features(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def capacities(self) -> list[int]:
        """What the module's `new()` is given; empty where the module has `load(path)`."""
        ...

    def outputs(self, values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """int16 [n, n_features] -> float32 [n, n_outputs]."""
        ...

    def describe(self) -> str:
        """Its size in a few words: "10 trees, 600 nodes"."""
        ...


@dataclass(frozen=True)
class Options:
    """What the caller of convert asked for, unchecked."""

    voting: str = "auto"
    scale: Any = "auto"
    weight_bits: Any = "auto"
    answer: str = "auto"
    threshold: Any = None


@dataclass(frozen=True)
class Converted:
    """What a kind makes of a source: the file's bytes and what travels in model.json.

    task: "classification" or "regression". `scale`: one factor a feature. metadata: JSON values;
    "error_bound" (of one output, in its own units) is what verify allows and names.
    """

    data: bytes
    task: str
    scale: tuple[float, ...]
    voting: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


class Kind(ABC):
    """One way to run a model on a board.

    name: in model.json. module: the native module that runs it. file: its data file's name.
    supported: class names for people. bits_exact: the board's outputs are computed in integers, so
    that boards with single-precision floats give the host reference's bits as well.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    file: ClassVar[str] = "model.bin"
    supported: ClassVar[tuple[str, ...]]
    bits_exact: ClassVar[bool] = True

    @abstractmethod
    def reads(self, estimator: Any) -> bool:
        """Whether `estimator` (an instance, fitted or not) is one of `supported`."""

    @abstractmethod
    def read(self, estimator: Any) -> Source:
        """Check what `reads` accepts. UnsupportedEstimatorError, ModelError (not fitted)."""

    @abstractmethod
    def convert(self, source: Any, rows: FloatArray, options: Options) -> Converted:
        """From what `read` gave and float64 [n, n_features], such as the board will see."""

    @abstractmethod
    def parse(self, data: bytes) -> HostModel:
        """ModelFileError for anything that a board could not run safely."""

    def classes(self, source: Any, options: Options) -> tuple[Any, ...] | None:
        """The labels the model answers with; None if it answers with a value."""
        if options.threshold is not None or options.answer != "auto":
            raise ModelError(
                "Only Gaussian mixtures and elliptic envelopes have scores and a threshold.",
                "Leave answer= and threshold= out.",
            )
        found: tuple[Any, ...] | None = source.classes
        return found

    def labels(self, estimator: Any, model: DeviceModel) -> tuple[Any, ...]:
        """The estimator's own labels, in the order of the model's classes."""
        return tuple(estimator.classes_)

    def reference(
        self, estimator: Any, X: Any, model: DeviceModel
    ) -> tuple[npt.NDArray[Any], FloatArray | None]:
        """scikit-learn's labels or values [n], and its outputs [n, n_outputs] if it tells them."""
        said = np.asarray(estimator.predict(X))
        if hasattr(estimator, "predict_proba"):
            return said, np.asarray(estimator.predict_proba(X), dtype=np.float64)
        return said, None

    def is_source(self, estimator: Any, model: DeviceModel) -> bool:
        """False if the model can't have been converted from this estimator, fitted as it is."""
        return True

    def causes(
        self, answers: Answers, rows: Rows, estimator: Any, which: npt.NDArray[np.int64]
    ) -> list[str]:
        """Why each of the rows `which` differs from scikit-learn, though board and host agree."""
        if not self.is_source(estimator, answers.model):
            return [OTHER_ESTIMATOR] * len(which)
        reach = 2 * float(answers.model.metadata.get("error_bound", 0.0))  # two outputs may be off
        named = []
        for row in which.tolist():
            if rows.clipped[row].any():
                named.append(OVERFLOW)
            elif not answers.is_regression and answers.gap(row) <= reach:
                named.append(ROUNDING)
            else:
                named.append(UNEXPLAINED)
        return named


def refuse_voting(options: Options) -> None:
    """ModelError if a voting was asked for, which trees alone do."""
    if options.voting != "auto":
        raise ModelError("Only models of trees vote.", "Leave voting= out.")


def refuse_weight_bits(options: Options) -> None:
    """ModelError if bits of weights were asked for, which networks alone have."""
    if options.weight_bits != "auto":
        raise ModelError("Only models of neural networks have weights.", "Leave weight_bits= out.")


def scale_rule(asked: Any, scales: tuple[float, ...]) -> str:
    """How the scale came about, in words, for the metadata."""
    if not isinstance(asked, str):
        return "given"
    if all(factor == 1 for factor in scales):
        return "integers"
    return f"powers of two, room for {feature_rules.HEADROOM} times the largest value seen"
