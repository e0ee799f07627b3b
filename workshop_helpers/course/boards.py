"""Notebook 02's pictures and tables of the catalogue: a table, a figure, a chooser."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from math import log2
from typing import Any

from ..board.catalogue import KnownBoard, all_boards
from ..board.catalogue.choose import Ranking, choose
from ..errors import CourseError
from ..notebook import in_notebook
from ..plots import PALETTE, Picture

# What people build, as needs of `choose()`.
USE_CASES: Mapping[str, Mapping[str, Any]] = {
    "wearable that knows what I do": {"sensors": ["accelerometer"], "radio": ["BLE"]},
    "noise meter in a hall": {"sensors": ["microphone"], "radio": ["Wi-Fi"]},
    "sensor in a field, on a battery": {"radio": ["LoRa"], "battery": True},
    "machine watch beside a motor": {"ram_kb": 500, "float_unit": True, "max_price_usd": 10},
    "camera that counts": {"sensors": ["camera"], "ram_kb": 512},
}
_PICTURE_KB = 320 * 240 * 2 / 1024
_NUMBERS = ("ram_kb", "flash_kb", "psram_kb", "clock_mhz", "sleep_ua", "price_usd")
_FLOATS = {"none": ("o", PALETTE[3]), "single": ("s", PALETTE[0]), "double": ("D", PALETTE[2])}


class BoardTable:
    """Boards as a table; `where` of the catalogue's fields, `sort` by one of them."""

    def __init__(self, boards: Sequence[KnownBoard]) -> None:
        self.boards = tuple(boards)

    def __len__(self) -> int:
        return len(self.boards)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.boards))

    def _repr_html_(self) -> str:
        names = ["board", "chip", "MHz", "RAM", "flash", "floats", "radio", "sensors"]
        names += ["sleep", "price", "native"]
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in names)
        rows = "".join(f"<tr>{self._cells(board)}</tr>" for board in self.boards)
        return (
            f"<table><tr>{head}</tr>{rows}</table><p>RAM (and PSRAM beside the chip) and flash in "
            "KB. Sleep: the current of deep sleep, of the whole board or of the bare chip. "
            "Price: US dollars without tax, in that year. –: not known. "
            "*: none of the entry's sources confirms it; it is general knowledge.</p>"
        )

    def _cells(self, b: KnownBoard) -> str:
        def cell(*parts: tuple[str, str]) -> str:
            """Texts below each other, each with a star if its field is not confirmed."""
            lines = (html.escape(text) + _star(b, field) for text, field in parts if text)
            return f"<td style='text-align:left'>{'<br>'.join(lines)}</td>"

        name = f"<b>{html.escape(b.title)}</b><br><code>{html.escape(b.id)}</code>"
        return f"<td style='text-align:left'>{name}</td>" + "".join(
            (
                cell((b.chip, "chip"), (b.cpu, "cpu")),
                cell((str(b.clock_mhz), "clock_mhz")),
                cell(
                    (f"{b.ram_kb:,}", "ram_kb"),
                    ("" if b.psram_kb == 0 else f"+ {_or_dash(b.psram_kb)}", "psram_kb"),
                ),
                cell((f"{b.flash_kb:,}", "flash_kb")),
                cell((b.float_unit, "float_unit")),
                cell((", ".join(b.radio) or "none", "radio")),
                cell(*((sensor, "sensors") for sensor in b.sensors or ("none",))),
                cell((_or_dash(b.sleep_ua, f"{{:g}} µA ({b.current_of})"), "sleep_ua")),
                cell((_or_dash(b.price_usd, f"${{:g}} ({b.price_year})"), "price_usd")),
                cell((b.arch, "arch")),
            )
        )


def _or_dash(value: float | None, form: str = "{:,}") -> str:
    return "–" if value is None else form.format(value)


def _star(board: KnownBoard, field: str) -> str:
    return "*" if field in board.unchecked else ""


def boards_table(
    *, has: str = "", chip: str = "", float_unit: str = "", sort: str = "ram_kb"
) -> BoardTable:
    """The catalogue, filtered: `has` a sensor or radio, a `chip` (part of its name), a float unit.

    sort: a numeric field of the catalogue, largest first; unknown values last.

    Raises CourseError for another field.
    """
    if sort not in _NUMBERS:
        raise CourseError(f"The table can't be sorted by {sort!r}.", f"By: {', '.join(_NUMBERS)}.")
    rows = [
        board
        for board in all_boards()
        if (not has or board.has(has))
        and chip.lower() in board.chip.lower()
        and (not float_unit or board.float_unit == float_unit)
    ]
    return BoardTable(sorted(rows, key=lambda b: (-(getattr(b, sort) or 0), b.id)))


