"""Labels given on a plot: draw over a stretch with the mouse, and say what it is."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from ..errors import DataError, WorkshopError
from ..notebook import watched_kernel
from ..plots import Picture
from ..text import drawn
from .figures import draw_labels, draw_signal
from .recording import Recording

REMOVE = "(no label)"


class LabelPlot:
    """A plot of a recording on which a stretch is chosen with the mouse and given a label.

    In a notebook that somebody looks at it can be drawn on (ipympl, whatever backend is chosen).
    Elsewhere, and in an unattended run, it is a picture; `recording.label_span(start_s, end_s,
    label)` does the same without a mouse.

    Tried in JupyterLab 4.6 (tests/test_browser_recording.py). Not tried: VS Code, Notebook 7.
    """

    def __init__(self, recording: Recording, labels: Sequence[str]) -> None:
        if not labels:
            raise DataError("There is no label to give.", 'Name some: ["walking", "standing"].')
        from matplotlib.widgets import SpanSelector

        self.recording = recording
        self.label = labels[0]
        self.said = ""
        self.figure = Picture(8.0, 4.0)
        self._canvas = _live_canvas(self.figure)
        signal, self._band = self.figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
        draw_signal(signal, recording)
        self._signal: Any = signal
        make: Any = SpanSelector
        self.selector: Any = make(
            signal, self.select, "horizontal", useblit=True, props={"alpha": 0.3}
        )
        self._draw()
        self._choice = self._buttons([*labels, REMOVE])

    def select(self, start_s: float, end_s: float) -> None:
        """Give the chosen label to what was drawn over; what can't be is said on the plot."""
        try:
            label = None if self.label == REMOVE else self.label
            self.recording.label_span(start_s, end_s, label)
            self.said = f"{self.label}: {start_s:.1f} s to {end_s:.1f} s"
        except WorkshopError as error:
            self.said = error.what
        self._draw()

    def _draw(self) -> None:
        self._band.clear()
        draw_labels(self._band, self.recording)
        self._signal.set_title(drawn(self.said), loc="left", fontsize=10)
        self.figure.canvas.draw_idle()

    def _buttons(self, labels: list[str]) -> Any:
        if self._canvas is None:
            return None
        widgets: Any = importlib.import_module("ipywidgets")
        choice = widgets.ToggleButtons(options=labels, value=self.label)
        choice.observe(lambda change: setattr(self, "label", change["new"]), "value")
        return choice

    def _ipython_display_(self) -> None:
        display: Any = importlib.import_module("IPython.display").display
        if self._canvas is None:
            display(self.figure)
        else:
            display(self._choice, self._canvas)


def _live_canvas(figure: Picture) -> Any:
    """ipympl's canvas for the figure; None where nobody is there to draw on it."""
    if watched_kernel() is None:
        return None
    try:
        backend: Any = importlib.import_module("ipympl.backend_nbagg")
    except ImportError:
        return None
    canvas = backend.Canvas(figure)
    canvas.header_visible = canvas.footer_visible = False
    canvas.toolbar_visible = "hidden"  # dragging gives labels, and must not zoom
    backend.FigureManager(canvas, 0)
    return canvas
