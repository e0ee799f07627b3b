"""What an application takes from a board: RAM, flash, CPU, radio, battery. Pure arithmetic.

    plan = Plan(rate_hz=50, window=100, hop=50, channels=3)
    estimate(plan, find("esp32-c3"), speed)

Sizes are exact as far as they go: they leave out MicroPython itself. Times and currents are
estimates, and come as a range.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .board.catalogue import KnownBoard
from .energy import CHIPS, LORAWAN_MOST_BYTES, SUPPLY_V, ChipPower, Range, channels
from .errors import CourseError
from .text import rounded

NODE_RAM_BYTES = 8  # of emlearn_trees, official and ours; a test holds ours to it
NODE_FILE_BYTES = 16  # a line "n,2,-1234,1,-2" of the model's text file, about
LEAF_FILE_BYTES = 4
SAMPLE_BYTES = 2  # int16
_BATTERY_SHARE = 0.8  # of the capacity on the label; the rest is lost to cold, age and regulators
_WAKE_S = 0.002  # awake for reading the sensor, each hop
NO_RADIO = "none"
# Where the time was taken -> how much slower or faster a cycle of a microcontroller may be.
_LAPTOP_CYCLES = Range(2, 5, 12)
_BOARD_CYCLES = Range(0.5, 1, 2)
_LAPTOP_MHZ = 3000
_LONGEST_DAYS = 1000  # a full bar of battery life
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#e6e6e6"


@dataclass(frozen=True)
class Plan:
    """An application. hop: samples from one window to the next; nodes: of all trees together;
    message_every_s: the time from one message to the next; radio: the name of a channel in
    `energy.channels()`, or "none"."""

    rate_hz: float = 50
    window: int = 100
    hop: int = 50
    channels: int = 3
    features: int = 12
    trees: int = 10
    nodes: int = 300
    classes: int = 4
    message_bytes: int = 8
    message_every_s: float = 60
    radio: str = NO_RADIO
    battery_mah: float = 1000

    def __post_init__(self) -> None:
        positive = ("rate_hz", "window", "hop", "channels", "trees", "nodes", "battery_mah")
        for name in (*positive, "message_bytes", "message_every_s"):
            if not getattr(self, name) > 0:
                raise CourseError(f"{name} is {getattr(self, name)}; it must be above 0.")
        if self.hop > self.window:
            raise CourseError(
                f"A hop of {self.hop} in windows of {self.window} would skip samples.",
                "Choose a hop that is at most the window.",
            )
        if self.radio != NO_RADIO and self.radio not in {c.name for c in channels()}:
            names = ", ".join([NO_RADIO, *(c.name for c in channels())])
            raise CourseError(f"There is no radio {self.radio!r}.", f"There are: {names}.")
        if self.radio.startswith("LoRaWAN") and self.message_bytes > LORAWAN_MOST_BYTES:
            raise CourseError(
                f"A LoRaWAN message holds {LORAWAN_MOST_BYTES} bytes, not {self.message_bytes}.",
                "Send less, or by another radio.",
            )


@dataclass(frozen=True)
class Speed:
    """How fast models and features ran somewhere.

    us_per_tree: one tree of a forest, Python call shared among its trees; us_per_value: features,
    for each number of the window; clock_mhz: of what ran it, None for a laptop.
    """

    us_per_tree: float
    us_per_value: float
    clock_mhz: float | None = None

    def us_on(self, clock_mhz: float, us: float) -> Range:
        """Microseconds on a chip of this clock, for what took `us` where it was measured."""
        here = _LAPTOP_CYCLES if self.clock_mhz is None else _BOARD_CYCLES
        ratio = (self.clock_mhz or _LAPTOP_MHZ) / clock_mhz
        return Range(*(us * ratio * cycles for cycles in here))


@dataclass(frozen=True)
class Budget:
    """What a plan takes from a board. Ranges are low, typical, high; None: not known.

    payers_ma: the typical average current, mA, by who takes it: napping, computing, sending.
    """

    board: str
    window_bytes: int
    model_ram_bytes: int
    model_flash_bytes: int
    ram_share: float
    flash_share: float
    cpu_share: Range
    radio_bytes_a_day: float
    average_ma: Range | None
    payers_ma: Mapping[str, float]
    battery_days: Range | None

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not fit, one sentence each. MicroPython takes about half of a board's RAM."""
        found = []
        if self.ram_share > 0.5:
            found.append(f"RAM: {_percent(self.ram_share)}, and MicroPython needs about half.")
        if self.flash_share > 0.5:
            found.append(f"Flash: {_percent(self.flash_share)}, and the firmware needs its part.")
        if self.cpu_share.typical > 1:
            busy = _percent(self.cpu_share.typical)
            found.append(f"CPU: {busy}; windows come faster than answers.")
        elif self.cpu_share.high > 1:
            found.append("CPU: perhaps too slow; measure it on the board.")
        return tuple(found)

    def rows(self) -> list[tuple[str, str]]:
        """The table: what, and how much."""
        file = f"{self.model_flash_bytes:,} bytes, {_percent(self.flash_share)} of flash"
        return [
            ("window and block", f"{self.window_bytes:,} bytes of RAM"),
            ("model, loaded", f"{self.model_ram_bytes:,} bytes of RAM"),
            ("both", f"{_percent(self.ram_share)} of the board's RAM"),
            ("model file", file),
            ("CPU busy", _span(self.cpu_share, _percent)),
            ("sent", f"{self.radio_bytes_a_day:,.0f} bytes a day"),
            ("average current", _span(self.average_ma, _ma)),
            ("battery", _span(self.battery_days, _days)),
        ]

    def __repr__(self) -> str:
        lines = [f"{what}: {value}" for what, value in self.rows()]
        return "\n".join([f"Estimate for {self.board}", *lines, *self.problems])

    def _repr_html_(self) -> str:
        """The four budgets as bars, and the numbers beside them."""
        ram, cpu = (self.window_bytes, self.model_ram_bytes), self.cpu_share
        bars = [
            ("RAM", self.ram_share, 0.5, "{:,} bytes of window + {:,} of model".format(*ram)),
            ("flash", self.flash_share, 0.5, f"{self.model_flash_bytes:,} bytes"),
            ("CPU", cpu.typical, 1.0, f"from {_percent(cpu.low)} to {_percent(cpu.high)}"),
        ]
        rows = [
            _row(name, share, _percent(share), colour=_ORANGE if share > most else _BLUE, note=note)
            for name, share, most, note in bars
        ]
        if self.battery_days is None:
            rows.append(_row("battery", 0.0, "?", _BLUE, _span(None, _days)))
        else:
            days, current = self.battery_days, _span(self.average_ma, _ma)
            length = math.log10(max(1.0, days.typical)) / math.log10(_LONGEST_DAYS)
            note = f"{rounded(days.low)} to {_days(days.high)}; {current}"
            rows.append(_row("battery", length, _days(days.typical), _BLUE, note))
        verdict = "✘ " + " ".join(self.problems) if self.problems else "✔ it fits"
        head = "<tr><th colspan=4 style='text-align:left'>Estimate for"
        title = f"{head} {html.escape(self.board)}</th></tr>"
        return (
            f"<table class='workshop-budget'>{title}{''.join(rows)}</table>"
            f"<p><b>{html.escape(verdict)}</b></p>"
        )


