"""The recorder's writing thread: from records to samples, gaps and labels on the disk."""

from __future__ import annotations

import queue
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, StreamError, WorkshopError
from ..recordings.partial import PartialRecording
from ..recordings.recording import Recording
from .hello import check_hello, check_samples
from .places import Places
from .records import Gap, Record

FLUSH_S = 0.5
KINDS = ("hello", "samples", "label", "gap", "progress", "bye")


@dataclass(frozen=True)
class MarkLabel:
    """The label from the next sample on."""

    label: str | None


Entry = Record | Gap | MarkLabel


class Writer:
    """Takes from the queue until None comes. After an error it only empties the queue.

    The number of samples that the app had sent before a block is the block's "at": from it follow
    gaps and the places of labels. "labels" and "gaps" of a block count the records of these kinds
    before it: of a gap whose record was lost, the place is known; what comes after a label whose
    record was lost has none, until a record "progress" or "bye" says which it was and from where.
    A label that the app gave ends where the app begins again.
    """

    def __init__(
        self,
        folder: Path,
        label: str | None,
        about: dict[str, Any],
        source: queue.Queue[Entry | None],
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
        self._places = Places()
        self._labels: deque[tuple[int, str | None]] = deque()
        self._labels_heard = self._gaps_heard = 0
        self._last_label: tuple[str | None, int] = (None, 0)  # and from which sample on
        self._label_by_app = False
        self._anew = False  # the app begins again with the next block
        self._last_us = 0
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
    def _take(self, item: Entry) -> None:
        if isinstance(item, MarkLabel):
            self._mark(item.label, None)
            self._label_by_app = False
        elif isinstance(item, Gap):
            self._start_over()
        elif item.kind == "hello":
            self._greet(item)
        elif item.kind == "label":
            self._labels_heard += 1
            self._await_label(item.get("label", item.get("text")), item.get("at"))
        elif item.kind == "gap":
            self._gaps_heard += 1
            lost = item.get("lost")
            self._gap(lost if type(lost) is int and lost > 0 else 0)
        elif item.kind == "samples":
            self._add(item)
        elif type(item.get("label_at")) is int:
            said = (_text(item.get("label")), item["label_at"])
            if said not in (self._last_label, (None, 0)):
                self._await_label(*said)

    def _greet(self, hello: Record) -> None:
        """The app began, or began again; then nobody knows how long it was away."""
        if self._partial is not None and _shape(hello) != self._shape:
            raise DataError(
                "The app began again with another rate or other channels.",
                "Make a new recording; the one until then is kept.",
            )
        self._hello = hello
        self._start_over()

    def _start_over(self) -> None:
        """The app counts from 0 again; what of the run before is still awaited never comes."""
        self._anew = self._partial is not None
        self._expected = 0
        self._labels.clear()
        self._labels_heard = self._gaps_heard = 0
        self._last_label = (None, 0)

    def _begin(self, block: Record) -> PartialRecording:
        hello = self._hello
        if hello is None:
            raise StreamError(
                "The app's first record, which names rate and channels, did not arrive whole.",
                "Stop the stream and record again; if it stays so, use a shorter cable.",
            )
        if not hello.get("rate_hz") or not hello.get("channels"):
            raise DataError(
                "The app's first record does not say rate_hz and channels, so nothing can be "
                "recorded.",
                "Stream the app 'recorder', or let yours say them in its 'hello'.",
            )
        check_hello(hello)
        channels = [str(name) for name in hello["channels"]]
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
        gaps = block.get("gaps")  # those before the first sample are none
        self._gaps_heard = gaps if type(gaps) is int else 0
        return PartialRecording(self._folder, self._first_label, about)

    def _add(self, block: Record) -> None:
        check_samples(block["channels"], self._hello)
        if self._partial is None:
            self._partial = self._begin(block)
            if self.current_label != self._first_label:
                self._partial.label(self.current_label)
        at, n = self._at_of(block), int(block["n"])
        assert self._expected is not None
        if not self._anew and (at < self._expected or block.t_us < self._last_us):
            self._start_over()  # its "hello" was lost
        if self._anew:
            self._gap(0)
            self._rebase(at)
            self._anew = False
            if self._label_by_app:
                self._mark_by_app(None, None)
        elif at > self._expected:
            self._gap(at - self._expected)
            self._places.begin(at, self.n_samples)
        self._count_marks(block)
        while self._labels and self._labels[0][0] < at + n:
            since, label = self._labels.popleft()
            self._mark_by_app(label, self.n_samples + max(0, since - at))
        self._partial.add(block.samples().astype("<i2").tobytes())
        self.n_samples = self._partial.n_samples
        self._expected = at + n
        self._last_us = block.t_us
        self._partial.clock(at + n + self._shift, block.t_us)

    def _count_marks(self, block: Record) -> None:
        """Notice labels and gaps of which this block knows and the recording does not."""
        labels, gaps = block.get("labels"), block.get("gaps")
        if type(gaps) is int and gaps != self._gaps_heard:
            self._gaps_heard = gaps
            self._gap(0)
        if type(labels) is int and labels != self._labels_heard:
            self._labels_heard = labels
            self._labels.clear()
            self._last_label = (None, 0)
            self._mark_by_app(None, None)

    def _await_label(self, text: object, at: object) -> None:
        """A label that the board gave: it counts from the app's own sample `at` on."""
        label = _text(text)
        if type(at) is not int:
            self._mark_by_app(label, None)
            return
        self._last_label = (label, at)
        if self._partial is None or self._anew or at >= (self._expected or 0):
            self._labels.append((at, label))
        else:
            self._mark_by_app(label, self._places.of(at))

    def _mark_by_app(self, label: str | None, at: int | None) -> None:
        self._mark(label, at)
        self._label_by_app = True

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
        self._places.clear()
        self._places.begin(at, self.n_samples)

    def _at_of(self, block: Record) -> int:
        """Samples that the app had sent before; blocks that do not tell are taken as they come."""
        at = block.get("at")
        return at if type(at) is int and at >= 0 else self._expected or 0


def _text(value: object) -> str | None:
    return str(value).strip() or None if value else None


def _shape(hello: Record) -> tuple[Any, ...]:
    keys = ("rate_hz", "channels", "units_per_lsb", "channel_units")
    return tuple(repr(hello.get(key)) for key in keys)
