"""The live picture: from a history to pixels, with no notebook in it."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ..plots import PALETTE, Picture
from ..text import printable
from .history import History, share

WINDOW_S = 10.0
_GREY = "#666666"
_MAX_LINES = 3
_DPI = 90
# In points; a notebook's own text is 10 to 11 of these.
_SIZE, _SMALL, _BIG = 14, 12, 24
_WIDTH_IN, _HEIGHT_IN = 9.0, 5.8
_MARKERS = "osD^vP*X"  # told apart without colour
_MAX_NAME, _MAX_TITLE = 20, 36


class LiveFigure:
    """Signals above, shares of the classes below, a band with the truth between them.

    What moves is drawn over a picture of what does not, which takes a quarter of the time of
    drawing everything. So the time axis counts back from now.
    """

    def __init__(self, history: History, window_s: float = WINDOW_S) -> None:
        self._history = history
        self._window_s = window_s
        self.figure = Picture(_WIDTH_IN, _HEIGHT_IN)
        self.figure.set_dpi(_DPI)
        # The layout is found once, and not again for each frame.
        self.figure.set_layout_engine("none")
        self._canvas: Any = FigureCanvasAgg(self.figure)  # partly typed
        self._background: Any = None
        self._grid = self.figure.add_gridspec(
            3, 1, height_ratios=(10, 1, 10), left=0.11, top=0.88, bottom=0.19, hspace=0.15
        )
        self._signal = self.figure.add_subplot(self._grid[0])
        self._band = self.figure.add_subplot(self._grid[1], sharex=self._signal)
        self._shares = self.figure.add_subplot(self._grid[2], sharex=self._signal)
        self._title = self.figure.text(
            0.11, 0.91, "", fontsize=_BIG, fontweight="bold", animated=True
        )
        self._status = self.figure.text(
            0.02, 0.015, "", fontsize=_SMALL, color="#444444", animated=True
        )
        self._signals: list[Any] = []
        self._lines: list[Any] = []
        self._bars: Any = None
        self._made_for: tuple[Any, ...] | None = None
        self._limit = 0.0

    def update(self, status: str = "") -> Picture:
        """Draw what the history now holds."""
        history = self._history
        if self._made_for != (history.channels, history.classes):
            self._make_lines()
        self._draw_signals()
        self._draw_predictions()
        self._status.set_text(textwrap.fill(printable(status), 92, max_lines=2))
        return self.figure

    def png(self) -> bytes:
        """What `update` drew last, 810 by 522 pixels."""
        canvas = self._canvas
        if self._background is None:
            canvas.draw()  # leaves out what is animated
            self._background = canvas.copy_from_bbox(self.figure.bbox)
        canvas.restore_region(self._background)
        bars = [] if self._bars is None else [self._bars]
        for artist in (self._title, self._status, *self._signals, *bars, *self._lines):
            self.figure.draw_artist(artist)
        buffer = io.BytesIO()
        # Level 1 takes a third of the time of the default and is thrown away by the next frame.
        Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3]).save(
            buffer, format="png", compress_level=1
        )
        return buffer.getvalue()

    def _make_lines(self) -> None:
        history = self._history
        self._made_for = (history.channels, history.classes)
        self._background = None
        for axes in (self._signal, self._band, self._shares):
            axes.clear()
            axes.tick_params(labelbottom=axes is self._shares, labelsize=_SIZE)
        units = history.channel_units
        # Channels of one unit only: they share the axis.
        self._shown = [i for i in range(len(units)) if units[i] == units[0]][:_MAX_LINES]
        self._signals = [
            self._signal.plot(
                [], [], lw=1.8, color=PALETTE[row], label=_short(history.channels[column]),
                animated=True,
            )[0]
            for row, column in enumerate(self._shown)
        ]  # fmt: skip
        self._lines = [
            self._shares.plot(
                [], [], lw=1.8, ms=6, marker=_MARKERS[i % len(_MARKERS)],
                color=PALETTE[i % len(PALETTE)], label=_short(name), animated=True,
            )[0]
            for i, name in enumerate(history.classes)
        ]  # fmt: skip
        self._make_legends()
        self._bars = None
        self._band.set_yticks([])
        self._band.set_ylim(-0.1, 1.1)
        self._band.set_ylabel("really", rotation=0, ha="right", va="center", fontsize=_SIZE)
        self._signal.set_ylabel(printable(units[0]) if units else "signal", fontsize=_SIZE)
        self._shares.set_ylim(-0.05, 1.05)
        self._shares.set_yticks([0, 0.5, 1])
        self._shares.set_ylabel("share of votes", fontsize=_SIZE)
        self._shares.set_xlim(-self._window_s, 0)
        self._shares.xaxis.set_major_formatter(lambda x, _: f"{abs(x):g}")
        self._shares.set_xlabel("seconds ago", fontsize=_SIZE)

    def _make_legends(self) -> None:
        """Put them beside the axes, which leave them as much room as they need."""
        legends = [
            axes.legend(
                loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=_SIZE,
                handlelength=1.2, borderaxespad=0.3, handletextpad=0.5,
            )
            for axes in (self._signal, self._shares)
            if axes.get_legend_handles_labels()[0]
        ]  # fmt: skip
        widths_px = [legend.get_window_extent().width for legend in legends]
        self._grid.update(right=0.97 - max(widths_px, default=0.0) / self.figure.bbox.width)
        for row, axes in enumerate((self._signal, self._band, self._shares)):
            # Outside pyplot the grid does not tell them.
            axes.set_position(self._grid[row].get_position(self.figure))

    def _draw_signals(self) -> None:
        t_s, counts = self._history.samples(self._window_s)
        if not len(t_s) or not self._signals:
            return
        values = counts[:, self._shown] * self._history.units_per_lsb[self._shown]
        for line, column in zip(self._signals, values.T, strict=True):
            line.set_data(t_s - self._history.t_s, column)
        needed = max(float(np.abs(values).max()), 1e-9)
        # Grows and shrinks in steps, or the axis would jump about.
        if not 0.4 * self._limit < needed <= self._limit:
            self._limit = needed * 1.2
            self._signal.set_ylim(-self._limit, self._limit)
            self._background = None

    def _draw_predictions(self) -> None:
        history = self._history
        shown = [
            record
            for record in history.last_predictions(400)
            if record.t_us / 1e6 >= history.t_s - self._window_s
        ]
        t_s = [record.t_us / 1e6 - history.t_s for record in shown]
        for i, line in enumerate(self._lines):
            line.set_data(t_s, [share(record, i) for record in shown])
        if self._bars is not None:
            self._bars.remove()
            self._bars = None
        if not shown:
            self._title.set_text("waiting for the first full window")
            self._title.set_color(_GREY)
            return
        hop_s = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.5
        truths = [record.get("truth") for record in shown]
        self._bars = self._band.broken_barh(
            # A little wide, since predictions come a little unevenly.
            [(t - 1.05 * hop_s, 1.05 * hop_s) for t in t_s],
            (0, 1),
            facecolors=[self._colour(truth) for truth in truths],
            animated=True,
        )
        label, truth = shown[-1].get("label"), truths[-1]
        text = _short(str(label))
        if truth is not None and truth != label:
            text += f"   (really: {_short(str(truth))})"
        self._title.set_text(text)
        self._title.set_fontsize(_BIG if len(text) <= _MAX_TITLE else _SIZE)
        self._title.set_color(self._colour(label))

    def _colour(self, name: object) -> str:
        classes = self._history.classes
        return PALETTE[classes.index(str(name)) % len(PALETTE)] if str(name) in classes else _GREY


def _short(name: str) -> str:
    text = printable(name)
    return text if len(text) <= _MAX_NAME else text[: _MAX_NAME - 1] + "…"
