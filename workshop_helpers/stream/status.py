"""The line above a live view: how the stream is doing."""

from __future__ import annotations

import numpy as np

from .counters import Counters
from .history import History

_RENEW_S = 0.5  # more often nobody can read it, and text is dear to draw
_SEPARATOR = "   ·   "


class Status:
    """Makes the line from counters and history; `alarm` says that something was lost."""

    def __init__(self, history: History) -> None:
        self._history = history
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
            self._text = self._make(counters)
        return self._text

    def _make(self, counters: Counters) -> str:
        self.alarm = bool(counters.lost or counters.damaged)
        parts = [str(counters), f"{counters.records_per_s:.0f} records/s"]
        recent = [record.get("us") for record in self._history.last_predictions(50)]
        times_us = [us for us in recent if isinstance(us, int) and us >= 0]
        if times_us:
            parts.append(f"{np.median(times_us):.0f} µs per inference")
        if (free := self._history.heap_free_bytes) is not None:
            parts.append(f"{free / 1024:.0f} KiB heap free")
        if self._note:
            parts.append(self._note)
        return _SEPARATOR.join(parts)
