"""What every panel of a live picture is."""

from __future__ import annotations

from typing import Any, ClassVar

from ...plots import PALETTE
from ...text import printable
from ..history import History

GREY = "#666666"
MARKERS = "osD^vP*X"  # told apart without colour
# In points; at 90 dots per inch the smallest is 15 pixels high, which the back row can read.
SIZE, SMALL = 14, 12
_MAX_NAME = 20


class Panel:
    """One axes of a live picture, showing one side of a history.

    What it draws comes in three speeds, so that a frame costs little:

    - the axes themselves, drawn anew only when `update` returns True;
    - `slow` artists, sent to the page only when `version` has changed;
    - `fast` artists, sent in every frame.

    Artists of the last two are made with `animated=True`, which keeps them out of the first, and
    are of a kind that strokes.py knows.
    """

    name: ClassVar[str]
    beside: ClassVar[bool] = False  # the others share one time axis
    height: ClassVar[float] = 1.0  # against the other panels on the time axis

    def __init__(self, axes: Any, history: History, window_s: float) -> None:
        self.axes = axes
        self.history = history
        self.window_s = window_s
        self.slow: list[Any] = []
        self.fast: list[Any] = []
        self.version: object = None
        axes.tick_params(labelsize=SIZE)

    def update(self, now_s: float) -> bool:
        """Take over what the history holds at board time `now_s`; True if the axes look different.

        The newest record may be older: it is shown as many seconds ago as it is.
        """
        raise NotImplementedError

    def legend(self) -> None:
        """A row above the axes, in as many lines as its width needs."""
        handles, _ = self.axes.get_legend_handles_labels()
        for columns in range(len(handles), 0, -1):
            legend = self.axes.legend(
                loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns, frameon=False,
                fontsize=SIZE if columns == len(handles) else SMALL, borderaxespad=0.1,
                borderpad=0.1, handlelength=1.2, handletextpad=0.4, columnspacing=1.0,
                labelspacing=0.15,
            )  # fmt: skip
            room = self.axes.get_window_extent().x1
            if legend.get_window_extent().width <= room:
                return


def colour_of(history: History, name: object) -> str:
    """A class's colour; grey for what is none of the classes."""
    classes = history.classes
    return PALETTE[classes.index(str(name)) % len(PALETTE)] if str(name) in classes else GREY


def short(name: str, longest: int = _MAX_NAME) -> str:
    """A name as it can be shown: no control characters, not too long."""
    text = printable(name)
    return text if len(text) <= longest else text[: longest - 1] + "…"
