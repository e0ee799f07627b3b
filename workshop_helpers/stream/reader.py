"""The thread that reads a running app, and goes after a board that left."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from ..board.answers import damaged
from ..errors import BoardGoneError, DeviceError, DeviceMemoryError, StreamError, WorkshopError
from .inbox import Inbox
from .records import RecordParser

if TYPE_CHECKING:
    from ..board.running import Running
    from .stream import Launcher

_READ_S = 0.1
_TRY_S = 1.0  # one attempt to open the port; `stop` waits no longer for it
_PAUSE_S = 0.3


class Reader:
    """Reads one app into an inbox until it ends.

    Args:
        launcher: with `return_timeout_s`, how a board that left is reached again.
        silence_timeout_s: then a board that says nothing counts as one that left.
        return_timeout_s: how long it is waited for; 0: not at all.

    Attributes:
        running: the app; another one after the board came back.
        error: what ended it, until somebody takes it.
        board_left: whether that was the board, which left or began anew.
        stopping: set it to end the thread.
    """

    def __init__(
        self,
        running: Running,
        inbox: Inbox,
        launcher: Launcher | None,
        *,
        silence_timeout_s: float,
        return_timeout_s: float,
    ) -> None:
        self.running = running
        self.error: WorkshopError | None = None
        self.board_left = False
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="stream reader", daemon=True)
        self._inbox = inbox
        self._launcher = launcher
        self._silence_timeout_s = silence_timeout_s
        self._return_timeout_s = return_timeout_s

    @property
    def was_started(self) -> bool:
        return self.thread.ident is not None

    def start(self) -> None:
        self.thread.start()

    def join(self, timeout_s: float) -> None:
        if self.thread.is_alive():
            self.thread.join(timeout_s)

    def take_error(self) -> WorkshopError | None:
        """The error that ended it, once."""
        error, self.error = self.error, None
        return error

    def _run(self) -> None:
        while True:
            error = self._read()
            if not (isinstance(error, BoardGoneError) and self._return_timeout_s):
                break
            if not self._come_back():
                break
        self.board_left = isinstance(error, BoardGoneError)
        self.error = error
        self._inbox.end()

    def _read(self) -> WorkshopError | None:
        """Read until the app ends; why it did."""
        parser = RecordParser()
        error: WorkshopError | None = None
        try:
            while not self.stopping.is_set():
                data = self.running.read(timeout_s=_READ_S)
                if data:
                    self._inbox.take(parser.feed(data), len(data))
                elif self.running.ended:
                    error = _why_ended(self.running)
                    break
                elif self._return_timeout_s and self._is_silent():
                    error = BoardGoneError("Not a byte from the board any more.")
                    break
        except WorkshopError as trouble:
            error = trouble
        except Exception as trouble:  # a thread must not die silently
            error = StreamError(f"The stream's reader failed: {type(trouble).__name__}: {trouble}")
        with contextlib.suppress(Exception):
            self._inbox.take(parser.close(), 0)
        return error

    def _is_silent(self) -> bool:
        return time.monotonic() - self._inbox.heard_s > self._silence_timeout_s

    def _come_back(self) -> bool:
        """Wait for the board and start the app again; whether that worked."""
        assert self._launcher is not None
        end_s = time.monotonic() + self._return_timeout_s
        while time.monotonic() < end_s and not self.stopping.wait(_PAUSE_S):
            try:
                self._launcher.reconnect(_TRY_S)
                running = self._launcher.start()
            except WorkshopError:
                continue
            if self.stopping.is_set():  # meanwhile nobody wants it any more
                with contextlib.suppress(WorkshopError):
                    running.stop()
                return False
            self._inbox.begin_anew("the board was away")
            self.running = running
            return True
        return False


def _why_ended(running: Running) -> WorkshopError | None:
    traceback = running.error
    if not traceback:
        return None
    if not running.arrived:
        return damaged("The app's start did not reach the board whole.", traceback)
    last = traceback.rstrip().splitlines()[-1]
    kind = DeviceMemoryError if last.startswith("MemoryError") else DeviceError
    return kind(f"The app ended with an error: {last}", device_traceback=traceback)
