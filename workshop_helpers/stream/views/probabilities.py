"""The classes' shares over time, with what it really was as a band above them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...plots import PALETTE, step_s, with_gaps
from ...text import drawn
from ..history import History, share
from .panel import MARKERS, SIZE, Panel, colour_of, short

_MAX_SHOWN = 400
_BAND = (1.25, 0.25)  # where it begins and how high it is, above shares from 0 to 1


class Probabilities(Panel):
    """One line a class; the band has the colour of the true class, grey where it is unknown."""

    name = "probabilities"

    def __init__(self, axes: Any, history: History, window_s: float) -> None:
        super().__init__(axes, history, window_s)
        self._lines = [
            axes.plot(
                [], [], lw=1.8, ms=6, marker=MARKERS[i % len(MARKERS)],
                color=PALETTE[i % len(PALETTE)], label=drawn(short(name)), animated=True,
            )[0]
            for i, name in enumerate(history.classes)
        ]  # fmt: skip
        self._band = axes.broken_barh([], _BAND, animated=True)
        self.fast = [*self._lines, self._band]
        axes.set_ylim(-0.05, sum(_BAND) + 0.02)
        axes.set_yticks([0, 0.5, 1, _BAND[0] + _BAND[1] / 2], ["0", "0.5", "1", "really"])
        axes.set_ylabel("share", fontsize=SIZE)

    def update(self, now_s: float) -> bool:
        history = self.history
        shown = [
            record
            for record in history.last_predictions(_MAX_SHOWN)
            if record.t_us / 1e6 >= now_s - self.window_s
        ]
        t_s = np.array([record.t_us / 1e6 - now_s for record in shown])
        hop_s = step_s(t_s)
        shares = np.array([[share(record, i) for i in range(len(self._lines))] for record in shown])
        shares = shares.reshape(len(shown), len(self._lines))
        for line, column in zip(self._lines, shares.T, strict=True):
            line.set_data(*with_gaps(t_s, column, 1.5 * hop_s))
        # A little wide, since predictions come a little unevenly.
        low, high, width_s = _BAND[0], sum(_BAND), 1.05 * hop_s
        self._band.set_verts(
            [[(t - width_s, low), (t - width_s, high), (t, high), (t, low)] for t in t_s]
        )
        truths = history.last_truths(len(shown))
        self._band.set_facecolor([colour_of(history, truth) for truth in truths])
        return False
