"""What arrived and what did not, counted from the records alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ..text import counted
from .records import SEQ_MODULUS, Damaged, Gap, Item, Record, TextLine


@dataclass(frozen=True)
class Counters:
    """A snapshot.

    `lost` are sequence numbers that never came, a damaged record among them; `damaged` are lines
    that began as a record and failed its checks; `late` are records that took over a quarter of a
    second longer than the quickest; `dropped` are records that no loop took from the queue in time
    (subscribers still got them); `restarts` counts sequence numbers that went backwards: a board
    that started anew by itself. `gaps` are the times the app was started again from here, `gap_s`
    how long nothing came meanwhile.

    The rates are of the last five seconds. `latency_ms` and `latency_p99_ms` say how much longer
    than the quickest the last 1000 records took: the median and the 99th percentile.
    """

    records: int = 0
    lost: int = 0
    damaged: int = 0
    late: int = 0
    dropped: int = 0
    restarts: int = 0
    gaps: int = 0
    text_lines: int = 0
    size_bytes: int = 0
    gap_s: float = 0.0
    records_per_s: float = 0.0
    bytes_per_s: float = 0.0
    latency_ms: float = 0.0
    latency_p99_ms: float = 0.0

    def __str__(self) -> str:
        text = f"{self.records} records, {self.lost} lost"
        for name in ("damaged", "late", "dropped", "restarts"):
            if count := getattr(self, name):
                text += f", {count} {name}"
        if self.gaps:
            text += f", {counted(self.gaps, 'gap')} of {self.gap_s:.1f} s"
        return text


class Counting:
    """Keeps the counters while items come by. All times are of the laptop's steady clock."""

    LATE_S = 0.25
    # How fast the two clocks may drift apart; without it a long stream would end all late.
    DRIFT = 1e-3
    RATE_OVER_S = 5.0
    _SLOT_S = 0.1

    def __init__(self) -> None:
        self._counts: dict[str, int] = {
            name: 0 for name, field in Counters.__dataclass_fields__.items() if field.type == "int"
        }
        self._gap_s = 0.0
        self._latencies_s: deque[float] = deque(maxlen=1000)
        # [begin of a tenth of a second, records, bytes]
        self._slots: deque[list[float]] = deque()
        self._first_s: float | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """The app starts again: its numbers and its clock do, too."""
        self._expected_seq = 0
        self._quickest_s: float | None = None
        self._last_s = 0.0

    def snapshot(self, now_s: float | None = None) -> Counters:
        """The counters; the rates at `now_s`, without it at the last arrival."""
        latencies_s = sorted(self._latencies_s) or [0.0]
        records_per_s, bytes_per_s = self._rates(now_s)
        return Counters(
            **self._counts,
            gap_s=self._gap_s,
            records_per_s=records_per_s,
            bytes_per_s=bytes_per_s,
            latency_ms=1e3 * latencies_s[len(latencies_s) // 2],
            latency_p99_ms=1e3 * latencies_s[int(0.99 * (len(latencies_s) - 1) + 0.5)],
        )

    def add_bytes(self, n: int, now_s: float = 0.0) -> None:
        self._counts["size_bytes"] += n
        self._slot(now_s)[2] += n

    def drop(self) -> None:
        self._counts["dropped"] += 1

    def add(self, item: Item, now_s: float) -> None:
        """Count one item that arrived at `now_s`."""
        if isinstance(item, Record):
            self._counts["records"] += 1
            self._slot(now_s)[1] += 1
            self._count_gap(item.seq)
            self._count_late(item.t_us, now_s)
        elif isinstance(item, Damaged):
            self._counts["damaged"] += 1
        elif isinstance(item, TextLine):
            self._counts["text_lines"] += 1
        elif isinstance(item, Gap):
            self._counts["gaps"] += 1
            self._gap_s += item.seconds

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
        latency_s = offset_s - self._quickest_s
        self._latencies_s.append(latency_s)
        if latency_s > self.LATE_S:
            self._counts["late"] += 1

    def _slot(self, now_s: float) -> list[float]:
        slots = self._slots
        if self._first_s is None:
            self._first_s = now_s
        if not slots or now_s - slots[-1][0] >= self._SLOT_S:
            slots.append([now_s, 0, 0])
            while now_s - slots[0][0] > self.RATE_OVER_S:
                slots.popleft()
        return slots[-1]

    def _rates(self, now_s: float | None) -> tuple[float, float]:
        if self._first_s is None:
            return 0.0, 0.0
        now_s = self._slots[-1][0] if now_s is None else now_s
        recent = [slot for slot in self._slots if now_s - slot[0] <= self.RATE_OVER_S]
        over_s = max(self._SLOT_S, min(self.RATE_OVER_S, now_s - self._first_s))
        return sum(s[1] for s in recent) / over_s, sum(s[2] for s in recent) / over_s
