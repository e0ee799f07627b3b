"""Which errors are right for which fault."""

from __future__ import annotations

from .operations import Operation
from .scenario import LINE_KINDS, POWER_KINDS, Scenario

# What a bad line may come to: no prompt, a board that goes, an answer that is not taken.
_LINE = {"BOARD_GONE", "NO_PROMPT", "BOARD_TIMEOUT", "BAD_ANSWER", "TRANSFER"}
_AWAY = {"NO_BOARD", "PORT_BUSY"}  # of a port that is not there, or was not let go yet
_AWAY_KINDS = ("disconnect", "rename", "unplug", "kill", "two")
_MEMORY = {"DEVICE_MEMORY"}
_OF_KIND = {
    "busy": {"PORT_BUSY"},
    "main-deaf": {"NO_PROMPT"},
    "main-resets": {"BOARD_GONE"},
    "flash-full": {"FLASH_FULL"},
    "flash-broken": {"FILE"},
    "no-flash": {"NO_FILE_SYSTEM", "FILE"},
    "heap-small": _MEMORY,
    "heap-fragmented": _MEMORY,
}
# What an operation makes of the errors of its parts.
_WRAPPED = {
    "install": {"MODULE"},
    "deploy": {"MODULE"},
    "verify": {"MODULE"},
    "stream": {"STREAM"},
    "command": {"STREAM"},
    "record": {"STREAM"},
    "record here": {"STREAM"},
}
# Those that run a file of the board, which may not be there, or can't write its own.
_RUNS_A_FILE = ("stream", "command", "record", "record here", "call", "verify")


def allowed_codes(scenario: Scenario, operation: Operation) -> set[str]:
    """Codes of errors that tell the truth about this scenario."""
    codes: set[str] = set()
    for kind in (scenario.kind, *scenario.faults.device):
        if kind in (*LINE_KINDS, *POWER_KINDS, "two"):
            codes |= _LINE
            if kind in _AWAY_KINDS:
                codes |= _AWAY
            if operation.unchecked:
                codes.add("DEVICE")  # its code arrived otherwise, and unchecked
        codes |= _OF_KIND.get(kind, set())
        if kind in ("no-flash", "flash-broken") and operation.name in _RUNS_A_FILE:
            codes.add("DEVICE")
    return codes | _WRAPPED.get(operation.name, set()) if codes else codes
