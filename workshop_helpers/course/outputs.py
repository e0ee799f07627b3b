"""What notebook 11 shows: a pin over time, shares of classes, and what a message costs."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..energy import Channel
from ..plots import PALETTE, Picture
from ..text import rounded


def pin_figure(history: Sequence[Sequence[int]], name: str, until_ms: int | None = None) -> Picture:
    """A pin's level over time. `history`: [ms, value] of each change, as PinOutput gives it."""
    times = [0, *(t for t, _ in history)]
    values = [0, *(v for _, v in history)]
    end = until_ms if until_ms is not None else (times[-1] + max(100, times[-1] // 10))
    picture = Picture(9.0, 2.4)
    axes = picture.subplots()
    seconds = [t / 1000 for t in (*times, end)]
    axes.step(seconds, [*values, values[-1]], where="post", lw=3, color=PALETTE[1])
    axes.fill_between(seconds, [*values, values[-1]], step="post", color=PALETTE[1], alpha=0.3)
    axes.set_yticks([0, 1], ["off", "on"], fontsize=13)
    axes.set_ylim(-0.15, 1.25)
    axes.set_xlabel("seconds on the board's clock", fontsize=12)
    axes.set_title(f"The pin is on while the board says: {name}", loc="left", fontsize=13)
    return picture


@dataclass(frozen=True)
class Cost:
    """A way out: bytes of one message with all that goes around it, None if nothing travels."""

    channel: Channel
    size_bytes: int | None


class Costs(tuple[Cost, ...]):
    """Shows itself as a table, with the source of each number."""

    def __repr__(self) -> str:
        return "\n".join(
            f"{c.channel.name}: {c.size_bytes or '-'} bytes, {c.channel.millijoules.typical:.3g} mJ"
            for c in self
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(c.channel.name)}</td>"
            f"<td>{c.size_bytes if c.size_bytes is not None else '–'}</td>"
            f"<td>{rounded(c.channel.millijoules.typical)}</td>"
            f"<td>{rounded(c.channel.millijoules.low)} … {rounded(c.channel.millijoules.high)}</td>"
            f"<td style='text-align:left'>{html.escape(c.channel.made_of)}</td>"
            f"<td><a href='{html.escape(c.channel.source)}'>source</a></td></tr>"
            for c in self
        )
        head = "".join(
            f"<th style='text-align:left'>{name}</th>"
            for name in ("", "bytes", "mJ", "from … to", "made of", "")
        )
        return f"<table><tr>{head}</tr>{rows}</table>"


def costs(channels: Sequence[Channel], sizes_bytes: Mapping[str, int]) -> Costs:
    """Each way out with the bytes measured for it; `sizes_bytes`: first word of its name -> bytes.

    "BLE" names "BLE advertisement", "LoRaWAN" both spreading factors.
    """

    def size(channel: Channel) -> int | None:
        found = [n for word, n in sizes_bytes.items() if channel.name.startswith(word)]
        return found[0] if found else None

    return Costs(Cost(channel, size(channel)) for channel in channels)


def energy_figure(channels: Sequence[Channel]) -> Picture:
    """Energy of one message by way out, on a log axis; the bar is what is possible."""
    picture = Picture(9.5, 0.55 * len(channels) + 1.3)
    axes = picture.subplots()
    for row, channel in enumerate(channels):
        low, typical, high = channel.millijoules
        axes.plot([low, high], [row, row], lw=9, color=PALETTE[5], solid_capstyle="butt")
        axes.plot(typical, row, "D", ms=9, color=PALETTE[0])
        text = f"{rounded(typical)} mJ"
        axes.annotate(
            text, (high, row), xytext=(8, 0), textcoords="offset points", va="center", fontsize=12
        )
    axes.set_xscale("log")
    axes.set_xlim(right=max(c.millijoules.high for c in channels) * 20)
    axes.set_yticks(range(len(channels)), [c.name for c in channels], fontsize=12)
    axes.invert_yaxis()
    axes.set_xlabel("energy of one message, mJ (log scale; ◆ typical)", fontsize=12)
    axes.set_title("What it costs to say one thing", loc="left", fontsize=14)
    axes.grid(axis="x", alpha=0.3)
    return picture
