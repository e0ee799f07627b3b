"""The line above a live view: how the stream is doing."""

from __future__ import annotations

from collections import deque

import numpy as np

from .counters import Counters
from .history import History

_RATE_OVER_S = 2.0
_RENEW_S = 0.5  # more often nobody can read it, and text is dear to draw
_SEPARATOR = "   ·   "


class Status:
    """Makes the line from counters and history; `alarm` says that something was lost."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._seen: deque[tuple[float, int]] = deque()
        self._text = ""
        self._note = ""
        self._made_s = -_RENEW_S
        self.alarm = False

    def note(self, text: str) -> None:
        """What a button did; stands at the end until the next one."""
        self._note = text
        self._made_s = -_RENEW_S

    def text(self, counters: Counters, now_s: float) -> str:
        """The line at `now_s` on a steady clock, at most twice a second another."""
        if now_s - self._made_s >= _RENEW_S:
            self._made_s = now_s
            self._text = self._make(counters, now_s)
        return self._text

    def _make(self, counters: Counters, now_s: float) -> str:
        self._seen.append((now_s, counters.records))
        while now_s - self._seen[0][0] > _RATE_OVER_S:
            self._seen.popleft()
        (then_s, before), elapsed_s = self._seen[0], now_s - self._seen[0][0]
        self.alarm = bool(counters.lost or counters.damaged)
        parts = [str(counters)]
        if elapsed_s > 0 and then_s < now_s:
            parts.append(f"{(counters.records - before) / elapsed_s:.0f} records/s")
        recent = [record.get("us") for record in self._history.last_predictions(50)]
        times_us = [us for us in recent if isinstance(us, int) and us >= 0]
        if times_us:
            parts.append(f"{np.median(times_us):.0f} µs per inference")
        if (free := self._history.heap_free_bytes) is not None:
            parts.append(f"{free / 1024:.0f} KiB heap free")
        if self._note:
            parts.append(self._note)
        return _SEPARATOR.join(parts)
