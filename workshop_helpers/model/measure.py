"""What a model costs on a board: flash, heap, loading time, time for one inference."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BoardError, FeatureError
from ..text import rounded
from .device_model import DeviceModel
from .session import DeviceSession, as_text
from .tables import table_html

if TYPE_CHECKING:
    from ..board import Board

_MOST_ROWS = 16
_BATCHES_A_ROW = 5
_SHORTEST_BATCH_US = 5000
_TIMEOUT_S = 120.0


@dataclass(frozen=True, repr=False)
class Measurement:
    """Measured on the board after a soft reset.

    Args:
        module_bytes: size of the installed module's file (0 if it is built into the firmware).
        model_bytes: size of the model's data file.
        ram_bytes: heap taken by the imported module and the loaded model. Native code counts where
            the port keeps it on that heap, which some do not.
        ram_predicting_bytes: the same while it predicts: one row of features and whatever the
            first prediction sets up on top. Loading takes more for a moment: the lines of the file.
        garbage_bytes: heap that each further prediction takes until the next collection.
        heap_free_bytes: what is left then.
        largest_block_bytes: the largest piece of that, which is what the next large array needs.
        load_ms: importing the module and loading the model.
        us_per_inference: the median over the batches, Python call included.
        us_spread: the 10th and the 90th percentile of the same.
        repeats: how many batches were kept.
        rejected: how many were thrown away because the clock said zero or less.
    """

    board: str
    module: str
    module_bytes: int
    model_bytes: int
    ram_bytes: int
    ram_predicting_bytes: int
    garbage_bytes: int
    heap_free_bytes: int
    largest_block_bytes: int
    load_ms: float
    us_per_inference: float
    us_spread: tuple[float, float]
    repeats: int
    rejected: int = 0

    @property
    def flash_bytes(self) -> int:
        """Flash that model and module take, without model.json."""
        return self.model_bytes + self.module_bytes

    def __repr__(self) -> str:
        return (
            f"Measurement({self.board}, {self.module}: {rounded(self.us_per_inference, 3)} µs per "
            f"inference, {self.ram_bytes} B RAM, model {self.model_bytes} B, "
            f"loaded in {self.load_ms:.1f} ms)"
        )

    def _repr_html_(self) -> str:
        low, high = (rounded(us, 3) for us in self.us_spread)
        rows = {
            "one inference": f"{rounded(self.us_per_inference, 3)} µs ({low} … {high})",
            "RAM, module and model": f"{self.ram_bytes:,} bytes",
            "RAM while predicting": f"{self.ram_predicting_bytes:,} bytes, "
            f"and {self.garbage_bytes} of garbage each time",
            "heap left": f"{self.heap_free_bytes:,} bytes, {self.largest_block_bytes:,} in one "
            "piece",
            "flash": f"{self.flash_bytes:,} bytes: model {self.model_bytes:,}, "
            f"module {self.module_bytes:,} ({self.module})",
            "loading": f"{self.load_ms:.1f} ms",
        }
        return table_html(f"Measured on {self.board}", ["", ""], rows.items())


def measure(model: DeviceModel, board: Board, X: Any) -> Measurement:
    """Deploy the model, reset the board softly, and measure there.

    Args:
        X: [n, n_features], rows to time; up to sixteen, spread over X, are used.

    Raises:
        FeatureError: X does not fit the model.
        BoardError: the board has no microsecond clock, or one that does not move.
    """
    values = model.quantise(X)
    if not len(values):
        raise FeatureError("X has no rows.", "Pass the test rows: X_test.")
    session = DeviceSession(board, model)
    if not board.call("model_check.has_clock"):
        raise BoardError(
            "This board has no time.ticks_us, so nothing can be timed on it.",
            "Flash a firmware with it; verify() works without.",
        )
    board.soft_reset()
    ram_bytes, load_us, heap_free, largest_block = board.call(
        "model_check.load_cost", session.folder, timeout_s=_TIMEOUT_S
    )
    chosen = values[np.linspace(0, len(values) - 1, min(len(values), _MOST_ROWS)).astype(int)]
    first_bytes, garbage_bytes = board.call("model_check.predict_cost", as_text(chosen[0]))
    batches: list[list[int]] = []
    for row in chosen:  # one call a row keeps what travels, and what it takes on the heap, small
        batches += board.call(
            "model_check.time_rows",
            as_text(row),
            _BATCHES_A_ROW,
            _SHORTEST_BATCH_US,
            timeout_s=_TIMEOUT_S,
        )
    session.close()
    times = [duration_us / calls for duration_us, calls in batches if duration_us > 0]
    if not times:
        raise BoardError(
            "The board's microsecond clock does not move.", "Reset the board and measure again."
        )
    low, high = np.percentile(times, [10, 90])
    return Measurement(
        board=board.info.name,
        module=session.module.source,
        module_bytes=session.module.size_bytes,
        model_bytes=model.size_bytes,
        ram_bytes=ram_bytes,
        ram_predicting_bytes=ram_bytes + first_bytes,
        garbage_bytes=garbage_bytes,
        heap_free_bytes=heap_free,
        largest_block_bytes=largest_block,
        load_ms=max(0, load_us) / 1000,
        us_per_inference=float(statistics.median(times)),
        us_spread=(float(low), float(high)),
        repeats=len(times),
        rejected=len(batches) - len(times),
    )
