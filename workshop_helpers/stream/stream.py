"""A running app on the board as an iterator of records."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import BoardGoneError, DeviceError, DeviceMemoryError, StreamError, WorkshopError
from .counters import Counters, Counting
from .records import Item, Record, RecordParser, TextLine

if TYPE_CHECKING:
    from ..board.running import Running

Subscriber = Callable[[Item], None]


class Stream:
    """Records of a running app; a context manager that stops the app.

    Reading begins with the `with`, or with the first record asked for.

    A thread reads the board all the time, so a slow loop loses nothing until `queue_records` wait;
    then the oldest are dropped from the queue and counted. Subscribers get every item.

    Args:
        running: the app, just started.
        hello_timeout_s: how long the app may take until its first record.
        silence_timeout_s: no byte for so long is an error.
        queue_records: how many records may wait.
    """

    STOP_TIMEOUT_S = 3.0  # for an app to end when told; then it is interrupted
    INTERRUPT_TIMEOUT_S = 5.0
    SILENT_TIMEOUT_S = 1.0  # for a board from which nothing is expected any more

    def __init__(
        self,
        running: Running,
        *,
        hello_timeout_s: float = 15.0,
        silence_timeout_s: float = 10.0,
        queue_records: int = 10_000,
    ) -> None:
        self._running = running
        self._hello_timeout_s = hello_timeout_s
        self._silence_timeout_s = silence_timeout_s
        self._parser = RecordParser()
        self._counting = Counting()
        self._queue: deque[Record] = deque()
        self._queue_records = queue_records
        self._subscribers: list[Subscriber] = []
        self._changed = threading.Condition()
        self._text: deque[str] = deque(maxlen=1000)
        self._hello: Record | None = None
        self._bye: Record | None = None
        self._error: WorkshopError | None = None
        self._ended = False
        self._stopping = threading.Event()
        self._heard_s = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="stream reader", daemon=True)

    # --- what is known --------------------------------------------------------------------
    @property
    def hello(self) -> Record | None:
        """The app's first record: what it is, its model, its classes."""
        return self._hello

    @property
    def bye(self) -> Record | None:
        """The app's last record, once it has ended by itself or was stopped in an orderly way."""
        return self._bye

    @property
    def counters(self) -> Counters:
        with self._changed:
            return self._counting.snapshot()

    @property
    def text(self) -> list[str]:
        """The last 1000 lines the app printed beside its records."""
        with self._changed:
            return list(self._text)

    @property
    def ended(self) -> bool:
        """Whether no more records will come; some may still wait."""
        return self._ended

    def __repr__(self) -> str:
        state = "ended" if self._ended else "running"
        return f"<Stream {state}: {self.counters}>"

    # --- life -----------------------------------------------------------------------------
    def start(self) -> Stream:
        """Begin to read and wait for the first record.

        Raises:
            DeviceError: the app raised before it said anything.
            BoardGoneError: the board went away.
            StreamError: no record in time; the app is stopped.
        """
        self._heard_s = time.monotonic()
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._ended, self._hello_timeout_s)
            spoke, ended = bool(self._queue), self._ended
        if not spoke:
            if not ended:
                self.stop()
            raise self._take_error() or StreamError(
                f"The app sent no record {'before it ended' if ended else 'in time'}."
                f"{self._printed()}",
                "Does its main() make a Link and send a 'hello' first? See apps/har_live.py.",
            )
        return self

    def stop(self) -> None:
        """End the app: ask it to, then interrupt it. Doing it twice is fine.

        Raises BoardGoneError if the board does not react any more.
        """
        silent = time.monotonic() - self._heard_s > min(
            self.STOP_TIMEOUT_S, self._silence_timeout_s
        )
        if not (self._ended or self._stopping.is_set() or silent):
            with contextlib.suppress(BoardGoneError):  # then the reader knows it as well
                self._running.write(b"stop\n")
            with self._changed:
                self._changed.wait_for(lambda: self._ended, self.STOP_TIMEOUT_S)
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self.STOP_TIMEOUT_S)
        if not self._running.ended and not isinstance(self._error, BoardGoneError):
            self._running.stop(self.SILENT_TIMEOUT_S if silent else self.INTERRUPT_TIMEOUT_S)

    def __enter__(self) -> Stream:
        if self._thread.ident is None:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.stop()
            if unseen := self._take_error():
                raise unseen
        else:
            with contextlib.suppress(WorkshopError):
                self.stop()

    # --- records --------------------------------------------------------------------------
    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber(item)` for every Record, TextLine and Damaged, in the reading thread.

        It must be quick and must not raise; if it does, the stream ends with its error.
        """
        self._subscribers.append(subscriber)

    def next(self, timeout_s: float) -> Record | None:
        """The next record; None on timeout, and at once when no more will come.

        Raises:
            DeviceError: the app raised on the board; every record before it was delivered.
            BoardGoneError: the board was unplugged, likewise.
            StreamError: not a byte for `silence_timeout_s`.
        """
        if self._thread.ident is None:
            self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._ended, timeout_s)
            if self._queue:
                return self._queue.popleft()
            silent_s = time.monotonic() - self._heard_s
        if self._ended:
            if error := self._take_error():
                raise error
        elif silent_s > self._silence_timeout_s:
            raise StreamError(
                f"Not a byte from the board for {silent_s:.0f} s.{self._printed()}",
                "Stop the stream and start it again; if it stays silent, board.hard_reset().",
            )
        return None

    def records(self, seconds: float | None = None, kind: str | None = None) -> Iterator[Record]:
        """Records as they come, for so many seconds or until the app ends.

        Args:
            seconds: None until the app ends.
            kind: only records of this kind, "prediction" for example.

        Raises what `next` raises.
        """
        end_s = None if seconds is None else time.monotonic() + seconds
        while True:
            left_s = 0.5 if end_s is None else min(0.5, end_s - time.monotonic())
            record = self.next(max(0.0, left_s))
            if record is not None and kind in (None, record.kind):
                yield record
            if (record is None and self._ended) or (
                end_s is not None and time.monotonic() >= end_s
            ):
                return

    # --- the reading thread ---------------------------------------------------------------
    def _read(self) -> None:
        error: WorkshopError | None = None
        try:
            while not self._stopping.is_set():
                data = self._running.read(timeout_s=0.1)
                if data:
                    self._take(self._parser.feed(data), len(data))
                elif self._running.ended:
                    error = _device_error(self._running.error)
                    break
        except WorkshopError as trouble:
            error = trouble
        except Exception as trouble:  # a thread must not die silently
            error = StreamError(f"The stream's reader failed: {type(trouble).__name__}: {trouble}")
        with contextlib.suppress(Exception):
            self._take(self._parser.close(), 0)
        with self._changed:
            self._error = error
            self._ended = True
            self._changed.notify_all()

    def _take(self, items: list[Item], size_bytes: int) -> None:
        now_s = time.monotonic()
        with self._changed:
            self._heard_s = now_s
            self._counting.add_bytes(size_bytes)
            for item in items:
                self._counting.add(item, now_s)
                if isinstance(item, Record):
                    self._keep(item)
                elif isinstance(item, TextLine):
                    self._text.append(item.text)
            self._changed.notify_all()
        for item in items:
            for subscriber in self._subscribers:
                subscriber(item)

    def _keep(self, record: Record) -> None:
        if record.kind == "hello":
            self._hello = record
        elif record.kind == "bye":
            self._bye = record
        if len(self._queue) >= self._queue_records:
            self._queue.popleft()
            self._counting.drop()
        self._queue.append(record)

    def _take_error(self) -> WorkshopError | None:
        error, self._error = self._error, None
        return error

    def _printed(self) -> str:
        text = self.text
        return f" The last line it printed: {text[-1]!r}" if text else ""


def _device_error(traceback: str | None) -> WorkshopError | None:
    if not traceback:
        return None
    last = traceback.rstrip().splitlines()[-1]
    kind = DeviceMemoryError if last.startswith("MemoryError") else DeviceError
    return kind(f"The app ended with an error: {last}", device_traceback=traceback)
