"""What has come from the board: counted, kept for whoever waits, handed to subscribers."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from .counters import Counters, Counting
from .records import Gap, Item, Record, TextLine

Subscriber = Callable[[Item], None]
_TEXT_LINES = 1000
_ANSWERS = 32


class Inbox:
    """Filled by one thread, read by any. Bounded, whatever comes.

    Attributes:
        changed: notified after every change; its lock guards everything here.
        hello, bye: the app's first and last record; None before.
        heard_s: when the last byte came.
        ended: no more will come; what waits can still be taken.
    """

    def __init__(self, queue_records: int) -> None:
        self.changed = threading.Condition()
        self.hello: Record | None = None
        self.bye: Record | None = None
        self.heard_s = time.monotonic()
        self.ended = False
        self._counting = Counting()
        self._queue: deque[Record] = deque()
        self._queue_records = queue_records
        self._text: deque[str] = deque(maxlen=_TEXT_LINES)
        self._answers: deque[Record] = deque(maxlen=_ANSWERS)
        self._spoke = False
        self._gap: tuple[float, str] | None = None
        self._subscribers: list[Subscriber] = []

    # --- the reading thread ---------------------------------------------------------------
    def take(self, items: list[Item], size_bytes: int) -> None:
        """Items that have just come, as `size_bytes` on the line."""
        now_s = time.monotonic()
        with self.changed:
            if self._gap is not None and size_bytes:
                since_s, why = self._gap
                items = [Gap(now_s - since_s, why), *items]
                self._gap = None
            self.heard_s = now_s
            self._counting.add_bytes(size_bytes, now_s)
            for item in items:
                self._counting.add(item, now_s)
                if isinstance(item, Record):
                    self._keep(item)
                elif isinstance(item, TextLine):
                    self._text.append(item.text)
            self.changed.notify_all()
            subscribers = tuple(self._subscribers)
        for item in items:
            for subscriber in subscribers:
                subscriber(item)

    def begin_anew(self, why: str) -> None:
        """The app is being started again; what waits here stays, and the counters go on."""
        with self.changed:
            self._gap = self._gap or (self.heard_s, why)
            self._counting.begin_anew()
            self._answers.clear()
            self.hello = self.bye = None
            self._spoke = False
            self.heard_s = time.monotonic()
            self.ended = False

    def end(self) -> None:
        """No more will come."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _keep(self, record: Record) -> None:
        self._spoke = True
        if record.kind == "hello":
            self.hello = record
        elif record.kind == "bye":
            self.bye = record
        elif record.kind == "ack":
            self._answers.append(record)
        if len(self._queue) >= self._queue_records:
            self._queue.popleft()
            self._counting.drop()
        self._queue.append(record)

    # --- everybody else -------------------------------------------------------------------
    def subscribe(self, subscriber: Subscriber) -> None:
        with self.changed:
            self._subscribers.append(subscriber)

    def counters(self) -> Counters:
        with self.changed:
            return self._counting.snapshot(time.monotonic())

    def text(self) -> list[str]:
        with self.changed:
            return list(self._text)

    def next(self, timeout_s: float) -> Record | None:
        """The oldest record that waits; None on timeout, or if none will come."""
        with self.changed:
            self.changed.wait_for(lambda: self._queue or self.ended, timeout_s)
            return self._queue.popleft() if self._queue else None

    @property
    def drained(self) -> bool:
        """No more will come, and nothing waits."""
        with self.changed:
            return self.ended and not self._queue

    def wait_for_first(self, timeout_s: float) -> bool:
        """Whether the app has sent a record since it was started."""
        with self.changed:
            self.changed.wait_for(lambda: self._spoke or self.ended, timeout_s)
            return self._spoke

    def wait_for_end(self, timeout_s: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.ended, timeout_s)

    def wait_for_answer(self, number: int, timeout_s: float) -> Record | None:
        """The answer to a command; None on timeout, at the end, or if the board got it damaged."""
        with self.changed:
            self._answers = deque(
                (a for a in self._answers if a.get("id") is not None), maxlen=_ANSWERS
            )
            self.changed.wait_for(
                lambda: self.ended or any(a.get("id") in (number, None) for a in self._answers),
                timeout_s,
            )
            return next((a for a in self._answers if a.get("id") == number), None)
