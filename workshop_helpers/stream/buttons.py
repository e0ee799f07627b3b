"""Buttons that are heard while the cell that shows them is running."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..notebook import watched_kernel
from .subshell import Listener


@dataclass(frozen=True)
class Press:
    """A button: what stands on it, what it means, how it looks ("stop", "plain", "chosen")."""

    event: str
    text: str
    value: str = ""
    look: str = "plain"


class Buttons:
    """A row of buttons in a cell's output, with a canvas below where `send` is given frames.

    Not `shown` where no button can be heard, or nobody is there to press it: in kernels without
    subshells, without anywidget, in an unattended run. The cell's own interrupt (■) is what there
    is then.

    Tried: JupyterLab 4.6, with and without subshells of its own, and without anywidget's extension
    (tests/test_browser_live_view.py, tests/test_browser_recording.py). Not tried: Notebook 7, VS
    Code and others. They should show it where they support widgets and ipykernel is 7.4 or later.
    """

    def __init__(self, presses: Sequence[Press] = ()) -> None:
        self.n_ready = 0  # how often a page has begun to show it
        self.n_seen = 0  # the last frame that a page says it has shown
        self._events: deque[tuple[str, str]] = deque(maxlen=1000)
        self._widget: Any = None
        self._handle: Any = None
        kernel = watched_kernel()
        if kernel is None:
            return
        try:
            module: Any = importlib.import_module(f"{__package__}.canvas")
            self._listener = Listener(kernel)
        except (ImportError, RuntimeError):  # no anywidget, no subshell
            return
        self._widget = self._listener.run(module.Canvas, buttons=_described(presses))
        self._widget.on_msg(self._hear)

    @property
    def shown(self) -> bool:
        """Whether a page shows it, or may still begin to."""
        return self._widget is not None

    def pressed(self) -> list[tuple[str, str]]:
        """(event, value) of the buttons pressed since the last call."""
        events = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def offer(self, presses: Sequence[Press]) -> None:
        """Show these buttons from now on."""
        if self._widget is not None:
            self._listener.run(setattr, self._widget, "buttons", _described(presses))

    def send(self, message: dict[str, Any], data: list[bytes]) -> None:
        """What the canvas is to paint; see canvas.py."""
        self._listener.run(self._widget.send, message, data)

    def display(self, **also: str) -> Any:
        """Show it in the cell's output, `also` by their MIME types where there are no widgets; the
        handle of that output. Nothing happens if it is not `shown`."""
        if self._widget is None:
            return None
        made = self._widget._repr_mimebundle_()
        bundle = dict(made[0] if isinstance(made, tuple) else made)  # metadata may come along
        display: Any = importlib.import_module("IPython.display").display
        self._handle = display({**bundle, "text/plain": "", **also}, raw=True, display_id=True)
        return self._handle

    def close(self) -> None:
        """Leave nothing that needs a kernel: a saved notebook would say that it can't load it."""
        if self._widget is not None:
            self._listener.run(self._widget.close)
            self._widget = None

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Called on the subshell's thread; the front end is not to be trusted more than a board."""
        event = content.get("event") if isinstance(content, dict) else None
        if event == "ready":
            self.n_ready += 1
        elif event == "shown":
            number = content.get("number")
            self.n_seen = number if isinstance(number, int) else self.n_seen
        elif isinstance(event, str):
            self._events.append((event, str(content.get("value") or "")))


def _described(presses: Sequence[Press]) -> list[dict[str, str]]:
    return [asdict(press) for press in presses]
