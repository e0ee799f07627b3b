"""The kinds of model there are. Each has one file here; `_KINDS` is the only list of them."""

from __future__ import annotations

from typing import Any

from ...errors import ModelFileError, UnsupportedEstimatorError
from .base import Converted, HostModel, Kind, Options, Source
from .bayes import Bayes
from .gmm import Mixtures
from .mlp import Networks
from .trees import Trees

_KINDS: tuple[Kind, ...] = (Trees(), Networks(), Bayes(), Mixtures())
_BY_NAME = {kind.name: kind for kind in _KINDS}

__all__ = ["Converted", "HostModel", "Kind", "Options", "Source", "find", "get", "supported"]


def get(name: str) -> Kind:
    """The kind that model.json names; ModelFileError if there is none."""
    if name not in _BY_NAME:
        raise ModelFileError(
            f"There is no kind of model {name!r}.", f"There are: {', '.join(_BY_NAME)}."
        )
    return _BY_NAME[name]


def find(estimator: Any) -> Kind:
    """The kind that runs this estimator; UnsupportedEstimatorError lists what is supported."""
    for kind in _KINDS:
        if not isinstance(estimator, type) and kind.reads(estimator):
            return kind
    name = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
    mend = f"Supported: {', '.join(supported())}."
    if isinstance(estimator, type):
        mend = "Pass a fitted estimator, not its class: " + name + "().fit(X, y)."
    elif hasattr(estimator, "best_estimator_"):
        mend = "Pass its best_estimator_. " + mend
    elif hasattr(estimator, "steps"):
        mend = "Pass its last step, and X as the steps before it leave it. " + mend
    raise UnsupportedEstimatorError(f"There is no conversion for {name}.", mend, name=name)


def supported() -> tuple[str, ...]:
    """Class names of the estimators that convert takes."""
    return tuple(name for kind in _KINDS for name in kind.supported)
