"""Notebook 01: the picture of a laptop beside a microcontroller, a speed measured on the board,
and the budget calculator."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from .. import paths
from ..board.catalogue import KnownBoard, all_boards, find, match
from ..budget import NO_RADIO, Budget, Plan, Speed, estimate
from ..energy import CHIPS, SUPPLY_V, channels
from ..errors import CourseError
from ..notebook import in_notebook
from ..plots import PALETTE, Picture
from ..text import rounded

if TYPE_CHECKING:
    from ..board import Board

_TREES_TIMED = 16  # of time_trees.py
_PAYERS = (PALETTE[5], PALETTE[0], PALETTE[1])
# A usual laptop: RAM KB, storage KB, instructions a second (8 cores, 3 GHz), watts at work, euros.
LAPTOP = (16 * 1024**2, 512 * 1024**2, 8 * 3e9, 25.0, 900.0)
PLANS = {
    "step counter on the wrist": Plan(rate_hz=25, window=100, hop=50, radio="BLE advertisement"),
    "bearing of a pump": Plan(
        rate_hz=1600, window=1024, hop=1024, message_every_s=600, radio="LoRaWAN, SF7"
    ),
    "gesture, at once": Plan(rate_hz=100, window=100, hop=10, nodes=800, trees=20),
    "hive in a field": Plan(
        rate_hz=2000,
        window=2000,
        hop=2000,
        channels=1,
        features=16,
        trees=20,
        nodes=600,
        classes=3,
        message_bytes=4,
        message_every_s=900,
        radio="LoRaWAN, SF12",
        battery_mah=3000,
    ),
}


def size_figure(name: str = "esp32-c3") -> Picture:
    """How many times more a usual laptop has of everything than the board `name`; log axis.

    CourseError if its chip's current is not known.
    """
    board = find(name)
    if board.chip not in CHIPS:
        raise CourseError(
            f"No current of the {board.chip} is known here.", f"There are: {', '.join(CHIPS)}."
        )
    watts = CHIPS[board.chip].busy_ma.typical * SUPPLY_V / 1000
    small = (board.ram_kb, board.flash_kb, board.clock_mhz * 1e6, watts, 5.0)
    rows = [
        ("RAM", small[0], LAPTOP[0], f"{small[0]} KB", "16 GB"),
        ("storage", small[1], LAPTOP[1], f"{small[1] / 1024:g} MB", "512 GB"),
        ("clock × cores", small[2], LAPTOP[2], f"{small[2] / 1e6:g} MHz", "8 × 3 GHz"),
        ("power at work", small[3], LAPTOP[3], f"{small[3]:.2g} W", "25 W"),
        ("price", small[4], LAPTOP[4], "5 €", "900 €"),
    ]
    picture = Picture(10.0, 4.4)
    axes = picture.subplots()
    ratios = [large / little for _, little, large, _, _ in rows]
    colours = [PALETTE[0]] * 3 + [PALETTE[1]] * 2
    bars = axes.barh([row[0] for row in rows], ratios, color=colours)
    labels = [
        f"{rounded(ratio)} ×   ({little} against {large})"
        for ratio, (_, _, _, little, large) in zip(ratios, rows, strict=True)
    ]
    axes.bar_label(bars, labels=labels, padding=6, fontsize=12)
    axes.set_xscale("log")
    axes.set_xlim(1, 3e8)
    axes.tick_params(axis="y", labelsize=13)
    axes.invert_yaxis()
    axes.set_xlabel("a laptop has so many times more (log scale)", fontsize=12)
    axes.set_title(f"A usual laptop beside one {board.chip}", loc="left", fontsize=15)
    return picture


def measure_speed(board: Board) -> Speed:
    """A small forest and the features of a window, timed on `board`."""
    for name in ("motion_features", "time_windows", "time_trees"):
        board.put(paths.DEVICE_SCRIPTS / "lib" / f"{name}.py", "/lib/")
    if not board.exists("/lib/emlearn_trees.mpy"):
        board.install("emlearn_trees")
    trees_us = board.call("time_trees.us_per_prediction", timeout_s=60) / _TREES_TIMED
    value_us = board.call("time_windows.us_per_value", timeout_s=60)
    known = match(board.info)
    return Speed(trees_us, value_us, float(known[0].clock_mhz) if known else None)


def days_figure(plan: Plan, speed: Speed, boards: Sequence[KnownBoard] | None = None) -> Picture:
    """Battery life of `plan` on each chip whose current is known, from low to high; beside it, who
    takes the charge."""
    chosen = boards or list({b.chip: b for b in all_boards() if b.chip in CHIPS}.values())
    budgets = [(board, estimate(plan, board, speed)) for board in chosen]
    rows = [(board.chip, b, b.battery_days) for board, b in budgets if b.battery_days is not None]
    rows.sort(key=lambda row: -row[2].typical)
    picture = Picture(11.0, 0.75 * len(rows) + 1.9)
    life, payers = picture.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for place, (_, _, days) in enumerate(rows):
        life.plot([days.low, days.high], [place, place], lw=9, color=PALETTE[5])
        life.plot(days.typical, place, "D", ms=10, color=PALETTE[0])
        life.annotate(
            f"{rounded(days.typical)} days",
            (days.typical, place),
            (0, 12),
            textcoords="offset points",
            ha="center",
            fontsize=12,
        )
    life.set_yticks(range(len(rows)), [chip for chip, _, _ in rows], fontsize=13)
    life.set_ylim(len(rows) - 0.5, -0.7)
    life.set_xscale("log")
    life.set_xlabel("battery life, days (log scale; bar: what is possible)", fontsize=12)
    life.set_title(f"{plan.battery_mah:g} mAh, by chip", loc="left", fontsize=14)
    life.grid(axis="x", alpha=0.3)
    left = [0.0] * len(rows)
    for name, colour in zip(("napping", "computing", "sending"), _PAYERS, strict=True):
        shares = [100 * b.payers_ma[name] / sum(b.payers_ma.values()) for _, b, _ in rows]
        payers.barh(range(len(rows)), shares, left=left, height=0.5, color=colour, label=name)
        left = [a + share for a, share in zip(left, shares, strict=True)]
    payers.set_xlabel("% of the charge", fontsize=12)
    payers.set_title("who takes it", loc="left", fontsize=14)
    picture.legend(loc="outside lower right", ncols=3, fontsize=12, frameon=False)
    return picture


# What a knob turns, from and to; what spans powers of ten gets a logarithmic slider.
_LOG_KNOBS = {
    "rate_hz": (-2, 4.7),
    "window": (0.4, 4.3),
    "hop": (0, 4.3),
    "nodes": (0, 5),
    "message_every_s": (0, 5),
    "battery_mah": (1, 4.7),
}
_KNOBS = {"channels": (1, 16), "trees": (1, 100)}


def budget_calculator(speed: Speed, plan: Plan | None = None, board: str = "esp32-c3") -> Any:
    """Sliders for a plan with its budget below; without widgets, the budget of the plan given."""
    start = plan or Plan()
    if not in_notebook():
        return estimate(start, find(board), speed)
    import ipywidgets as widgets

    look = {"style": {"description_width": "9em"}, "layout": {"width": "26em"}}
    controls = {
        name: widgets.FloatLogSlider(
            value=getattr(start, name),
            min=low,
            max=high,
            step=0.02,
            description=name,
            readout_format=".4g" if name == "rate_hz" else ".0f",
            **look,
        )
        for name, (low, high) in _LOG_KNOBS.items()
    }
    controls |= {
        name: widgets.IntSlider(
            value=getattr(start, name), min=low, max=high, description=name, **look
        )
        for name, (low, high) in _KNOBS.items()
    }
    where = widgets.Dropdown(
        options=[(b.title, b.id) for b in all_boards()],
        value=find(board).id,
        description="board",
        **look,
    )
    radio = widgets.Dropdown(
        options=[NO_RADIO, *(c.name for c in channels())],
        value=start.radio,
        description="radio",
        **look,
    )
    shown = widgets.HTML()

    def redraw(change: object = None) -> None:
        values = {name: control.value for name, control in controls.items()}
        shown.value = shown_budget(start, {**values, "radio": radio.value}, where.value, speed)

    for control in (*controls.values(), where, radio):
        control.observe(redraw, "value")
    redraw()
    rows = [where, radio, *controls.values()]
    return widgets.VBox([*(widgets.HBox(rows[i : i + 2]) for i in range(0, len(rows), 2)), shown])


def shown_budget(start: Plan, values: dict[str, Any], board: str, speed: Speed) -> str:
    """The calculator's answer as HTML: a budget, or what is wrong with the plan."""
    whole: dict[str, Any] = {k: int(v) if k in _WHOLE else v for k, v in values.items()}
    try:
        return estimate(replace(start, **whole), find(board), speed)._repr_html_()
    except CourseError as error:
        return f"<p><b>✘ {html.escape(error.what)}</b> {html.escape(error.mend)}</p>"


_WHOLE = {name for name, value in asdict(Plan()).items() if isinstance(value, int)} - {
    "rate_hz",
    "message_every_s",
    "battery_mah",
}


def compare(plan: Plan, speed: Speed, *boards: str) -> list[Budget]:
    """The budgets of one plan on several boards."""
    return [estimate(plan, find(board), speed) for board in boards]
