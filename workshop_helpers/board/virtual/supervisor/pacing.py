"""A pace for bytes, as a UART's baud rate sets it."""

from __future__ import annotations

import time

_BURST_S = 0.01  # how far ahead of its pace a direction may be


class Pace:
    """How many bytes may pass now."""

    def __init__(self, bytes_per_s: int | None) -> None:
        self._rate = bytes_per_s
        self._burst = max(1.0, bytes_per_s * _BURST_S) if bytes_per_s else 0.0
        self._allowed = self._burst
        self._at = time.monotonic()

    def allowed(self, wanted: int) -> int:
        """At most `wanted` bytes; 0: wait."""
        if self._rate is None:
            return wanted
        now = time.monotonic()
        self._allowed = min(self._burst, self._allowed + (now - self._at) * self._rate)
        self._at = now
        return min(wanted, int(self._allowed))

    def passed(self, n_bytes: int) -> None:
        self._allowed -= n_bytes

    def wait_s(self) -> float:
        """Time until a byte may pass."""
        if self._rate is None:
            return 0.0
        return max(0.001, (1.0 - self._allowed) / self._rate)
