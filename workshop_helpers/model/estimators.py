"""What every conversion asks of an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError, UnsupportedEstimatorError


def require_fitted(estimator: Any) -> None:
    """ModelError unless `estimator` has been fitted."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise ModelError(
            f"This {type(estimator).__name__} is not fitted.", "Call estimator.fit(X, y) first."
        ) from None


def plain_label(label: Any) -> Any:
    """A class label as JSON can hold it; UnsupportedEstimatorError if it can't."""
    label = label.item() if isinstance(label, np.generic) else label
    if isinstance(label, str | bool | int | float):
        return label
    raise UnsupportedEstimatorError(
        f"The class label {label!r} is a {type(label).__name__}.",
        "Name the classes with convert(..., classes=[...]), as text or numbers.",
    )
