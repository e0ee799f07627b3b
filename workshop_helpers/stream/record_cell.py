"""Record in one cell: a line that says how it goes, and a button a label."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..notebook import in_notebook
from .buttons import Buttons, Press
from .recorder import Recorder

if TYPE_CHECKING:
    from ..recordings import Recording
    from .stream import Stream

_LOOK_S, _SHOW_S = 0.1, 0.5


def record(
    stream: Stream,
    folder: Path | str = "my_recordings",
    *,
    seconds: float = 20.0,
    buttons: Sequence[str] = (),
    **options: Any,
) -> Recording:
    """Record a stream for so long, or until its app ends or somebody presses Stop.

    In JupyterLab each of `buttons` is one to press when that begins; the label holds until the
    next. Where no button can be heard, as in an unattended run, none is shown. An interrupt of the
    cell (■) ends the recording and keeps it.

    Args:
        stream: not started yet: `record(board.stream("recorder"), ...)`.
        folder: a name under the learner's recordings, or a path.
        options: of the `Recorder`: label, person, session.

    Raises:
        DataError: no sample came, or the disk is full; what came before is kept.
        WorkshopError: what the stream raises; what came before is kept.
    """
    row = _Row(buttons)
    line = _Line()
    recorder = Recorder(stream, folder, **options)
    try:
        with recorder:
            row.show()
            _follow(recorder, stream, row, line, seconds)
    finally:
        line.show(recorder.status())
        row.close()
    if recorder.recording is None:
        raise DataError("No sample came, so nothing was recorded.", "Does the app send samples?")
    return recorder.recording


def _follow(recorder: Recorder, stream: Stream, row: _Row, line: _Line, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    next_line_s = 0.0
    try:
        while (now_s := time.monotonic()) < end_s and not stream.ended:
            for event, label in row.pressed():
                if event == "stop":
                    return
                recorder.label(label)
                row.choose(label)
            if now_s >= next_line_s:
                line.show(recorder.status())
                next_line_s = now_s + _SHOW_S
            recorder.wait(min(_LOOK_S, max(0.0, end_s - now_s)))
    except KeyboardInterrupt:
        return


class _Row:
    """A button a label, the one pressed last marked, and Stop."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._buttons = Buttons(self._presses(None))
        self._handle: Any = None

    def show(self) -> None:
        self._handle = self._buttons.display()

    def pressed(self) -> list[tuple[str, str]]:
        """(event, label); what a page sends is not to be trusted more than a board."""
        return [
            (event, label)
            for event, label in self._buttons.pressed()
            if event == "stop" or (event == "label" and label in self._labels)
        ]

    def choose(self, label: str) -> None:
        self._buttons.offer(self._presses(label))

    def close(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)
        self._buttons.close()

    def _presses(self, chosen: str | None) -> list[Press]:
        looks = {chosen: "chosen"}
        labels = [Press("label", name, name, looks.get(name, "plain")) for name in self._labels]
        return [*labels, Press("stop", "Stop", look="stop")]


class _Line:
    """A line of text in a notebook's output that is replaced; nothing elsewhere."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._visible = in_notebook()

    def show(self, text: str) -> None:
        if not self._visible:
            return
        if self._handle is None:
            import IPython.display

            tools: Any = IPython.display
            self._handle = tools.display({"text/plain": text}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": text}, raw=True)
