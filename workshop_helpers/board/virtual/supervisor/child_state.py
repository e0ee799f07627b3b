"""What an interpreter does, seen from outside."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What a Ctrl-C is just now."""

    RUNS = "runs code that Ctrl-C interrupts"
    READS = "waits for input, which may be a Ctrl-C"
    BUSY = "neither, for now"
