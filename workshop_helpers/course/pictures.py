"""Pictures of single notebooks: pure functions, as in `plots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from ..plots import PALETTE, Picture
from ..text import drawn
from .heap import HeapMap


def points_figure(X: NDArray[np.float64], y: Sequence[str], names: Sequence[str]) -> Picture:
    """Two features against each other, one sign and colour a class.

    Args:
        X: [n, 2]; y: [n] labels; names: of the two features, with units if they have any.
    """
    picture = Picture(5.6, 4.6)
    _scatter(picture.subplots(), X, y, names)
    return picture


def surface_figure(
    answers: NDArray[np.integer],
    low: float,
    high: float,
    classes: Sequence[str],
    X: NDArray[np.float64],
    y: Sequence[str],
    names: Sequence[str],
    title: str,
) -> Picture:
    """What a model answers at every point of a grid, as areas; real points on top.

    Args:
        answers: [n, n] class indices; the first feature runs along a row, from `low` to `high`.
        classes: names in the order of the indices; X: [m, 2]; y: [m] labels.
    """
    picture = Picture(6.4, 5.0)
    axes = picture.subplots()
    half = (high - low) / (len(answers) - 1) / 2
    ends = (low - half, high + half)
    colours = ListedColormap(list(PALETTE[: len(classes)]))
    axes.imshow(
        answers,
        cmap=colours,
        vmin=-0.5,
        vmax=len(classes) - 0.5,
        alpha=0.35,
        origin="lower",
        extent=(*ends, *ends),
    )
    _scatter(axes, X, y, names)
    axes.set_title(title, loc="left")
    return picture


def _scatter(axes: Axes, X: NDArray[np.float64], y: Sequence[str], names: Sequence[str]) -> None:
    labels = np.asarray(y)
    for index, label in enumerate(np.unique(labels)):
        mine = X[labels == label]
        sign = "o^sDv"[index % 5]
        axes.scatter(
            mine[:, 0], mine[:, 1], s=22, marker=sign, color=PALETTE[index], label=drawn(str(label))
        )
    axes.set_xlabel(drawn(names[0]))
    axes.set_ylabel(drawn(names[1]))
    axes.set_aspect("equal")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def heap_figure(heaps: Mapping[str, HeapMap]) -> Picture:
    """The heap at several moments, one panel each: every cell a piece of memory, from the start of
    the heap at the top left, row after row. Dark is used."""
    picture = Picture(11.0, 3.9)
    panels = picture.subplots(1, len(heaps), squeeze=False)[0]
    colours = ListedColormap(["#e8f1f8", PALETTE[0]])
    for axes, (title, heap) in zip(panels, heaps.items(), strict=True):
        width = max(16, round(len(heap.used) ** 0.5 / 8) * 8)
        cells = np.full(-(-len(heap.used) // width) * width, np.nan)
        cells[: len(heap.used)] = heap.used
        axes.imshow(cells.reshape(-1, width), cmap=colours, vmin=0, vmax=1, aspect="auto",
                    interpolation="nearest")  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
        free, largest = heap.free_bytes / 1024, heap.largest_free_bytes / 1024
        axes.set_title(title, loc="left", fontsize=13, fontweight="bold")
        axes.set_xlabel(f"{free:.0f} KiB free\nlargest piece {largest:.0f} KiB", fontsize=12)
    return picture
