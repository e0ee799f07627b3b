"""A line that damages bytes on purpose, to see what loss looks like."""

from __future__ import annotations

import random
from typing import Any

from .stream import Stream

_CLEAN_BYTES = 1500  # the app's first record must come through


def noisy(stream: Stream, errors_per_byte: float = 1e-3, seed: int = 1) -> Stream:
    """Flip bits in what a stream that has not started yet will read; returns the stream.

    `errors_per_byte`: share of bytes that are damaged, as a bad cable or a wrong baud rate does.
    """
    reader: Any = stream._reader
    reader.running = _Noisy(reader.running, errors_per_byte, seed)
    return stream


class _Noisy:
    """A running app whose bytes arrive damaged."""

    def __init__(self, running: Any, errors_per_byte: float, seed: int) -> None:
        self._running = running
        self._errors_per_byte = errors_per_byte
        self._chance = random.Random(seed)
        self._clean_bytes = _CLEAN_BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._running, name)

    def read(self, timeout_s: float) -> bytes:
        data = bytearray(self._running.read(timeout_s))
        for i in range(self._clean_bytes, len(data)):
            if self._chance.random() < self._errors_per_byte:
                data[i] ^= 1 << self._chance.randrange(7)
        self._clean_bytes = max(0, self._clean_bytes - len(data))
        return bytes(data)