def memory_figure(boards: Sequence[KnownBoard] | None = None) -> Picture:
    """RAM against flash, on log axes; shape and colour: the float unit; in words: name, price."""
    figure = Picture(11.0, 7.2, smallest_pt=10.5)
    axes = figure.subplots()
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.axvspan(64, 2 * _PICTURE_KB, color="#eeeeee", zorder=0)
    axes.text(
        92,
        330,
        "In the grey, one colour picture of 320 × 240\n"
        f"({_PICTURE_KB:.0f} KB) takes over half of the RAM.",
        fontsize=11,
        color="#444444",
    )
    groups = _groups(boards or all_boards())
    for (ram_kb, flash_kb), members in groups.items():
        kinds = sorted({board.float_unit for board in members}, reverse=True)
        for place, kind in enumerate(kinds):
            marker, colour = _FLOATS[kind]
            # Beside each other, not on each other.
            axes.plot(ram_kb * 0.93**place, flash_kb, marker, color=colour, markersize=12, zorder=3)
        crowded = any(
            y == flash_kb and 0 < log2(x / ram_kb) < 0.7 for x, y in groups if x != ram_kb
        )
        axes.annotate(
            "\n".join(_label(board, len(kinds) > 1) for board in members),
            (ram_kb, flash_kb),
            xytext=(0, -12) if crowded else (10, 0),
            textcoords="offset points",
            ha="center" if crowded else "left",
            va="top" if crowded else "center",
            fontsize=10.5,
        )
    for kind, (marker, colour) in _FLOATS.items():
        axes.plot([], [], marker, color=colour, markersize=11, label=f"float unit: {kind}")
    axes.legend(loc="lower right", fontsize=11)
    axes.set_xlim(88, 2100)
    axes.set_ylim(290, 28000)
    axes.set_xticks([128, 256, 512, 1024, 2048], ["128", "256", "512", "1024", "2048"])
    flash = [512, 1024, 2048, 4096, 8192, 16384]
    axes.set_yticks(flash, [f"{value / 1024:g}" for value in flash])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.set_xlabel("RAM on the chip, KB (before MicroPython takes its share)", fontsize=13)
    axes.set_ylabel("flash, MB", fontsize=13)
    axes.set_title("RAM and flash of the boards in the catalogue", fontsize=15)
    return figure


def _groups(boards: Sequence[KnownBoard]) -> dict[tuple[float, float], list[KnownBoard]]:
    """Boards whose points would lie on each other, together: within 5 % of each other."""
    groups: dict[tuple[float, float], list[KnownBoard]] = {}
    for board in sorted(boards, key=lambda b: (b.ram_kb, b.flash_kb, b.id)):
        for ram_kb, flash_kb in groups:
            near = abs(log2(board.ram_kb / ram_kb)) < 0.07
            if near and abs(log2(board.flash_kb / flash_kb)) < 0.07:
                groups[ram_kb, flash_kb].append(board)
                break
        else:
            groups[board.ram_kb, board.flash_kb] = [board]
    return groups


def _label(board: KnownBoard, mixed: bool) -> str:
    price = "" if board.price_usd is None else f", \\${board.price_usd:g}"
    floats = " (no float unit)" if mixed and board.float_unit == "none" else ""
    return board.name + floats + price


def board_chooser() -> Any:
    """Widgets for the needs, the ranking below them; without a notebook, the ranking as it is."""
    if not in_notebook():
        return choose()
    import ipywidgets as widgets

    sensor = widgets.Dropdown(
        options=["", "accelerometer", "microphone", "camera", "temperature"], description="sensor"
    )
    radio = widgets.Dropdown(options=["", "Wi-Fi", "BLE", "LoRa"], description="radio")
    ram = widgets.SelectionSlider(options=[0, 128, 256, 512, 1024], description="RAM, KB")
    floats = widgets.Checkbox(description="float unit")
    battery = widgets.Checkbox(description="on a battery")
    shown = widgets.HTML()

    def redraw(change: object = None) -> None:
        shown.value = _ranked(
            sensor.value, radio.value, ram.value, floats.value, battery.value
        )._repr_html_()

    for control in (sensor, radio, ram, floats, battery):
        control.observe(redraw, "value")
    redraw()
    return widgets.VBox(
        [widgets.HBox([sensor, radio, ram]), widgets.HBox([floats, battery]), shown]
    )


def _ranked(sensor: str, radio: str, ram_kb: int, floats: bool, battery: bool) -> Ranking:
    return choose(
        sensors=[sensor] if sensor else [],
        radio=[radio] if radio else [],
        ram_kb=ram_kb,
        float_unit=floats,
        battery=battery,
    )
