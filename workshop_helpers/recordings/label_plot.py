"""Labels given on a plot: draw over a stretch with the mouse, and say what it is."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from ..errors import DataError, WorkshopError
from .figures import draw_labels, draw_signal
from .recording import Recording

REMOVE = "(no label)"


class LabelPlot:
    """A plot of a recording on which a stretch is chosen with the mouse and given a label.

    Needs `%matplotlib widget` (ipympl) to be drawn on; elsewhere it is a picture, and
    `recording.label_span(start_s, end_s, label)` does the same without a mouse.

    Tried with Matplotlib's own events only, not with a hand on a mouse in each editor.
    """

    def __init__(self, recording: Recording, labels: Sequence[str]) -> None:
        if not labels:
            raise DataError("There is no label to give.", 'Name some: ["walking", "standing"].')
        import matplotlib.pyplot as plt
        from matplotlib.widgets import SpanSelector

        self.recording = recording
        self.label = labels[0]
        self.said = ""
        pyplot: Any = plt
        self.figure, (signal, self._band) = pyplot.subplots(
            2, 1, sharex=True, height_ratios=(5, 1), figsize=(9, 4), layout="constrained"
        )
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
        self._signal.set_title(self.said, loc="left", fontsize=10)
        self.figure.canvas.draw_idle()

    def _buttons(self, labels: list[str]) -> Any:
        try:
            widgets: Any = importlib.import_module("ipywidgets")
        except ImportError:
            return None
        choice = widgets.ToggleButtons(options=labels, value=self.label)
        choice.observe(lambda change: setattr(self, "label", change["new"]), "value")
        return choice

    def _ipython_display_(self) -> None:
        display: Any = importlib.import_module("IPython.display").display
        interactive = "ipympl" in type(self.figure.canvas).__module__
        if interactive and self._choice is not None:
            display(self._choice)
        display(self.figure.canvas if interactive else self.figure)
