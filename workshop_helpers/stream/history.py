"""What a stream has said so far, as arrays."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .records import Record


class History:
    """Collects the records of a stream; the oldest are forgotten beyond `max_records` a kind.

    Times are the board's, in seconds since the app began.
    """

    def __init__(self, hello: Record | None = None, max_records: int = 100_000) -> None:
        self._blocks: deque[Record] = deque(maxlen=max_records)
        self._predictions: deque[Record] = deque(maxlen=max_records)
        self.hello = hello
        self.t_s = 0.0

    def add(self, record: Record) -> None:
        """Take in one record of any kind."""
        self.t_s = max(self.t_s, record.t_us / 1e6)
        if record.kind == "hello":
            self.hello = record
        elif record.kind == "samples":
            self._blocks.append(record)
        elif record.kind == "prediction":
            self._predictions.append(record)

    # --- what the app said about itself -----------------------------------------------------
    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(map(str, self._said("classes", ())))

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(map(str, self._said("channels", ())))

    @property
    def rate_hz(self) -> float:
        return float(self._said("rate_hz", 1.0))

    @property
    def units_per_lsb(self) -> NDArray[np.float64]:
        """One factor a channel; 1 where the app gave none."""
        return np.array(self._said("units_per_lsb", None) or [1.0] * len(self.channels))

    @property
    def channel_units(self) -> tuple[str, ...]:
        """One unit a channel; "counts" where the app gave none."""
        known = self._said("channel_units", None) or ["counts"] * len(self.channels)
        return tuple(map(str, known))

    def _said(self, key: str, default: Any) -> Any:
        return default if self.hello is None else self.hello.get(key, default)

    # --- samples ----------------------------------------------------------------------------
    def samples(self, last_s: float | None = None) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Time of each sample, float64 [n], and the samples in counts, int16 [n, n_channels].

        `last_s`: only so many seconds before the newest record.
        """
        times: list[NDArray[np.float64]] = []
        values: list[NDArray[np.int16]] = []
        for block in reversed(self._blocks):
            # A block is stamped when its last sample has arrived.
            if last_s is not None and block.t_us / 1e6 < self.t_s - last_s:
                break
            rows = block.samples()
            times.append(block.t_us / 1e6 - np.arange(len(rows))[::-1] / self.rate_hz)
            values.append(rows)
        if not values:
            return np.empty(0), np.empty((0, max(1, len(self.channels))), dtype=np.int16)
        return np.concatenate(times[::-1]), np.concatenate(values[::-1])

    # --- predictions ------------------------------------------------------------------------
    @property
    def predictions(self) -> list[Record]:
        return list(self._predictions)

    def last_predictions(self, n: int) -> list[Record]:
        """The newest `n`, oldest first."""
        return list(islice(reversed(self._predictions), n))[::-1]

    @property
    def t_predictions_s(self) -> NDArray[np.float64]:
        return np.array([r.t_us / 1e6 for r in self._predictions], dtype=np.float64)

    @property
    def labels(self) -> NDArray[Any]:
        return np.array([str(r.get("label")) for r in self._predictions])

    @property
    def truth(self) -> NDArray[Any]:
        """What it really was, where the sensor knows it, else "None"."""
        return np.array([str(r.get("truth")) for r in self._predictions])

    @property
    def outputs(self) -> NDArray[np.float32]:
        """Share of each class, float32 [n, n_classes]; NaN where a record has none."""
        columns = range(len(self.classes))
        rows = [[share(record, i) for i in columns] for record in self._predictions]
        return np.array(rows, dtype=np.float32).reshape(len(rows), len(columns))

    @property
    def inference_us(self) -> NDArray[np.float64]:
        return np.array([r.get("us", np.nan) for r in self._predictions], dtype=np.float64)

    @property
    def accuracy(self) -> float | None:
        """Share of right predictions among those whose truth is known."""
        known = [r for r in self._predictions if r.get("truth") is not None]
        if not known:
            return None
        right = sum(bool(r.get("label") == r.get("truth")) for r in known)
        return right / len(known)


def share(record: Record, index: int) -> float:
    """One of a prediction's outputs; NaN if it has no such number."""
    outputs = record.get("outputs")
    if isinstance(outputs, list) and index < len(outputs):
        value = outputs[index]
        if isinstance(value, int | float):
            return float(value)
    return float("nan")
