"""The sensor's channels, scrolling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...plots import PALETTE, with_gaps
from ...text import drawn
from ..history import History
from .panel import SIZE, Panel, short

_MAX_LINES = 3
# About one a pixel: more can't be seen and costs time.
_MAX_POINTS = 1000
_GAP_S = 0.15  # a hole in the samples at least this long is shown as one


class Signals(Panel):
    """The channels that have the first one's unit, at most three."""

    name = "signals"

    def __init__(self, axes: Any, history: History, window_s: float) -> None:
        super().__init__(axes, history, window_s)
        units = history.channel_units
        self._shown = [i for i in range(len(units)) if units[i] == units[0]][:_MAX_LINES]
        self.fast = [
            axes.plot(
                [], [], lw=1.8, color=PALETTE[row], label=drawn(short(history.channels[column])),
                animated=True,
            )[0]
            for row, column in enumerate(self._shown)
        ]  # fmt: skip
        axes.set_ylabel(drawn(units[0]) if units else "signal", fontsize=SIZE)
        self._limit = 0.0

    def update(self, now_s: float) -> bool:
        t_s, counts = self.history.samples(self.window_s)
        if not len(t_s) or not self.fast:
            return False
        values = counts[:, self._shown] * self.history.units_per_lsb[self._shown]
        needed = max(float(np.abs(values).max()), 1e-9)
        longest_s = _GAP_S + 2 / self.history.rate_hz
        t_s, values = thin_out(*with_gaps(t_s - now_s, values, longest_s))
        for line, column in zip(self.fast, values.T, strict=True):
            line.set_data(t_s, column)
        # Grows and shrinks in steps, or the axis would jump about.
        if 0.4 * self._limit < needed <= self._limit:
            return False
        self._limit = needed * 1.2
        self.axes.set_ylim(-self._limit, self._limit)
        return True


def thin_out(
    t_s: NDArray[np.float64], values: NDArray[np.float64], points: int = _MAX_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same curve in at most `points` rows: the smallest and the largest of each stretch.

    Args:
        t_s: [n]; values: [n, c].
    """
    stretch = -(-2 * len(t_s) // points)
    if stretch <= 2:
        return t_s, values
    n = len(t_s) // stretch
    # The newest rows are the ones to keep where they don't divide.
    blocks = values[len(values) - n * stretch :].reshape(n, stretch, -1)
    thin = np.stack([blocks.min(axis=1), blocks.max(axis=1)], axis=1).reshape(2 * n, -1)
    starts = t_s[len(t_s) - n * stretch :: stretch]
    return np.repeat(starts, 2), thin
