"""What is tried: one operation on a board with one or two faults, all drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workshop_helpers.board.virtual import Faults
from workshop_helpers.board.virtual.supervisor.faults import ALWAYS, ONCE

DEVICE_KINDS = (*ONCE, *ALWAYS, "heap-small")
LINE_KINDS = ("lose", "double", "flip", "mixed", "stall", "disconnect", "rename", "unplug", "reset")
KINDS = (
    *("none", *LINE_KINDS, "busy", "paste-refused", "paste-broken"),
    *(*DEVICE_KINDS, "brown-out", "kill", "two"),
)
"""Every kind of fault. "kill": its processes are killed at some moment. "two": one of the board
itself and one of the line."""
POWER_KINDS = ("brown-out", "kill")
REOPENING = ("hard reset", "reconnect")
"""Operations that open a port of the same name again."""


@dataclass(frozen=True)
class Extent:
    """About how much an operation does, connecting included: faults are drawn within it."""

    traffic_bytes: int
    flash_writes: int
    seconds: float


@dataclass(frozen=True)
class Scenario:
    """One trial. `seed` and `number` make all of it.

    kill_after_s: when its processes are killed, from the moment that the board is there.
    """

    seed: int
    number: int
    operation: str
    kind: str
    faults: Faults
    transport: Literal["pty", "socket"]
    kill_after_s: float | None = None

    def __str__(self) -> str:
        plain = asdict(Faults(seed=self.faults.seed))
        own = {name: value for name, value in asdict(self.faults).items() if value != plain[name]}
        facts = ", ".join(f"{name}={value}" for name, value in own.items())
        killed = "" if self.kill_after_s is None else f"killed after {self.kill_after_s:.2f} s"
        how = facts or killed or "as it is"
        return f"{self.operation} x {self.kind} on a {self.transport} ({how})"

    @property
    def random(self) -> random.Random:
        """For what the operation itself draws: always the same."""
        return random.Random(f"{self.seed} {self.number} operation")


def draw(seed: int, number: int, extents: dict[str, Extent]) -> Scenario:
    """Scenario `number` of a seed. Each stretch of so many numbers as there are pairs of operation
    and kind holds every pair once, in an order of its own.
    """
    pairs = [(name, kind) for name in extents for kind in KINDS]
    stretch, place = divmod(number, len(pairs))
    random.Random(f"{seed} {stretch} order").shuffle(pairs)
    operation, kind = pairs[place]
    chance = random.Random(f"{seed} {number}")
    extent = extents[operation]
    faults = _faults(chance, kind, extent)
    transport: Literal["pty", "socket"] = "pty" if chance.random() < 0.5 else "socket"
    leaves = faults.disconnect_at is not None or kind == "kill"
    same_name = faults.disconnect_at is not None and not faults.renamed
    if same_name or (leaves and operation in REOPENING):
        # A PTY can't return under its old name: the system soon gives that to the next PTY, perhaps
        # another scenario's.
        transport = "socket"
    kill_after_s = chance.uniform(0.0, 1.2 * extent.seconds) if kind == "kill" else None
    return Scenario(seed, number, operation, kind, faults, transport, kill_after_s)


def _faults(chance: random.Random, kind: str, extent: Extent) -> Faults:
    values: dict[str, Any] = {"seed": chance.randrange(1 << 30)}
    traffic_bytes = extent.traffic_bytes
    if kind == "two":
        values["device"] = (chance.choice([*ALWAYS, "heap-small", "main-loops", "flash-full"]),)
        kind = chance.choice(LINE_KINDS)
    if kind in DEVICE_KINDS:
        values["device"] = (kind,)
    elif kind in ("lose", "double", "flip"):
        values["direction"] = chance.choice(("both", "to_board", "to_host"))
        if chance.random() < 0.5:
            values[f"{kind}_rate"] = 10 ** chance.uniform(-4.5, -1.5)
        else:
            n = chance.randint(1, 3)
            values[f"{kind}_at"] = tuple(chance.randint(1, traffic_bytes) for _ in range(n))
    elif kind == "mixed":
        for name in ("lose", "double", "flip"):
            values[f"{name}_rate"] = 10 ** chance.uniform(-4.5, -2)
    elif kind == "stall":
        values |= {"stall_at": chance.randint(1, traffic_bytes)}
        values["stall_s"] = chance.choice((0.3, 1.0, 4.5, 9.0))
    elif kind in ("disconnect", "rename", "unplug"):
        values["disconnect_at"] = chance.randint(1, traffic_bytes)
        values["renamed"] = kind == "rename"
        values["away_s"] = None if kind == "unplug" else chance.choice((0.05, 0.5, 1.0))
    elif kind == "reset":
        values["reset_at"] = chance.randint(1, traffic_bytes)
    elif kind == "brown-out":
        values["brown_out_at"] = chance.randint(1, extent.flash_writes)
    elif kind == "busy":
        values["busy"] = True
    elif kind.startswith("paste-"):
        values["raw_paste"] = kind.removeprefix("paste-")
    return Faults(**values)