def _row(name: str, share: float, value: str, colour: str, note: str) -> str:
    """A line of the table, with a bar; `share` 1 fills it. Battery's bar is in steps of ten."""
    bar = (
        f"<div style='width:16em;background:{_GREY}'><div class='workshop-bar' style='height:1.2em;"
        f"width:{100 * min(1.0, max(0.004, share)):.1f}%;background:{colour}'></div></div>"
    )
    cell = "<td style='text-align:left;padding-right:1em'>"
    return (
        f"<tr>{cell}<b>{name}</b></td><td>{bar}</td>{cell}<b>{html.escape(value)}</b></td>"
        f"{cell}{html.escape(note)}</td></tr>"
    )


def estimate(plan: Plan, board: KnownBoard, speed: Speed) -> Budget:
    """What `plan` takes from `board`, at a `speed` that was measured somewhere."""
    samples = plan.window + plan.hop  # the windower's own, and the block the sensor fills
    window_bytes = SAMPLE_BYTES * plan.channels * samples + SAMPLE_BYTES * plan.features
    # As emlearn_trees lays it out for hard votes: nodes, roots and vote shares, leaves and counts.
    model_ram = NODE_RAM_BYTES * plan.nodes + 12 * plan.trees + 9 * plan.classes + 56
    model_file = NODE_FILE_BYTES * plan.nodes + 6 * plan.trees + LEAF_FILE_BYTES * plan.classes + 12
    windows_a_second = plan.rate_hz / plan.hop
    us = plan.trees * speed.us_per_tree + plan.window * plan.channels * speed.us_per_value
    cpu = Range(*(windows_a_second * t / 1e6 for t in speed.us_on(board.clock_mhz, us)))
    messages_a_day = 0.0 if plan.radio == NO_RADIO else 86400 / plan.message_every_s
    power = CHIPS.get(board.chip)
    average, payers = None, {}
    days = None
    if power:
        payers = _payers_ma(plan, power, cpu, windows_a_second)
        average = Range(*(sum(each) for each in zip(*payers.values(), strict=True)))
        usable = _BATTERY_SHARE * plan.battery_mah / 24
        days = Range(usable / average.high, usable / average.typical, usable / average.low)
    return Budget(
        board=board.title,
        window_bytes=window_bytes,
        model_ram_bytes=model_ram,
        model_flash_bytes=model_file,
        ram_share=(window_bytes + model_ram) / (1024 * board.ram_kb),
        flash_share=model_file / (1024 * board.flash_kb),
        cpu_share=cpu,
        radio_bytes_a_day=messages_a_day * plan.message_bytes,
        average_ma=average,
        payers_ma={name: each.typical for name, each in payers.items()},
        battery_days=days,
    )


def _payers_ma(
    plan: Plan, power: ChipPower, cpu: Range, windows_a_second: float
) -> dict[str, Range]:
    """Busy for a share of the time, napping for the rest, and the messages' charge on top."""
    awake = [min(1.0, share + windows_a_second * _WAKE_S) for share in cpu]
    sending = Range(0, 0, 0)
    if plan.radio != NO_RADIO:
        size_bytes = min(plan.message_bytes, LORAWAN_MOST_BYTES)  # it matters to LoRaWAN only
        mj = next(c for c in channels(size_bytes) if c.name == plan.radio).millijoules
        sending = Range(*(each / SUPPLY_V / plan.message_every_s for each in mj))  # mJ / V / s
    return {
        "napping": Range(*((1 - a) * nap for a, nap in zip(awake, power.nap_ma, strict=True))),
        "computing": Range(*(a * busy for a, busy in zip(awake, power.busy_ma, strict=True))),
        "sending": sending,
    }


def _span(values: Range | None, shown: Callable[[float], str]) -> str:
    if values is None:
        return "not known: no current of this chip in the list"
    low, typical, high = map(shown, values)
    return f"about {typical} ({low} to {high})"


def _percent(share: float) -> str:
    return f"{rounded(100 * share)}%"


def _ma(current_ma: float) -> str:
    return f"{rounded(current_ma)} mA"


def _days(days: float) -> str:
    return f"{rounded(days)} days"
