"""What verify found, to read and to assert on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .causes import EXPLANATIONS, UNEXPLAINED
from .tables import table_html


@dataclass(frozen=True)
class WorstRow:
    """A row whose answers differ. `gap`: how sure the reference was, the share of its class minus

    that of the device's class (classification), or the distance in units of y (regression).
    """

    row: int
    expected: Any
    device: Any
    gap: float
    cause: str


@dataclass(frozen=True, repr=False)
class VerifyReport:
    """scikit-learn against the device, row by row.

    Args:
        model: the model's name.
        rows: how many were compared; every one of them ran.
        matches, mismatches: answers equal and not: the same label, or, for regression, not
            farther apart than the model's error bound.
        causes: mismatches by cause; `causes.EXPLANATIONS` says what each means.
        worst: up to ten mismatches, the largest gap first.
        reference: "scikit-learn", or "host reference" where the model has no estimator.
        device: the board's name, or "host reference" where there was no board.
        module: what ran the model there ("workshop native", ...), None without a board.
        host_matches_device: outputs of host reference and board equal in every row, bit by bit
            (on boards with single-precision floats within `tolerance`); None without a board.
        largest_difference: the largest distance of an output of the two, 0 if bit by bit equal.
        tolerance: the distance that was allowed there.
        file_matches: the board's data file has the model's SHA-256; None without a board.
        accuracy_sklearn, accuracy_device: share of rows equal to y (R² for regression), if given.
        largest_error: regression only: the largest |device - reference|, in units of y.
        device_labels: what the device said, [rows]: labels, or values in units of y.
    """

    model: str
    rows: int
    matches: int
    mismatches: int
    causes: dict[str, int] = field(default_factory=dict)
    worst: tuple[WorstRow, ...] = ()
    reference: str = "scikit-learn"
    device: str = "host reference"
    module: str | None = None
    host_matches_device: bool | None = None
    largest_difference: float = 0.0
    tolerance: float = 0.0
    file_matches: bool | None = None
    accuracy_sklearn: float | None = None
    accuracy_device: float | None = None
    largest_error: float | None = None
    device_labels: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0), compare=False)

    @property
    def agreement(self) -> float:
        """Share of rows with the same answer, 0 to 1."""
        return self.matches / self.rows

    def raise_if_unexplained(self) -> VerifyReport:
        """ModelError if a difference has no known cause or host and board differ; else itself."""
        unexplained = self.causes.get(UNEXPLAINED, 0)
        if unexplained or (self.host_matches_device is False and self.file_matches):
            raise ModelError(
                f"{unexplained} of {self.rows} rows differ for no known reason; host reference and "
                f"board are up to {self.largest_difference:g} apart.",
                "Reset the board and verify again; if it stays, report it with the model.",
                unexplained=unexplained,
            )
        return self

    def __repr__(self) -> str:
        text = f"VerifyReport({self.model}: {self.matches} of {self.rows} rows agree "
        text += f"({self.agreement:.2%}), {self.device} vs {self.reference}"
        if self.causes:
            text += "; " + ", ".join(f"{n} {cause}" for cause, n in self.causes.items())
        if self.host_matches_device is False:
            text += "; host reference and board differ"
        return text + ")"

    def _repr_html_(self) -> str:
        rows: list[tuple[object, object]] = [
            ("agreement", f"{self.agreement:.2%} ({self.matches} of {self.rows} rows)"),
            ("compared", f"{self.device} vs {self.reference}"),
        ]
        if self.module:
            rows.append(("module", self.module))
        if self.host_matches_device is not None:
            rows.append(("host reference = board", "yes" if self.host_matches_device else "NO"))
        if self.accuracy_sklearn is not None and self.accuracy_device is not None:
            unit = "R²" if self.largest_error is not None else "accuracy"
            both = f"{self.accuracy_sklearn:.4f} → {self.accuracy_device:.4f}"
            rows.append((f"{unit}, {self.reference} → device", both))
        if self.largest_error is not None:
            rows.append(("largest error", f"{self.largest_error:.3g}"))
        rows += [(f"{n} × {cause}", EXPLANATIONS[cause]) for cause, n in self.causes.items()]
        html = table_html(f"Model {self.model}", ["", ""], rows)
        if self.worst:
            heads = ["row", "expected", "device", "gap", "cause"]
            cells = [(w.row, w.expected, w.device, f"{w.gap:.3g}", w.cause) for w in self.worst]
            html += table_html("Worst rows", heads, cells)
        return html
