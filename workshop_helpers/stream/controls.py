"""The buttons of a live view, and what they do to the stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..errors import StreamError
from .buttons import Press
from .views.panel import short

if TYPE_CHECKING:
    from .history import History
    from .stream import Stream

_MAX_LABELS = 12


class Controls:
    """Stop, restart, and a label for each class if the app takes labels.

    Whoever runs the view asks `presses` for the buttons, and gives `handle` what was pressed.
    """

    def __init__(self, stream: Stream, history: History, labels: Sequence[str] | None) -> None:
        self._stream = stream
        self._history = history
        self._labels = labels
        self.stopped = False

    def presses(self) -> list[Press]:
        presses = [Press("stop", "Stop", look="stop"), Press("restart", "Restart")]
        names = self._label_names()
        if names:
            presses.append(Press("", "It really is:", look="words"))
        chosen = self._history.label
        for name in names:
            look = "chosen" if name == chosen else "plain"
            presses.append(Press("label", short(name), value=name, look=look))
        return presses

    def handle(self, events: Iterable[tuple[str, str]]) -> str | None:
        """Do what was pressed; what to tell about it, None if nothing was.

        Raises what `Stream.restart` raises. A label that the app refuses is only told.
        """
        note = None
        for event, value in events:
            if event == "stop":
                self.stopped = True
            elif event == "restart":
                self._stream.restart()
                note = "started anew"
            elif event == "label" and value in self._label_names():
                note = self._label(value)
        return note

    def _label(self, text: str) -> str:
        try:
            self._stream.label(text)
        except StreamError as error:
            return f"label {text!r} not taken: {error}"
        return f"label {text!r} taken"

    def _label_names(self) -> list[str]:
        hello = self._history.hello
        commands = [] if hello is None else hello.get("commands", [])
        if not isinstance(commands, list) or "label" not in commands:
            return []
        return list(self._history.classes if self._labels is None else self._labels)[:_MAX_LABELS]
