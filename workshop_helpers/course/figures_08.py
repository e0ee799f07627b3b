"""The pictures of notebook 08: accuracy against bytes, and what lies where in a board's heap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import Measurement
from ..plots import PALETTE, Picture


@dataclass(frozen=True)
class Candidate:
    """A configuration tried: its name, the bytes of its file and its accuracy, 0 to 1."""

    name: str
    size_bytes: int
    accuracy: float


def pareto_front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other beats in both size and accuracy, the smallest first."""
    best: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (c.size_bytes, -c.accuracy)):
        if not best or candidate.accuracy > best[-1].accuracy:
            best.append(candidate)
    return best


def pareto_figure(
    families: Mapping[str, Sequence[Candidate]], limit_bytes: int | None = None
) -> Picture:
    """Accuracy against the model file's size, one marker a family, and the front of all.

    Args:
        families: name of a family -> its candidates.
        limit_bytes: a budget to draw as a line.
    """
    picture = Picture(9.5, 5.4)
    axes = picture.subplots()
    for row, (family, candidates) in enumerate(families.items()):
        axes.plot(
            [c.size_bytes for c in candidates], [100 * c.accuracy for c in candidates],
            "osD^v"[row % 5], ms=9, color=PALETTE[row], label=family, alpha=0.85,
        )  # fmt: skip
    front = pareto_front([c for candidates in families.values() for c in candidates])
    axes.step(
        [c.size_bytes for c in front], [100 * c.accuracy for c in front],
        where="post", color="#444444", lw=2, label="the best for their size", zorder=1,
    )  # fmt: skip
    if limit_bytes is not None:
        axes.axvline(limit_bytes, color=PALETTE[3], ls="--", lw=2)
        axes.text(
            limit_bytes, axes.get_ylim()[0], f" budget: {limit_bytes:,} bytes", fontsize=12,
            color=PALETTE[3], va="bottom", rotation=90, ha="right",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g} kB")
    axes.set_xlabel("size of the model's file", fontsize=13)
    axes.set_ylabel("accuracy on held-out rows, %", fontsize=13)
    axes.tick_params(labelsize=12)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=12, loc="lower right")
    return picture


def memory_map_figure(costs: Mapping[str, Measurement], baseline_bytes: int = 0) -> Picture:
    """The heap of a board with each model loaded: what is taken, and what is left in one piece.

    Args:
        costs: name of the model -> what `measure` found, all on one board.
        baseline_bytes: heap that was taken before, by MicroPython and the libraries.
    """
    picture = Picture(10.0, 1.0 * len(costs) + 1.9)
    axes = picture.subplots()
    for row, cost in enumerate(costs.values()):
        scattered = max(0, cost.heap_free_bytes - cost.largest_block_bytes)
        parts = (
            ("taken before", baseline_bytes, "#bbbbbb"),
            ("module and model", cost.ram_bytes, PALETTE[0]),
            ("while predicting", cost.ram_predicting_bytes - cost.ram_bytes, PALETTE[1]),
            ("free, in smaller pieces", scattered, PALETTE[5]),
            ("free, in one piece", cost.largest_block_bytes, PALETTE[2]),
        )
        left = 0.0
        for name, size_bytes, colour in parts:
            kb = size_bytes / 1024
            axes.barh(
                row, kb, left=left, color=colour, edgecolor="white",
                label=name if not row and size_bytes else None,
            )  # fmt: skip
            if kb > 12:
                axes.text(
                    left + kb / 2, row, f"{kb:.0f}", ha="center", va="center",
                    fontsize=13, color="white", fontweight="bold",
                )  # fmt: skip
            left += kb
    axes.set_yticks(range(len(costs)), list(costs), fontsize=13)
    axes.invert_yaxis()
    axes.set_xlabel("heap, KB", fontsize=13)
    axes.set_title("What lies in the board's heap", loc="left", fontsize=14)
    axes.legend(frameon=False, fontsize=11, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.3))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return picture


def curve_figure(
    x: Sequence[float],
    series: Mapping[str, Sequence[float] | NDArray[np.float64]],
    x_label: str,
    y_label: str,
) -> Picture:
    """Lines with markers over one axis; `series`: name -> one value for each x."""
    picture = Picture(9.0, 4.2)
    axes = picture.subplots()
    for row, (name, values) in enumerate(series.items()):
        marker, colour = "osD^v"[row % 5], PALETTE[row]
        axes.plot(x, values, "-" + marker, ms=8, lw=2, color=colour, label=name)
    axes.set_xlabel(x_label, fontsize=13)
    axes.set_ylabel(y_label, fontsize=13)
    axes.tick_params(labelsize=12)
    axes.grid(alpha=0.3)
    if len(series) > 1:
        axes.legend(frameon=False, fontsize=12)
    return picture
