"""What a virtual board can be made to suffer from: its faults, by name and with a seed.

`workshop board --fault list` prints these lines. Faults of the line sit between the port and the
board (line_faults.py); faults of the board itself are made by device/board_faults.py at its start.
Standard library only: the supervisor reads this file too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

_RATE = "a share of the bytes below 1, or the number of one byte"
_BYTE = "at which byte on the line"
_WRITE = "at which write to the flash since its start"


@dataclass(frozen=True)
class Fault:
    """One line of the list: what a learner sees of it, and what a value means."""

    name: str
    what: str
    value: str = ""
    default: float = 0.0


FAULTS = (
    Fault("lose", "Bytes get lost on the line, as over a long cable.", _RATE, 0.001),
    Fault("double", "Bytes come twice.", _RATE, 0.001),
    Fault("flip", "One bit of a byte is turned round.", _RATE, 0.001),
    Fault("stall", "For three seconds nothing passes, then all of it.", _BYTE, 3000),
    Fault("disconnect", "The cable comes off; a second later it is back.", _BYTE, 3000),
    Fault("rename", "The cable comes off; the board returns under another name.", _BYTE, 3000),
    Fault("unplug", "The cable comes off for good.", _BYTE, 3000),
    Fault("reset", "The board resets itself, as after a dip in its supply.", _BYTE, 3000),
    Fault("brown-out", "The supply dips in the middle of a write to the flash.", _WRITE, 20),
    Fault("busy", "Another program holds the port."),
    Fault("paste-refused", "An old firmware: it knows no raw paste."),
    Fault("paste-broken", "Raw paste gets out of step at its first byte."),
    Fault("main-loops", "main.py never ends; Ctrl-C stops it."),
    Fault("main-floods", "main.py prints as fast as it can."),
    Fault("main-sleeps", "main.py sleeps for an hour at a time."),
    Fault("main-deaf", "main.py has switched Ctrl-C off and loops: nothing gets in."),
    Fault("main-resets", "main.py resets the board half a second after each start."),
    Fault("flash-full", "A file fills the flash to the last block."),
    Fault("flash-broken", "The flash can be read, but each write fails with EIO."),
    Fault("no-flash", "No file system is mounted."),
    Fault("heap-small", "The heap has 48 KiB."),
    Fault("heap-fragmented", "Much heap is free, but in small pieces."),
    Fault("wrong-arch", "It says it is a Cortex-M4F, and takes no code made for that."),
    Fault("wrong-abi", "It says its .mpy version is 5, older than all native modules."),
    Fault("clock-back", "Its clock steps back now and then."),
)
BY_NAME = {fault.name: fault for fault in FAULTS}
ONCE = ("main-loops", "main-floods", "main-sleeps", "main-deaf", "main-resets", "flash-full")
"""Found on the flash at its first start; who mends it has mended it."""
ALWAYS = (
    *("flash-broken", "no-flash", "heap-fragmented"),
    *("wrong-arch", "wrong-abi", "clock-back"),
)
# Of each of these groups a board has one at most: one main.py, one way to be gone, ...
_ONE_OF = (
    [name for name in ONCE if name.startswith("main-")],
    ["disconnect", "rename", "unplug"],
    ["paste-refused", "paste-broken"],
    *(["no-flash", name] for name in (*ONCE, "flash-broken", "brown-out")),  # they are of a flash
)
SMALL_HEAP_BYTES = 48 * 1024
_LINE = ("lose", "double", "flip")
_EVENTS = ("stall", "disconnect", "reset")
_AT_MOST = 1 << 40


@dataclass(frozen=True)
class Faults:
    """The faults of one board. The same seed spoils the same bytes of the same traffic.

    Args:
        seed: of all that is drawn.
        lose_rate, double_rate, flip_rate: share of the bytes, 0 to below 1, in each direction.
        lose_at, double_at, flip_at: numbers of bytes, counted from 1 in each direction.
        direction: where bytes are spoilt: "to_board", "to_host" or "both".
        stall_at, disconnect_at, reset_at: number of the byte, counted from 1 over both
            directions, at which this happens; once. None: never.
        stall_s: how long nothing passes.
        away_s: how long the board is unplugged, and without power; None: for good.
        renamed: it returns under another name. A PTY always does.
        brown_out_at: number of the write to the flash, counted from 1 since the board's start, of
            which half is done when its supply dips; once. A write is some ten to hundreds of bytes.
        busy: another program holds the port.
        raw_paste: "" as it should be, "refused" or "broken".
        device: faults of the board itself: names from ONCE and ALWAYS, and "heap-small".

    Raises ValueError for what can't be.
    """

    seed: int = 0
    lose_rate: float = 0.0
    double_rate: float = 0.0
    flip_rate: float = 0.0
    lose_at: tuple[int, ...] = ()
    double_at: tuple[int, ...] = ()
    flip_at: tuple[int, ...] = ()
    direction: str = "both"
    stall_at: int | None = None
    stall_s: float = 3.0
    disconnect_at: int | None = None
    away_s: float | None = 1.0
    renamed: bool = False
    reset_at: int | None = None
    brown_out_at: int | None = None
    busy: bool = False
    raw_paste: str = ""
    device: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("lose_at", "double_at", "flip_at", "device"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # JSON has lists
        for name in _LINE:
            if not 0 <= getattr(self, f"{name}_rate") < 1:
                raise ValueError(f"{name}_rate is a share from 0 to below 1")
            _check_numbers(f"{name}_at", getattr(self, f"{name}_at"))
        for name in (*_EVENTS, "brown_out"):
            number = getattr(self, f"{name}_at")
            _check_numbers(f"{name}_at", () if number is None else (number,))
        if self.direction not in ("both", "to_board", "to_host"):
            raise ValueError(f"no direction {self.direction!r}: both, to_board or to_host")
        if self.raw_paste not in ("", "refused", "broken"):
            raise ValueError(f"no raw_paste {self.raw_paste!r}: refused or broken")
        for name in self.device:
            if name not in (*ONCE, *ALWAYS, "heap-small"):
                raise ValueError(f"no fault {name!r} of the board itself")

    @staticmethod
    def named(*specs: str, seed: int = 0) -> Faults:
        """From names as on the command line: `Faults.named("lose=0.01", "main-loops")`."""
        found: dict[str, Any] = {"seed": seed}
        names = {spec.partition("=")[0] for spec in specs}
        for group in _ONE_OF:
            if len(both := sorted(names & set(group))) > 1:
                raise ValueError(f"{' and '.join(both)} can't both be")
        alone: dict[str, str] = {}
        for spec in dict.fromkeys(specs):
            name, equals, text = spec.partition("=")
            fault = BY_NAME.get(name)
            if fault is None:
                raise ValueError(f"there is no fault {name!r}")
            if equals and not fault.value:
                raise ValueError(f"the fault {name!r} takes no value")
            value = _number(fault, text) if equals else fault.default
            # Of numbers of bytes there may be many; of anything else the last would win.
            if (name not in _LINE or value < 1) and alone.setdefault(name, spec) != spec:
                raise ValueError(f"{alone[name]} and {spec} can't both be")
            _add(found, name, value)
        return Faults(**found)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Faults:
        """From what `dataclasses.asdict` made of it."""
        return Faults(**{field.name: values[field.name] for field in fields(Faults)})


def _add(found: dict[str, Any], name: str, value: float) -> None:
    """Note one named fault among the arguments of Faults."""
    if name in _LINE:
        if value < 1:
            found[f"{name}_rate"] = value
        else:
            found[f"{name}_at"] = (*found.get(f"{name}_at", ()), int(value))
    elif name in ("disconnect", "rename", "unplug"):
        found["disconnect_at"] = int(value)
        found["renamed"] = name == "rename"
        found["away_s"] = None if name == "unplug" else 1.0
    elif name in _EVENTS:
        found[f"{name}_at"] = int(value)
    elif name == "brown-out":
        found["brown_out_at"] = int(value)
    elif name == "busy":
        found["busy"] = True
    elif name.startswith("paste-"):
        found["raw_paste"] = name.partition("-")[2]
    else:
        found["device"] = (*found.get("device", ()), name)


def _number(fault: Fault, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    whole = value == value and value >= 1 and value == value // 1
    if not (whole or (fault.value == _RATE and 0 < value < 1)) or value > _AT_MOST:
        raise ValueError(f"{fault.name}={text}: the value is {fault.value}")
    return value


def _check_numbers(name: str, numbers: Iterable[int]) -> None:
    if any(not 1 <= number <= _AT_MOST for number in numbers):
        raise ValueError(f"{name} counts from 1")
