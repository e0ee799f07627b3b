"""What arrived and what did not, counted from the records alone."""

from __future__ import annotations

from dataclasses import dataclass

from .records import SEQ_MODULUS, Damaged, Item, Record, TextLine


@dataclass(frozen=True)
class Counters:
    """A snapshot.

    `lost` are sequence numbers that never came, a damaged record among them; `damaged` are lines
    that began as a record and failed its checks; `late` are records that took over a quarter of a
    second longer than the quickest; `dropped` are records that no loop took from the queue in time
    (subscribers still got them); `restarts` counts sequence numbers that went backwards.
    """

    records: int = 0
    lost: int = 0
    damaged: int = 0
    late: int = 0
    dropped: int = 0
    restarts: int = 0
    text_lines: int = 0
    size_bytes: int = 0

    def __str__(self) -> str:
        text = f"{self.records} records, {self.lost} lost"
        for name in ("damaged", "late", "dropped", "restarts"):
            if count := getattr(self, name):
                text += f", {count} {name}"
        return text


class Counting:
    """Keeps the counters while items come by."""

    LATE_S = 0.25
    # How fast the two clocks may drift apart; without it a long stream would end all late.
    DRIFT = 1e-3

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Counters.__dataclass_fields__, 0)
        self._expected_seq = 0
        self._quickest_s: float | None = None
        self._last_s = 0.0

    def snapshot(self) -> Counters:
        return Counters(**self._counts)

    def add_bytes(self, n: int) -> None:
        self._counts["size_bytes"] += n

    def drop(self) -> None:
        self._counts["dropped"] += 1

    def add(self, item: Item, now_s: float) -> None:
        """Count one item that arrived at `now_s` on the laptop's steady clock."""
        if isinstance(item, Record):
            self._counts["records"] += 1
            self._count_gap(item.seq)
            self._count_late(item.t_us, now_s)
        elif isinstance(item, Damaged):
            self._counts["damaged"] += 1
        elif isinstance(item, TextLine):
            self._counts["text_lines"] += 1

    def _count_gap(self, seq: int) -> None:
        gap = (seq - self._expected_seq) % SEQ_MODULUS
        if gap < SEQ_MODULUS // 2:
            self._counts["lost"] += gap
        else:
            self._counts["restarts"] += 1
            self._quickest_s = None
        self._expected_seq = (seq + 1) % SEQ_MODULUS

    def _count_late(self, t_us: int, now_s: float) -> None:
        offset_s = now_s - t_us / 1e6
        if self._quickest_s is None:
            self._quickest_s = offset_s
        else:
            drift_s = (now_s - self._last_s) * self.DRIFT
            self._quickest_s = min(offset_s, self._quickest_s + drift_s)
        self._last_s = now_s
        if offset_s - self._quickest_s > self.LATE_S:
            self._counts["late"] += 1
