"""Who may use a board now, and what is given back when it is over."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import BoardError, BoardGoneError, NoBoardError, PortBusyError
from .discovery import find_port, follow, list_ports
from .running import Running
from .snippets import checked
from .transport import BoardTransport

if TYPE_CHECKING:
    from .virtual import VirtualBoard

_LOCK_S = 60.0  # how long one thread waits for another one's use of the board
_CLOSED = ("This board is closed.", "Use connect() to get a new one.")


class Session:
    """One open port. Any thread may use it: uses wait for each other, and for no program to run.

    The port and the virtual board's process are released at `close`, when the session is collected
    as garbage, and when the interpreter exits.
    """

    def __init__(self, port: str, timeout_s: float, virtual: VirtualBoard | None) -> None:
        self.port = port
        self._lock = threading.RLock()
        self._running: Running | None = None
        self._running_name = ""
        self._held = _Held(virtual)
        self._finalizer = weakref.finalize(self, self._held.release)
        try:
            self._held.transport = BoardTransport(port, timeout_s=timeout_s)
        except BaseException:
            self.close()
            raise
        self._listed = find_port(port)

    @property
    def is_open(self) -> bool:
        return self._finalizer.alive

    @property
    def transport(self) -> BoardTransport | None:
        """The transport, whoever uses it now; None while there is no connection."""
        return self._held.transport

    @property
    def running(self) -> Running | None:
        """The program that runs on the board, if one does."""
        running = self._running
        return None if running is None or running.ended else running

    @contextlib.contextmanager
    def use(self) -> Iterator[BoardTransport]:
        """The transport, for one use at a time. BoardError while a program runs, or closed."""
        with self._locked():
            if not self.is_open:
                raise BoardError(*_CLOSED)
            if self.running is not None:
                raise BoardError(
                    f"The board is running {self._running_name}; stop it first.",
                    "Use the program's stop(), or board.interrupt().",
                )
            self._running = None
            if self._held.transport is None:
                raise BoardGoneError(f"The board on {self.port} is not connected.")
            yield self._held.transport

    def start(self, code: str, name: str, check: bool) -> Running:
        """Start a program; from now on `use` refuses until it has ended."""
        with self.use() as transport:
            check = check and transport.has_crc32
            transport.begin(checked(transport, code) if check else code)
            self._running_name = name
            self._running = Running(transport, owner=self, is_checked=check)
            return self._running

    def disconnect(self) -> None:
        """Close the port, and nothing else; `reconnect` opens it again."""
        with self.use():
            self._held.close_transport()

    def reconnect(self, timeout_s: float) -> None:
        """Open the port again; what ran is stopped if the board still answers.

        A board that came back under another name is followed where USB tells for certain; `port`
        is then the new one.

        Raises NoBoardError, PortBusyError, NoPromptError if that does not work in time; BoardError
        if the process of its virtual board has ended.
        """
        with self._locked():
            if not self.is_open:
                raise BoardError(*_CLOSED)
            self._forget_running()
            self._held.close_transport()
            if self._held.virtual is not None:
                self._held.virtual.check()  # its port's name may be another board's by now
            end = time.monotonic() + timeout_s
            while True:
                left_s = max(0.5, end - time.monotonic())
                if self._listed is not None:
                    self.port = follow(self._listed, list_ports()) or self.port
                try:
                    self._held.transport = BoardTransport(self.port, timeout_s=left_s)
                    self._listed = find_port(self.port) or self._listed
                    return
                except (NoBoardError, PortBusyError, BoardGoneError):
                    if time.monotonic() + 0.2 >= end:
                        raise
                    time.sleep(0.2)

    def close(self) -> None:
        """Stop what runs, release everything. Twice is fine."""
        self._forget_running()
        self._finalizer()

    def _forget_running(self) -> None:
        running, self._running = self._running, None
        if running is not None and not running.ended:
            with contextlib.suppress(BoardError):
                running.stop(1.0)
            running.abandon()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_LOCK_S):
            raise BoardError("Another thread has been using the board for a minute.")
        try:
            yield
        finally:
            self._lock.release()


class _Held:
    """Apart from the session, so that it can be released when that is gone."""

    def __init__(self, virtual: VirtualBoard | None) -> None:
        self.transport: BoardTransport | None = None
        self.virtual = virtual

    def close_transport(self) -> None:
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.close()

    def release(self) -> None:
        self.close_transport()
        if self.virtual is not None:
            self.virtual.close()
