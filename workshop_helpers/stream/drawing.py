"""The live picture: from a history to pixels, with no notebook in it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray
from PIL import Image

from ..plots import PALETTE, Picture
from ..text import printable
from .history import History
from .views import PANELS, Panel, default_panels
from .views.panel import GREY, SIZE, SMALL, colour_of, short

WINDOW_S = 10.0
# All lengths in pixels. With a notebook's own bars it fits on a projector of 1280 by 800.
WIDTH, HEIGHT = 900, 560
_DPI = 90
_BIG = 24
_MAX_TITLE = 36
_LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN = 84, 16, 84, 88, 40
_BESIDE = 346  # width of the column at the right, names of its rows included
_BESIDE_NAMES, _BESIDE_BOTTOM = 128, 150


class LiveFigure:
    """Panels on one time axis, some beside them, a title above and a line of status below.

    A frame is put together from three layers (see `Panel`), of which the lower two are kept as
    pixels. Text is in those: it takes longer to draw than a thousand points. So the time axis
    counts back from now.

    Args:
        panels: names of panels; None for what suits the app.
    """

    def __init__(
        self,
        history: History,
        panels: Sequence[str] | None = None,
        window_s: float = WINDOW_S,
    ) -> None:
        self._history = history
        self._names = panels
        self._window_s = window_s
        self.figure = Picture(WIDTH / _DPI, HEIGHT / _DPI)
        self.figure.set_dpi(_DPI)
        self.figure.set_layout_engine("none")  # placed once, by hand
        self._canvas: Any = FigureCanvasAgg(self.figure)  # partly typed
        self._layers: list[Any] = []  # pixels of the axes, and of the slow artists over them
        self._drawn: tuple[object, ...] = ()
        self._made_for: tuple[object, ...] | None = None
        self.panels: list[Panel] = []
        self._title = self.figure.text(
            _LEFT / WIDTH, 1 - 38 / HEIGHT, "", fontsize=_BIG, fontweight="bold", animated=True
        )
        self._status = self.figure.text(16 / WIDTH, 10 / HEIGHT, "", fontsize=SMALL, animated=True)

    def update(
        self, status: str = "", *, alarm: bool = False, now_s: float | None = None
    ) -> Picture:
        """Draw what the history holds at board time `now_s`; None: when its newest record came.

        `alarm` shows the status as bad news.
        """
        made_for = (self._history.channels, self._history.classes, self._history.rate_hz)
        if self._made_for != made_for:
            self._made_for = made_for
            self._place()
        for panel in self.panels:
            if panel.update(self._history.t_s if now_s is None else now_s):
                self._layers.clear()
        self._set_title()
        self._status.set_text(textwrap.fill(printable(status), 100, max_lines=2))
        self._status.set_color(PALETTE[3] if alarm else "#444444")
        return self.figure

    def rgba(self) -> NDArray[np.uint8]:
        """What `update` drew last, uint8 [HEIGHT, WIDTH, 4]; overwritten by the next call."""
        canvas, figure = self._canvas, self.figure
        slow: tuple[object, ...] = (
            self._title.get_text(), self._status.get_text(), self._status.get_color(),
            *(panel.version for panel in self.panels),
        )  # fmt: skip
        if slow != self._drawn:
            del self._layers[1:]
            self._drawn = slow
        if not self._layers:
            canvas.draw()  # leaves out what is animated
            self._layers.append(canvas.copy_from_bbox(figure.bbox))
        if len(self._layers) == 1:
            canvas.restore_region(self._layers[0])
            for artist in (self._title, self._status, *(a for p in self.panels for a in p.slow)):
                figure.draw_artist(artist)
            self._layers.append(canvas.copy_from_bbox(figure.bbox))
        canvas.restore_region(self._layers[1])
        for panel in self.panels:
            for artist in panel.fast:
                figure.draw_artist(artist)
        return np.asarray(canvas.buffer_rgba())

    def jpeg(self) -> bytes:
        """For a frame that the next one replaces: a sixth of the time that PNG takes. Colours are
        kept at full resolution, so that lines and letters stay sharp."""
        # "RGBX" spares a copy without the fourth byte.
        return _encoded(self.rgba(), "RGBX", format="jpeg", quality=90, subsampling=0)

    def png(self) -> bytes:
        """For a picture that stays."""
        return _encoded(self.rgba(), "RGBA", format="png", compress_level=1)

    def _place(self) -> None:
        """Make the panels anew, for other channels or classes."""
        self._layers.clear()
        for axes in list(self.figure.axes):
            axes.remove()
        names = self._names or default_panels(self._history)
        kinds = [PANELS[name] for name in names]
        stacked = [kind for kind in kinds if not kind.beside]
        right = WIDTH - _RIGHT - (_BESIDE if len(stacked) < len(kinds) else 0)
        self.panels = []
        if stacked:
            self.panels += self._stack(stacked, right)
        beside = [kind for kind in kinds if kind.beside]
        for row, kind in enumerate(beside):
            left = right + _BESIDE_NAMES if stacked else WIDTH // 4
            height = (HEIGHT - _TOP - _BESIDE_BOTTOM) // len(beside)
            bottom = _BESIDE_BOTTOM + (len(beside) - 1 - row) * height
            axes = self._axes(left, bottom, WIDTH - _RIGHT - left, height)
            axes.set_anchor("N")
            self.panels.append(kind(axes, self._history, self._window_s))

    def _stack(self, kinds: list[type[Panel]], right: int) -> list[Panel]:
        """Panels one above the other, the time below the last."""
        room = HEIGHT - _TOP - _BOTTOM - _BETWEEN * (len(kinds) - 1)
        total = sum(kind.height for kind in kinds)
        top = HEIGHT - _TOP
        panels = []
        for kind in kinds:
            height = int(room * kind.height / total)
            axes = self._axes(_LEFT, top - height, right - _LEFT, height)
            panel = kind(axes, self._history, self._window_s)
            panel.legend()
            axes.set_xlim(-self._window_s, 0)
            axes.xaxis.set_major_formatter(lambda x, _: f"{abs(x):g}")
            axes.tick_params(labelbottom=kind is kinds[-1])
            panels.append(panel)
            top -= height + _BETWEEN
        axes.set_xlabel("seconds ago", fontsize=SIZE)
        return panels

    def _axes(self, left: int, bottom: int, width: int, height: int) -> Any:
        return self.figure.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))

    def _set_title(self) -> None:
        """The newest answer, in its class's colour."""
        history = self._history
        newest, truths = history.last_predictions(1), history.last_truths(1)
        if not newest:
            waiting = "waiting for the first record" if history.hello is None else ""
            self._title.set_text(
                "waiting for the first full window" if history.classes else waiting
            )
            self._title.set_color(GREY)
            return
        label, truth = str(newest[0].get("label")), truths[0]
        text = short(label)
        if truth is not None and truth != label:
            text += f"   (really: {short(truth)})"
        self._title.set_text(text)
        self._title.set_fontsize(_BIG if len(text) <= _MAX_TITLE else SIZE)
        self._title.set_color(colour_of(history, label))


def _encoded(rgba: NDArray[np.uint8], mode: str, **options: Any) -> bytes:
    height, width = rgba.shape[:2]
    buffer = io.BytesIO()
    image = Image.frombuffer(mode, (width, height), rgba, "raw", mode, 0, 1)
    image.save(buffer, **options)
    return buffer.getvalue()
