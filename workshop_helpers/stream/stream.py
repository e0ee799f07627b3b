"""A running app on the board as an iterator of records."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import BoardGoneError, BoardTimeoutError, StreamError, WorkshopError
from .asking import Asking
from .counters import Counters
from .inbox import Inbox, Subscriber
from .reader import Reader
from .records import Record

if TYPE_CHECKING:
    from ..board.running import Running


class Launcher(Protocol):
    """How an app is started again."""

    def start(self) -> Running:
        """Soft reset the board and start the app."""

    def reconnect(self, timeout_s: float) -> None:
        """Open the board's port again."""


class Stream:
    """Records of a running app; a context manager that stops the app.

    Reading begins with the `with`, or with the first record asked for.

    A thread reads the board all the time, so a slow loop loses nothing until `queue_records` wait;
    then the oldest are dropped from the queue and counted. Subscribers get every item. Commands may
    be sent from any thread but that one.

    Args:
        running: the app, just started.
        launcher: starts it again, for `restart` and `reconnect`.
        hello_timeout_s: how long the app may take until its first record.
        silence_timeout_s: no byte for so long is an error.
        queue_records: how many records may wait.
        reconnect: if the board goes away or falls silent, wait for it and start the app again.
        reconnect_timeout_s: how long to wait for it.
    """

    STOP_TIMEOUT_S = 3.0  # for an app to end when told; then it is interrupted
    INTERRUPT_TIMEOUT_S = 5.0
    SILENT_TIMEOUT_S = 1.0  # for a board from which nothing is expected any more

    def __init__(
        self,
        running: Running,
        launcher: Launcher | None = None,
        *,
        hello_timeout_s: float = 15.0,
        silence_timeout_s: float = 10.0,
        queue_records: int = 10_000,
        reconnect: bool = False,
        reconnect_timeout_s: float = 60.0,
    ) -> None:
        self._launcher = launcher
        self._hello_timeout_s = hello_timeout_s
        self._silence_timeout_s = silence_timeout_s
        self._return_timeout_s = reconnect_timeout_s if reconnect and launcher else 0.0
        self._inbox = Inbox(queue_records)
        self._write_lock = threading.Lock()
        self._asking = Asking(self._inbox, self._write)
        self._reader = self._new_reader(running)

    # --- what is known --------------------------------------------------------------------
    @property
    def hello(self) -> Record | None:
        """The app's first record: what it is, its model, its classes, what can be set."""
        return self._inbox.hello

    @property
    def bye(self) -> Record | None:
        """The app's last record, once it has ended by itself or was stopped in an orderly way."""
        return self._inbox.bye

    @property
    def counters(self) -> Counters:
        return self._inbox.counters()

    @property
    def text(self) -> list[str]:
        """The last 1000 lines the app printed beside its records."""
        return self._inbox.text()

    @property
    def started(self) -> bool:
        """Whether it is or was read; else the `with` or the first record asked for begins."""
        return self._reader.was_started

    @property
    def ended(self) -> bool:
        """Whether no more records will come; some may still wait."""
        return self._inbox.ended

    def __repr__(self) -> str:
        return f"<Stream {'ended' if self.ended else 'running'}: {self.counters}>"

    # --- life -----------------------------------------------------------------------------
    def start(self) -> Stream:
        """Begin to read and wait for the first record.

        Raises:
            DeviceError: the app raised before it said anything.
            BoardGoneError: the board went away.
            StreamError: no record in time; the app is stopped. Or it was started already.
        """
        if self.started:
            raise StreamError("This stream was started already.", "Begin anew: stream.restart().")
        self._inbox.heard_s = time.monotonic()
        self._reader.start()
        if not self._inbox.wait_for_first(self._hello_timeout_s):
            ended = self.ended
            if not ended:
                self.stop()
            raise self._reader.take_error() or StreamError(
                f"The app sent no record {'before it ended' if ended else 'in time'}."
                f"{self._printed()}",
                "Does its main() make a Link and send a 'hello' first? See apps/har_live.py.",
            )
        return self

    def stop(self) -> None:
        """End the app: ask it to, then interrupt it. Doing it twice is fine.

        Raises BoardGoneError if the board does not react any more.
        """
        reader = self._reader
        silent_s = time.monotonic() - self._inbox.heard_s
        silent = silent_s > min(self.STOP_TIMEOUT_S, self._silence_timeout_s)
        if not (self.ended or reader.stopping.is_set() or silent):
            with contextlib.suppress(BoardGoneError, BoardTimeoutError):  # deaf: interrupted below
                self._write(b"\nstop\n")
            self._inbox.wait_for_end(self.STOP_TIMEOUT_S)
        reader.stopping.set()
        reader.join(self.STOP_TIMEOUT_S)
        if reader.board_left:
            reader.running.abandon()  # the next use of the board finds out what is there
        elif not reader.running.ended:
            reader.running.stop(self.SILENT_TIMEOUT_S if silent else self.INTERRUPT_TIMEOUT_S)

    def restart(self) -> Stream:
        """Stop the app if it runs, and start it anew with the same settings.

        What was received and not taken yet is still there, and the counters go on; the time between
        is counted as a gap. Raises what `stop` and `start` raise.
        """
        launcher = self._needs_launcher()
        self.stop()
        return self._again(launcher, "the app was started again")

    def reconnect(self, timeout_s: float = 30.0) -> Stream:
        """After the board was unplugged or reset: open its port and start the app again.

        As `restart`, nothing received is lost. `board.stream(..., reconnect=True)` does it by
        itself. Raises NoBoardError, PortBusyError or NoPromptError if the board is not back in
        time, and what `start` raises.
        """
        launcher = self._needs_launcher()
        self._reader.stopping.set()
        self._reader.join(self.STOP_TIMEOUT_S)
        launcher.reconnect(timeout_s)
        return self._again(launcher, "the board was away")

    def __enter__(self) -> Stream:
        if not self.started:
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
            if unseen := self._reader.take_error():
                raise unseen
        else:
            with contextlib.suppress(WorkshopError):
                self.stop()

    # --- records --------------------------------------------------------------------------
    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber(item)` in the reading thread, for every Record, TextLine, Damaged, Gap.

        It must be quick and must not raise; if it does, the stream ends with its error.
        """
        self._inbox.subscribe(subscriber)

    def next(self, timeout_s: float) -> Record | None:
        """The next record; None on timeout, and at once when no more will come.

        Raises:
            DeviceError: the app raised on the board; every record before it was delivered.
            BoardGoneError: the board was unplugged or reset itself, likewise.
            StreamError: not a byte for `silence_timeout_s`.
        """
        if not self.started:
            self.start()
        record = self._inbox.next(timeout_s)
        if record is not None:
            return record
        silent_s = time.monotonic() - self._inbox.heard_s
        if self._inbox.drained:
            if error := self._reader.take_error():
                raise error
        elif silent_s > self._silence_timeout_s and not self._return_timeout_s:
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
        end_s = time.monotonic() + (math.inf if seconds is None else seconds)
        while True:
            record = self.next(min(0.5, max(0.0, end_s - time.monotonic())))
            if record is not None and kind in (None, record.kind):
                yield record
            if time.monotonic() >= end_s or (record is None and self._inbox.drained):
                return

    # --- commands -------------------------------------------------------------------------
    def command(self, do: str, *, timeout_s: float = 2.0, **fields: Any) -> Mapping[str, Any]:
        """Send a command, wait for its answer, return the answer's fields.

        Done once or not at all, even if it or its answer is damaged on the way and sent again.
        Raises StreamError if the app does not know it, refuses it, or does not answer in time;
        BoardGoneError.
        """
        if not self.started:
            self.start()
        if threading.current_thread() is self._reader.thread:
            raise StreamError(
                "A subscriber can't send commands: it would wait for itself.",
                "Send them from another thread.",
            )
        return self._asking.ask(do, fields, timeout_s)

    def set(self, *, timeout_s: float = 2.0, **values: Any) -> None:
        """Change values of the running app: `stream.set(threshold=0.7)`. As `command`."""
        for name, value in values.items():
            self.command("set", timeout_s=timeout_s, name=name, value=value)

    def label(self, text: str, *, timeout_s: float = 2.0) -> None:
        """Let the app send a record "label" with this text among its samples. As `command`."""
        self.command("label", timeout_s=timeout_s, text=text)

    # --- inside ---------------------------------------------------------------------------
    def _new_reader(self, running: Running) -> Reader:
        return Reader(
            running,
            self._inbox,
            self._launcher,
            silence_timeout_s=self._silence_timeout_s,
            return_timeout_s=self._return_timeout_s,
        )

    def _write(self, data: bytes) -> None:
        with self._write_lock:
            self._reader.running.write(data)

    def _needs_launcher(self) -> Launcher:
        if self._launcher is None:
            raise StreamError(
                "This stream does not know how its app was started.",
                "Start it again with board.stream(...).",
            )
        return self._launcher

    def _again(self, launcher: Launcher, why: str) -> Stream:
        running = launcher.start()
        self._inbox.begin_anew(why)
        self._reader = self._new_reader(running)
        return self.start()

    def _printed(self) -> str:
        text = self.text
        return f" The last line it printed: {text[-1]!r}" if text else ""
