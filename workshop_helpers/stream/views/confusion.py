"""What it really was against what the board said, counted so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...text import drawn
from ..history import History
from .panel import SIZE, SMALL, Panel, short

_MAX_NAME = 12


class Confusion(Panel):
    """A matrix of counts: rows are the truth, columns what the board said."""

    name = "confusion"
    beside = True

    def __init__(self, axes: Any, history: History, window_s: float) -> None:
        super().__init__(axes, history, window_s)
        names = [drawn(short(name, _MAX_NAME)) for name in history.classes]
        n = len(names)
        ticks = range(n)
        axes.set_xticks(ticks, names, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(ticks, names)
        axes.tick_params(labelsize=SIZE if n <= 5 else SMALL, length=0)
        axes.set_xlabel("the board says", fontsize=SIZE)
        axes.spines[:].set_visible(False)
        self._counts = np.zeros((n, n), dtype=int)
        self._image = axes.imshow(
            np.zeros((max(1, n), max(1, n))), cmap="Blues", vmin=0, vmax=1, animated=True
        )
        self._cells = [
            axes.text(
                column, row, "", ha="center", va="center", fontsize=SIZE + 2, animated=True
            )
            for row, column in np.ndindex(n, n)
        ]  # fmt: skip
        self._title = axes.text(0, 1.03, "", transform=axes.transAxes, fontsize=SIZE, animated=True)
        self.slow = [self._image, *self._cells, self._title]

    def update(self, now_s: float) -> bool:
        counted = self.history.confusion
        total, right = sum(counted.values()), sum(n for (t, p), n in counted.items() if t == p)
        if self.version == total:
            return False
        self.version = total
        classes = self.history.classes
        for row, column in np.ndindex(*self._counts.shape):
            self._counts[row, column] = counted.get((classes[row], classes[column]), 0)
        largest = max(1, int(self._counts.max(initial=0)))
        self._image.set_data(self._counts / largest)
        for cell, count in zip(self._cells, self._counts.flat, strict=True):
            cell.set_text(str(count))
            cell.set_color("white" if count > largest / 2 else "black" if count else "#999999")
        outside = total - int(self._counts.sum())
        text = f"really, {right / total:.0%} right" if total else "really, not known yet"
        self._title.set_text(text + (f", {outside} not shown" if outside else ""))
        return False
