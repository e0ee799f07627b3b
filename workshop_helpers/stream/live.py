"""A live view of a stream in a notebook."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .counters import Counters
from .history import History
from .pace import BoardClock, Pacer
from .status import Status
from .stream import Stream

if TYPE_CHECKING:
    from .controls import Controls
    from .drawing import LiveFigure
    from .screen import Screen

_LONGEST_WAIT_S = 0.05  # for a record, so that a button is soon heard
_MOST_AT_ONCE = 1000  # records between two looks at the buttons


@dataclass(frozen=True)
class LiveResult:
    """What a live view saw. `history` has the arrays: labels, truth, outputs, samples()."""

    history: History = field(repr=False)
    counters: Counters
    seconds: float
    interrupted: bool

    def __repr__(self) -> str:
        text = f"{len(self.history.predictions)} predictions in {self.seconds:.1f} s"
        if (accuracy := self.history.accuracy) is not None:
            text += f", {accuracy:.1%} right"
        text += f"; {self.counters}"
        return f"<LiveResult: {text}{', stopped by hand' if self.interrupted else ''}>"


class LiveView:
    """Shows a stream while it runs, and keeps what it saw in `history`.

    In a notebook it is a moving picture with buttons: Stop, Restart, and one a class to say what it
    really is, if the app takes labels. Where a front end shows no widgets it is a picture without
    buttons; outside a notebook `show` only collects. A slow screen makes it drop frames, never
    records.

    Args:
        stream: running, or about to be started.
        panels: of "signals", "spectrogram", "probabilities", "confusion"; None for what suits the
            channels and classes that the app reports.
        window_s: how much of the past is shown.
        labels: what the label buttons say; None for the app's classes.

    Raises StreamError for a panel that does not exist.
    """

    def __init__(
        self,
        stream: Stream,
        panels: Sequence[str] | None = None,
        *,
        window_s: float = 10.0,
        labels: Sequence[str] | None = None,
    ) -> None:
        if panels is not None:
            from .views import check_panels

            panels = check_panels(panels)
        self._stream = stream
        self._panels = panels
        self._window_s = window_s
        self._labels = labels
        self._clock = BoardClock()
        self.history = History(stream.hello)
        self._started_s = 0.0
        self.frames = 0

    def show(self, seconds: float = 20.0) -> LiveResult:
        """Draw for so many seconds, until the app ends, or until somebody stops it.

        Somebody may press Stop or interrupt the cell (■). The last picture stays. Raises what
        `Stream.next` raises; `history` keeps what came before.
        """
        self._started_s = time.monotonic()
        try:
            interrupted = self._show(seconds)
        except KeyboardInterrupt:  # perhaps while the drawing was still being loaded
            interrupted = True
        elapsed_s = time.monotonic() - self._started_s
        return LiveResult(self.history, self._stream.counters, elapsed_s, interrupted)

    def _show(self, seconds: float) -> bool:
        """Run on a screen for so long, loading it not counted; whether Stop was pressed."""
        from .controls import Controls
        from .drawing import LiveFigure
        from .screen import Screen

        figure = LiveFigure(self.history, self._panels, self._window_s)
        controls = Controls(self._stream, self.history, self._labels)
        screen = Screen(controls.presses())
        status = Status(self.history)
        try:
            self._started_s = time.monotonic()
            self._run(figure, controls, screen, status, self._started_s + seconds)
        finally:
            if screen.visible:
                self._update(figure, status)
                screen.close(figure)
        return controls.stopped

    def _run(
        self, figure: LiveFigure, controls: Controls, screen: Screen, status: Status, end_s: float
    ) -> None:
        pacer = Pacer()
        shown = controls.presses()
        while (now_s := time.monotonic()) < end_s and not controls.stopped:
            until_s = min(end_s, max(pacer.due_s, now_s)) - now_s
            wait_s = min(until_s, _LONGEST_WAIT_S) if screen.visible else _LONGEST_WAIT_S
            if not self._take(wait_s):
                return
            if (note := controls.handle(screen.pressed())) is not None:
                status.note(note)
            if screen.visible and time.monotonic() >= pacer.due_s and screen.free:
                begun_s = time.monotonic()
                self._update(figure, status)
                screen.show(figure)
                self.frames += 1
                pacer.drew(begun_s, time.monotonic(), screen.period_s)
                if (presses := controls.presses()) != shown:
                    screen.offer(presses)
                    shown = presses

    def _take(self, wait_s: float) -> bool:
        """Take in what has come, after waiting so long for it; False if no more will."""
        ended = self._stream.ended  # before the last look, or what comes in between were lost
        record = self._stream.next(timeout_s=wait_s)
        if record is None:
            return not ended
        for _ in range(_MOST_AT_ONCE):
            if record.kind == "hello":
                self._clock.restart()
            self.history.add(record)
            self._clock.heard(record.t_us / 1e6, time.monotonic())
            record = self._stream.next(timeout_s=0.0)
            if record is None:
                break
        return True

    def _update(self, figure: LiveFigure, status: Status) -> None:
        now_s = time.monotonic()
        text = status.text(self._stream.counters, now_s)
        figure.update(text, alarm=status.alarm, now_s=self._clock.now_s(now_s))
