"""What a stream has said so far, as arrays."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .hello import check_hello, check_samples
from .records import Record


@dataclass(frozen=True)
class Block:
    """One record "samples": int16 [n, n_channels], when its last sample had come, and the place of
    its first among all samples, None if the app does not say."""

    t_s: float
    samples: NDArray[np.int16]
    at: int | None


class History:
    """Collects the records of a stream; the oldest are forgotten beyond `max_records` a kind.

    Times are the board's, in seconds since the app began. Not for two threads at once. StreamError
    for records that contradict themselves or each other.
    """

    def __init__(self, hello: Record | None = None, max_records: int = 100_000) -> None:
        self._blocks: deque[Block] = deque(maxlen=max_records)
        self._n_blocks = 0
        self._predictions: deque[Record] = deque(maxlen=max_records)
        self._truths: deque[str | None] = deque(maxlen=max_records)
        # Of all predictions, the forgotten ones too: (truth, what the board said) -> how many.
        self.confusion: Counter[tuple[str, str]] = Counter()
        self.hello = hello
        self.label: str | None = None  # the one given last by hand
        self.heap_free_bytes: int | None = None
        self.t_s = 0.0
        if hello is not None:
            check_hello(hello)
            self._notice_heap(hello)

    def add(self, record: Record) -> None:
        """Take in one record of any kind. A second hello is a new start: what came before is
        forgotten, since the board's clock begins again."""
        if record.kind == "hello":
            check_hello(record)
            if self.hello not in (None, record):
                self._forget()
        self.t_s = max(self.t_s, record.t_us / 1e6)
        self._notice_heap(record)
        if record.kind == "hello":
            self.hello = record
        elif record.kind == "samples":
            at, samples = record.get("at"), record.samples()
            check_samples(samples.shape[1], self.hello)
            block = Block(record.t_us / 1e6, samples, at if isinstance(at, int) else None)
            self._blocks.append(block)
            self._n_blocks += 1
        elif record.kind == "label":
            self.label = str(record.get("text"))
        elif record.kind == "prediction":
            self._add_prediction(record)

    def _forget(self) -> None:
        self._blocks.clear()
        self._predictions.clear()
        self._truths.clear()
        self.confusion.clear()
        self.label = None
        self.t_s = 0.0

    def _add_prediction(self, record: Record) -> None:
        """A sensor that plays a recording knows the truth; else it is the label given by hand."""
        known = record.get("truth")
        truth = self.label if known is None else str(known)
        self._predictions.append(record)
        self._truths.append(truth)
        if truth is not None:
            self.confusion[truth, str(record.get("label"))] += 1

    def _notice_heap(self, record: Record) -> None:
        free = record.get("heap_free")
        if isinstance(free, int):
            self.heap_free_bytes = free

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
            if last_s is not None and block.t_s < self.t_s - last_s:
                break
            n = len(block.samples)
            times.append(block.t_s - np.arange(n)[::-1] / self.rate_hz)
            values.append(block.samples)
        if not values:
            return np.empty(0), np.empty((0, max(1, len(self.channels))), dtype=np.int16)
        return np.concatenate(times[::-1]), np.concatenate(values[::-1])

    def blocks_since(self, n: int) -> tuple[list[Block], int]:
        """The blocks that came after the first `n`, as far as they are kept, and how many there
        have been by now."""
        new = min(self._n_blocks - n, len(self._blocks))
        return list(islice(reversed(self._blocks), new))[::-1], self._n_blocks

    # --- predictions ------------------------------------------------------------------------
    @property
    def predictions(self) -> list[Record]:
        return list(self._predictions)

    def last_predictions(self, n: int) -> list[Record]:
        """The newest `n`, oldest first."""
        return list(islice(reversed(self._predictions), n))[::-1]

    def last_truths(self, n: int) -> list[str | None]:
        """What the newest `n` predictions should have said; None where nobody knows."""
        return list(islice(reversed(self._truths), n))[::-1]

    @property
    def t_predictions_s(self) -> NDArray[np.float64]:
        return np.array([r.t_us / 1e6 for r in self._predictions], dtype=np.float64)

    @property
    def labels(self) -> NDArray[Any]:
        return np.array([str(r.get("label")) for r in self._predictions])

    @property
    def truth(self) -> NDArray[Any]:
        """What it really was, where the sensor knows it or somebody gave a label, else "None"."""
        return np.array([str(truth) for truth in self._truths])

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
        total = sum(self.confusion.values())
        right = sum(n for (truth, label), n in self.confusion.items() if truth == label)
        return right / total if total else None


def share(record: Record, index: int) -> float:
    """One of a prediction's outputs; NaN if it has no such number."""
    outputs = record.get("outputs")
    if isinstance(outputs, list | np.ndarray) and index < len(outputs):
        value = outputs[index]
        if isinstance(value, int | float | np.floating):
            return float(value)
    return float("nan")
