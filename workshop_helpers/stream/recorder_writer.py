"""The recorder's writing thread: from records to samples, gaps and labels on the disk."""

from __future__ import annotations

import queue
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, WorkshopError
from ..recordings.partial import PartialRecording
from ..recordings.recording import Recording
from .records import Record

FLUSH_S = 0.5


@dataclass(frozen=True)
class MarkLabel:
    """The label from the next sample on."""

    label: str | None


class Writer:
    """Takes from the queue until None comes. After an error it only empties the queue.

    The number of samples that the app had sent before a block is the block's "at": from it follow
    gaps and the places of labels.
    """

    def __init__(
        self,
        folder: Path,
        label: str | None,
        about: dict[str, Any],
        source: queue.Queue[Record | MarkLabel | None],
        hello: Record | None,
    ) -> None:
        self.error: WorkshopError | None = None
        self.recording: Recording | None = None
        self.current_label = label
        self.n_samples = self.n_gaps = self.n_lost = 0
        self._folder, self._first_label, self._about, self._queue = folder, label, about, source
        self._hello = hello
        self._partial: PartialRecording | None = None
        self._shape: tuple[Any, ...] = ()
        self._expected: int | None = None  # the "at" of the next block
        self._shift = 0  # ticks of the recording minus samples of the app, after a restart
        self._labels: deque[tuple[int, str | None]] = deque()
        self._rate_hz = 1.0

    @property
    def seconds(self) -> float:
        return (self.n_samples + self.n_lost) / self._rate_hz

    def run(self) -> None:
        flushed_s = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, flushed_s + FLUSH_S - time.monotonic()))
            except queue.Empty:
                pass
            else:
                if item is None:
                    break
                self._guarded(self._take, item)
            if time.monotonic() - flushed_s >= FLUSH_S:
                self._guarded(self._flush)
                flushed_s = time.monotonic()
        self._guarded(self._end)

    def _guarded(self, step: Any, *args: Any) -> None:
        """Run a step unless one failed before; the end is tried all the same."""
        if self.error is not None and step != self._end:
            return
        try:
            step(*args)
        except WorkshopError as error:
            self.error = self.error or error
        except OSError as error:
            self.error = self.error or DataError(
                f"The recording can't go on: {error.strerror or error}.",
                "Make room on the disk; what was recorded until then is kept.",
            )
        except Exception as error:  # a thread must not die silently
            self.error = self.error or DataError(
                f"The recorder failed: {type(error).__name__}: {error}",
                "What was recorded until then is kept.",
            )

    def _flush(self) -> None:
        if self._partial is not None:
            self._partial.flush()

    def _end(self) -> None:
        if self._partial is not None:
            while self._labels:
                self._mark(self._labels.popleft()[1], None)
            self.recording = self._partial.finish()

    # --- records ----------------------------------------------------------------------------
    def _take(self, item: Record | MarkLabel) -> None:
        if isinstance(item, MarkLabel):
            self._mark(item.label, None)
        elif item.kind == "hello":
            self._greet(item)
        elif item.kind == "label":
            self._await_label(item)
        elif item.kind == "gap":
            lost = item.get("lost")
            self._gap(lost if type(lost) is int and lost > 0 else 0)
        else:
            self._add(item)

    def _greet(self, hello: Record) -> None:
        """The app began, or began again; then nobody knows how long it was away."""
        again = self._partial is not None
        if again and _shape(hello) != self._shape:
            raise DataError(
                "The app began again with another rate or other channels.",
                "Make a new recording; the one until then is kept.",
            )
        self._hello = hello
        if again and self._expected != 0:
            self._gap(0)
            self._rebase(0)

    def _begin(self, block: Record) -> PartialRecording:
        hello = self._hello
        if hello is None or not hello.get("rate_hz") or not hello.get("channels"):
            raise DataError(
                "The app's first record does not say rate_hz and channels, so nothing can be "
                "recorded.",
                "Stream the app 'recorder', or let yours say them in its 'hello'.",
            )
        channels = [str(name) for name in hello["channels"]]
        if block["channels"] != len(channels):
            raise DataError(
                f"The app sends {block['channels']} channels and names {len(channels)}.",
                "Mend the app's 'hello'.",
            )
        self._shape = _shape(hello)
        self._rate_hz = float(hello["rate_hz"])
        about = {
            "rate_hz": self._rate_hz,
            "channels": channels,
            "units_per_lsb": list(hello.get("units_per_lsb") or [1.0] * len(channels)),
            "channel_units": list(hello.get("channel_units") or ["counts"] * len(channels)),
            "sensor": hello.get("sensor"),
            "app": hello.get("app"),
            "board": hello.get("board"),
            **self._about,
        }
        # Of a run that the board records as well, the board names the session.
        about["session"] = about.get("session") or hello.get("session")
        self._rebase(self._at_of(block))
        return PartialRecording(self._folder, self._first_label, about)

    def _add(self, block: Record) -> None:
        if self._partial is None:
            self._partial = self._begin(block)
            if self.current_label != self._first_label:
                self._partial.label(self.current_label)
        at, n = self._at_of(block), int(block["n"])
        assert self._expected is not None
        if at < self._expected:  # the app began again, and its "hello" was lost
            self._gap(0)
            self._rebase(at)
        elif at > self._expected:
            self._gap(at - self._expected)
        while self._labels and self._labels[0][0] < at + n:
            since, label = self._labels.popleft()
            self._mark(label, self.n_samples + max(0, since - at))
        self._partial.add(block.samples().astype("<i2").tobytes())
        self.n_samples = self._partial.n_samples
        self._expected = at + n
        self._partial.clock(at + n + self._shift, block.t_us)

    def _await_label(self, record: Record) -> None:
        """A label that the board gave: it counts from the app's own sample "at" on."""
        text = record.get("label", record.get("text"))
        label = str(text).strip() if text else None
        at = record.get("at")
        if type(at) is not int or (self._expected is not None and at < self._expected):
            back = 0 if type(at) is not int else (self._expected or 0) - at
            self._mark(label, max(0, self.n_samples - back))
        else:
            self._labels.append((at, label))

    def _mark(self, label: str | None, at: int | None) -> None:
        self.current_label = label
        if self._partial is not None:
            self._partial.label(label, at)

    def _gap(self, length: int) -> None:
        if self._partial is not None and self.n_samples:
            self.n_gaps += 1
            self.n_lost += length
            self._partial.gap(length)

    def _rebase(self, at: int) -> None:
        self._expected = at
        self._shift = self.n_samples + self.n_lost - at

    def _at_of(self, block: Record) -> int:
        """Samples that the app had sent before; blocks that do not tell are taken as they come."""
        at = block.get("at")
        return at if type(at) is int and at >= 0 else self._expected or 0


def _shape(hello: Record) -> tuple[Any, ...]:
    keys = ("rate_hz", "channels", "units_per_lsb", "channel_units")
    return tuple(repr(hello.get(key)) for key in keys)
