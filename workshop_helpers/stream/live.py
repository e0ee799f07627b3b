"""A live view of a stream in a notebook: one picture, drawn anew up to ten times a second."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .counters import Counters
from .history import History
from .screen import Screen
from .stream import Stream

if TYPE_CHECKING:
    from .drawing import LiveFigure

_MIN_PERIOD_S = 0.1
# Drawing may take at most this share of the time; the rest is for what arrives.
_MAX_DUTY = 0.5


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

    Works in any notebook that shows pictures, whatever figure backend it uses. JupyterLab shows a
    Stop button as well. Outside a notebook `show` only collects.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.history = History(stream.hello)
        self.frames = 0

    def show(self, seconds: float = 20.0) -> LiveResult:
        """Draw for so many seconds, until the app ends, or until somebody stops it.

        Somebody may press the Stop button under the picture or interrupt the cell (■). The last
        picture stays. Raises what `Stream.next` raises; `history` keeps what came before.
        """
        from .drawing import LiveFigure

        figure = LiveFigure(self.history)
        screen = Screen()
        started_s = next_frame_s = time.monotonic()
        end_s = started_s + seconds
        interrupted = False
        try:
            while (now_s := time.monotonic()) < end_s and not screen.stopped:
                record = self._stream.next(timeout_s=max(0.0, min(0.05, end_s - now_s)))
                if record is not None:
                    self.history.add(record)
                elif self._stream.ended:
                    break
                if screen.visible and time.monotonic() >= next_frame_s:
                    cost_s = self._frame(figure, screen, started_s)
                    next_frame_s = time.monotonic() + max(
                        _MIN_PERIOD_S - cost_s, cost_s * (1 / _MAX_DUTY - 1)
                    )
        except KeyboardInterrupt:
            interrupted = True
        finally:
            interrupted = interrupted or screen.stopped
            if screen.visible:
                self._frame(figure, screen, started_s)
            screen.close()
        return LiveResult(
            self.history, self._stream.counters, time.monotonic() - started_s, interrupted
        )

    def _frame(self, figure: LiveFigure, screen: Screen, started_s: float) -> float:
        """Draw and show one picture; returns how long it took, s."""
        begun_s = time.monotonic()
        figure.update(self._status(begun_s - started_s))
        screen.show(figure.png())
        self.frames += 1
        return time.monotonic() - begun_s

    def _status(self, elapsed_s: float) -> str:
        counters = self._stream.counters
        text = f"{counters}   ·   {counters.records / max(elapsed_s, 0.1):.0f} records/s"
        recent = [r.get("us") for r in self.history.last_predictions(50)]
        times_us = [us for us in recent if isinstance(us, int) and us >= 0]
        if times_us:
            text += f"   ·   {np.median(times_us):.0f} µs per prediction on the board"
        return text
