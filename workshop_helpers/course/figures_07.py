"""The pictures of notebook 07: what happens to a number on its way to a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from ..plots import PALETTE, Picture

_LEFT, _RIGHT, _WRONG = PALETTE[0], PALETTE[1], PALETTE[3]


def journey_figure(
    value: float, threshold: float, scale: float, feature: str = "feature"
) -> Picture:
    """A float feature on its way to a comparison of integers, and the two answers.

    Args:
        value: the feature, in its own units.
        threshold: the fitted tree's, in the same units.
        scale: what `convert` chose for this feature.
    """
    whole, limit = math.floor(value * scale), math.floor(threshold * scale) + 1
    stations = (
        (feature, f"{value:g}", "a float, as\nscikit-learn sees it"),
        (f"× {scale:g}", f"{value * scale:,.2f}", "stretched over\nthe int16 range"),
        ("round down", f"{whole:,}", "int16: this is\nsent to the board"),
        (
            f"< {limit:,} ?",
            "left" if whole < limit else "right",
            f"{threshold:g} × {scale:g} = {threshold * scale:,.2f},\nrounded down, plus 1",
        ),
    )
    picture = Picture(10.0, 3.6)
    axes = picture.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, 4)
    axes.set_ylim(0, 1)
    for i, (name, number, what) in enumerate(stations):
        axes.text(i + 0.5, 0.88, name, ha="center", fontsize=15, color="#444444")
        axes.text(
            i + 0.5, 0.62, number, ha="center", va="center", fontsize=18, fontweight="bold",
            bbox={"boxstyle": "round,pad=0.45", "fc": "white", "ec": _LEFT, "lw": 2.5},
        )  # fmt: skip
        axes.text(i + 0.5, 0.42, what, ha="center", va="top", fontsize=12, color="#444444")
        if i:
            axes.annotate(
                "", (i + 0.11, 0.62), (i - 0.11, 0.62), arrowprops={"arrowstyle": "->", "lw": 2}
            )
    way = "left" if value <= threshold else "right"
    same = (whole < limit) == (value <= threshold)
    verdict = f"scikit-learn: {value:g} ≤ {threshold:.6g}?  It goes {way}, "
    verdict += "and so does the board." if same else "and the board does NOT."
    colour = PALETTE[2] if same else _WRONG
    axes.text(2, 0.08, verdict, ha="center", fontsize=15, fontweight="bold", color=colour)
    return picture


def number_line_figure(threshold: float, values: Sequence[int] = tuple(range(8))) -> Picture:
    """Which way whole numbers go at one threshold: scikit-learn, truncated, and converted."""
    cut, exact = int(threshold), math.floor(threshold) + 1
    rows = (
        (f"scikit-learn:  x ≤ {threshold:g}", [v <= threshold for v in values]),
        (f"threshold cut off:  x < {cut}", [v < cut for v in values]),
        (f"converted exactly:  x < {exact}", [v < exact for v in values]),
    )
    picture = Picture(9.0, 3.8)
    axes = picture.subplots()
    truth = rows[0][1]
    for y, (_, goes_left) in enumerate(rows):
        _draw_line(axes, -y, values, goes_left, truth)
    axes.axvline(threshold, color="#888888", ls="--", lw=1.5)
    axes.set_yticks([0, -1, -2], [name for name, _ in rows], fontsize=13)
    axes.set_ylim(-2.6, 0.75)
    axes.set_xticks(list(values))
    axes.set_xlabel("value of the feature (● left, ■ right, ringed: the wrong way)", fontsize=12)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return picture


def _draw_line(
    axes: Axes, y: float, values: Sequence[int], goes_left: list[bool], truth: list[bool]
) -> None:
    axes.plot([values[0], values[-1]], [y, y], color="#cccccc", lw=2, zorder=1)
    for value, left, right_way in zip(values, goes_left, truth, strict=True):
        colour, marker = (_LEFT, "o") if left else (_RIGHT, "s")
        axes.plot(value, y, marker, ms=15, color=colour, zorder=3)
        if left != right_way:
            axes.plot(value, y, "o", ms=30, mfc="none", mec=_WRONG, mew=3, zorder=2)


def agreement_figure(agreements: dict[str, float], title: str) -> Picture:
    """Share of rows with the same answer as scikit-learn, one bar a conversion.

    `agreements`: 0 to 1 by name; the bars that reach 1 have the colour of what is right.
    """
    names = list(agreements)
    picture = Picture(8.5, 0.75 * len(names) + 1.2)
    axes = picture.subplots()
    colours = [PALETTE[2] if agreements[name] == 1 else _WRONG for name in names]
    bars = axes.barh(names, [100 * agreements[name] for name in names], color=colours)
    axes.bar_label(bars, fmt="%.1f %%", padding=4, fontsize=13)
    axes.invert_yaxis()
    axes.set_xlim(0, 116)
    axes.set_xlabel("rows with scikit-learn's answer, %", fontsize=12)
    axes.tick_params(axis="y", labelsize=13)
    axes.set_title(title, loc="left", fontsize=14)
    return picture
