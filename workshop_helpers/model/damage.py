"""What is said about a model file that no board could run safely."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ..errors import ModelFileError


def within(what: str, values: npt.NDArray[Any], low: int, high: int) -> None:
    """Raise `damaged` unless all values lie within low..high."""
    if values.size and not (low <= values.min() and values.max() <= high):
        raise damaged(f"a {what} lies outside {low}..{high} (found {values.min()}..{values.max()})")


def damaged(why: str) -> ModelFileError:
    return ModelFileError(
        f"The model file is damaged: {why}.",
        "Save it again with model.save(folder), or convert the estimator again.",
    )
