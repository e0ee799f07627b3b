"""The live picture: from a history to strokes or pixels, with no notebook in it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ..plots import PALETTE, Picture
from ..text import printable
from .history import History
from .strokes import Stroke, strokes
from .views import PANELS, Panel, default_panels
from .views.panel import GREY, SIZE, SMALL, colour_of, short

WINDOW_S = 10.0
# All lengths in pixels. Under a cell of four lines, with its buttons and a notebook's own bars, it
# fits on a projector of 1280 by 800.
WIDTH, HEIGHT = 900, 500
_DPI = 90
_BIG = 24
_MAX_TITLE = 36
_STATUS_WIDTH = 106  # letters
_LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN = 84, 16, 104, 54, 40
# From above: the baseline of the title, the top of the status.
_TITLE_AT, STATUS_AT = 30, 40
_BESIDE = 346  # width of the column at the right, names of its rows included
_BESIDE_NAMES, _BESIDE_BOTTOM = 128, 116

Layers = dict[str, tuple[list[Stroke], bytes]]
Versions = tuple[int, object]  # of the axes, and of what stands still
NONE_KNOWN: Versions = (0, None)


class LiveFigure:
    """Panels on one time axis, some beside them, a title and a line of status above.

    It consists of three layers (see `Panel`): the axes, pixels drawn by matplotlib and kept; over
    them what stands still for a while; and what moves in every frame. For a canvas the upper two
    are strokes, which cost next to nothing; for a picture matplotlib draws them as well. So that
    the axes can be kept, the time axis counts back from now.

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
        self._axes_pixels: Any = None
        self._axes_version = 0
        self._made_for: tuple[object, ...] | None = None
        self.panels: list[Panel] = []
        self._title = self.figure.text(
            _LEFT / WIDTH, 1 - _TITLE_AT / HEIGHT, "",
            fontsize=_BIG, fontweight="bold", animated=True, parse_math=False,
        )  # fmt: skip
        self._status = self.figure.text(
            _LEFT / WIDTH, 1 - STATUS_AT / HEIGHT, "",
            fontsize=SMALL, va="top", animated=True, parse_math=False,
        )  # fmt: skip

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
                self._axes_pixels = None
        self._set_title()
        self._status.set_text(textwrap.fill(printable(status), _STATUS_WIDTH, max_lines=2))
        self._status.set_color(PALETTE[3] if alarm else "#444444")
        return self.figure

    def layers(self, known: Versions = NONE_KNOWN) -> tuple[Layers, Versions]:
        """What `update` drew last, without the layers whose version is known already, and the
        versions of this one.

        Of each layer the strokes and their numbers, see strokes.py; the axes are a PNG.
        """
        pixels = self._draw_axes()
        versions = (self._axes_version, self._still_version())
        layers: Layers = {}
        if versions[0] != known[0]:
            self._canvas.restore_region(pixels)
            layers["axes"] = ([], self._encoded())
        if versions[1] != known[1]:
            layers["still"] = strokes(self._still(), HEIGHT)
        layers["moving"] = strokes((a for p in self.panels for a in p.fast), HEIGHT)
        return layers, versions

    def png(self) -> bytes:
        """What `update` drew last, as a picture."""
        self._canvas.restore_region(self._draw_axes())
        for artist in (*self._still(), *(a for p in self.panels for a in p.fast)):
            self.figure.draw_artist(artist)
        return self._encoded()

    def _draw_axes(self) -> Any:
        if self._axes_pixels is None:
            self._canvas.draw()  # leaves out what is animated
            self._axes_pixels = self._canvas.copy_from_bbox(self.figure.bbox)
            self._axes_version += 1
        return self._axes_pixels

    def _still(self) -> list[Any]:
        return [self._title, self._status, *(a for p in self.panels for a in p.slow)]

    def _still_version(self) -> object:
        texts = (self._title.get_text(), self._status.get_text(), self._status.get_color())
        return (self._axes_version, *texts, *(panel.version for panel in self.panels))

    def _encoded(self) -> bytes:
        buffer = io.BytesIO()
        image = Image.frombuffer(
            "RGBA", (WIDTH, HEIGHT), self._canvas.buffer_rgba(), "raw", "RGBA", 0, 1
        )
        image.save(buffer, format="png", compress_level=1)
        return buffer.getvalue()

    def _place(self) -> None:
        """Make the panels anew, for other channels or classes."""
        self._axes_pixels = None
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
