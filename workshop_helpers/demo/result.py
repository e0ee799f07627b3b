"""What one run of the demo measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DemoResult:
    """What the demo measured. `accuracy_*` and `agreement` are shares (0 to 1) of test windows."""

    accuracy_sklearn: float
    accuracy_device: float
    agreement: float
    disagreements_unexplained: int
    windows: int
    model_bytes: int
    module_bytes: int
    module_source: str
    ram_bytes: int
    us_per_inference: float
    records: int
    records_lost: int
    predictions: int
    predictions_correct: int
    port: str
    arch: str | None
    board: str
    seconds_to_first_prediction: float
    seconds_total: float
    report: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
