"""From an open port to a prompt, on mpremote's raw REPL code. The only importer of mpremote.

mpremote's protocol code is kept; this class bounds every wait, reads in blocks, and turns every
failure into a WorkshopError. Connecting never soft-resets by itself: a running program is stopped
with Ctrl-C, so what is on the heap stays there until `soft_reset` is asked for.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from ..errors import (
    BoardError,
    BoardGoneError,
    BoardTimeoutError,
    NoPromptError,
    PortBusyError,
)
from .answers import damaged
from .device_errors import device_error
from .discovery import find_port
from .interrupted import interrupted
from .no_prompt import no_prompt
from .open_errors import open_failure
from .port import BAUD, BufferedPort, SilenceError, SocketPort

END = b"\x04"
_BANNER = b"raw REPL; CTRL-B to exit\r\n"
# How a board ends its start: the friendly prompt, where a program's end marks were to come.
_STARTED = re.compile(rb"MicroPython [^\r\n]+\r\n(?:Type [^\r\n]+\r\n)?>>> \Z")
_ENDED = END + b">"  # the last end mark and the prompt: who still waits for a mark has lost one
_QUIET_S = 0.2  # a prompt is followed by silence
_PAUSE_S = 1.0  # none is longer in a traceback or in front of a banner, also over a slow network
_ATTEMPT_S = 0.5  # the first tries for the prompt, each with a new Ctrl-C; later ones are longer
_PROMPT_S = 2.0
_HANDSHAKE_S = 4.0  # the longest silence while code is being sent
OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024


class BoardTransport(SerialTransport):  # type: ignore[misc]
    """A raw REPL on one port.

    interrupted: what ran when it was opened, and was stopped; None for nothing that said so.

    Raises (on opening): NoBoardError, PortBusyError, PortPermissionError, NoPromptError.
    """

    serial: Any

    def __init__(self, name: str, *, timeout_s: float = 10.0) -> None:
        self._open(name)
        self.serial = BufferedPort(self.serial, name)
        self.port: BufferedPort = self.serial
        self.in_step = False
        self.has_crc32 = True  # until the board says that it has none
        self._runs = False  # is a program running whose end marks are to come?
        self._marks = 0  # end marks seen of it: 0 output, 1 traceback
        self._starts = False  # was a soft reset asked for whose banner is to come?
        try:
            self.enter(timeout_s)
        except BaseException:
            self.close()
            raise
        self.interrupted = interrupted(self.port.recent)

    def _open(self, name: str) -> None:
        try:
            if name.lower().startswith("socket://"):
                self.in_raw_repl, self.use_raw_paste, self.mounted = False, True, False
                self.device_name, self.is_pty = name, False
                self.serial = SocketPort(name, timeout=1.0)
                return
            try:
                super().__init__(name, baudrate=BAUD, timeout=1.0)
            except TransportError:
                # mpremote swallows the reason: ask the port itself.
                serial.serial_for_url(name, baudrate=BAUD, timeout=1.0, exclusive=True).close()
                super().__init__(name, baudrate=BAUD, timeout=1.0)  # it was free after all
        except (OSError, ValueError, TransportError) as error:
            raise open_failure(name, error) from None

    # --- mpremote's reading, bounded and in blocks ---------------------------------------------
    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """All bytes up to and with `ending`; SilenceError if the deadline comes first.

        Never returns without the ending, so mpremote's "print what came" paths are not taken. The
        silence `timeout` of mpremote is not used: the port's deadline bounds the whole operation.
        """
        port = self.port
        deadline = port.deadline
        if timeout_overall is not None:
            deadline = min(deadline, time.monotonic() + timeout_overall)
        start = 0
        while True:
            found = port.find(ending, start)
            if found >= 0:
                self._marks += 1
                data = port.take(found + len(ending))
                if data_consumer:
                    data_consumer(data)
                return data
            if data_consumer and port.buffered_bytes:
                data_consumer(port.take(port.buffered_bytes))
            start = max(0, port.buffered_bytes - len(ending) + 1)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise SilenceError
            if self._runs and port.recent.endswith(_ENDED):
                if not port.fill(min(left_s, _QUIET_S)):
                    raise _LostMarkError
            elif self._runs and self._marks == 1 and port.recent.endswith(b">"):
                if not port.fill(min(left_s, _PAUSE_S)):  # the second mark was damaged
                    raise _LostMarkError
            elif self._starts and port.buffered.endswith(b"\n>"):
                if not port.fill(min(left_s, _PAUSE_S)):  # the banner was damaged
                    raise _LostMarkError
            elif self._runs and self.looks_reset():
                if not port.fill(min(left_s, _QUIET_S)):
                    self._runs = False  # once a program
                    self.check_reset(left_s)
            else:
                port.fill(left_s)

    def looks_reset(self) -> bool:
        """Whether the last thing that came is what a board says when it has started."""
        return _STARTED.search(self.port.recent) is not None

    def check_reset(self, timeout_s: float) -> None:
        """BoardGoneError if the board started anew while a program ran.

        What came looks so, but a program may have printed it: only a prompt answers Ctrl-A. The
        program sees the byte if it reads its input.
        """
        port = self.port
        port.write(b"\x01")
        end = time.monotonic() + min(timeout_s, 1.0)
        while (left_s := end - time.monotonic()) > 0:
            if port.fill(left_s) and port.recent.endswith(_BANNER + b">"):
                raise BoardGoneError(
                    "The board was reset while the program ran.",
                    "board.reconnect(), or run the command again.",
                    port=port.name,
                    why="reset",
                )

    # --- the prompt ----------------------------------------------------------------------------
    def enter(self, timeout_s: float, quiet_s: float = 0.01) -> None:
        """Interrupt whatever runs and get the raw REPL's prompt, without a soft reset.

        `quiet_s` has to pass in silence after the first try's prompt.
        """
        self.port.recent = self.port.buffered
        end = time.monotonic() + timeout_s
        attempt = 0
        self.in_step = False
        while (left_s := end - time.monotonic()) > 0:
            attempt += 1
            try:
                with self.port.within(min(left_s, _ATTEMPT_S * min(1 + attempt // 4, 4))):
                    self.enter_raw_repl(soft_reset=False)
                # A board that answered late may still send the banner of an earlier attempt.
                self._settle(quiet_s if attempt == 1 else _QUIET_S)
                return
            except SilenceError:
                continue
            except BoardTimeoutError:
                break  # takes no data at all
            except BoardGoneError:
                if self.port.name.startswith("socket://") and not self.port.recent:
                    raise PortBusyError(
                        f"{self.port.name} closed the connection at once: it serves somebody else.",
                        port=self.port.name,
                    ) from None
                raise
        listed = find_port(self.port.name)
        usb = (listed.vid, listed.pid or 0) if listed and listed.vid is not None else None
        raise no_prompt(self.port.name, self.port.recent, timeout_s, usb)

    def _settle(self, quiet_s: float) -> None:
        """Forget what is still coming, and leave one prompt to find for the next command."""
        self.port.drain(quiet_s, limit_s=1.0)
        self.port.replace_buffer(b">")
        self.in_step = True

    def resynchronise(self, timeout_s: float = 5.0) -> None:
        """Get back to a prompt after anything went wrong; BoardGoneError if there is none."""
        try:
            # Out of step, the first prompt may be an answer to what was asked before.
            self.enter(timeout_s, 0.01 if self.in_step else _QUIET_S)
        except NoPromptError:
            raise BoardGoneError(
                f"The board on {self.port.name} does not answer any more, not even to Ctrl-C.",
                "Press its RESET button or plug it in again, then board.reconnect().",
                port=self.port.name,
                why="silent",
            ) from None

    # --- running code --------------------------------------------------------------------------
    def begin(self, code: str) -> None:
        """Send code and return when it starts to run.

        If raw paste gets out of step the prompt is taken again and the code is sent once more, in
        plain raw mode with small blocks, unless the board may have started it already.
        """
        self._leave_prompt()
        try:
            self._send(code)
        except (SilenceError, TransportError) as failure:
            started = self.port.last_written == END
            self.resynchronise()
            if started or not self.use_raw_paste:
                raise self._garbled(failure) from None
            self.use_raw_paste = False
            try:
                self._send(code)
            except (SilenceError, TransportError) as again:
                self.resynchronise()
                raise self._garbled(again) from None

    def _leave_prompt(self) -> None:
        """Make sure the board is at a prompt, and note that it soon won't be."""
        if not self.in_step or self.port.buffered != b">" or self.port.fill(0.0):
            # Out of step, or bytes came by themselves: a reset, or a timer that prints.
            self.resynchronise()
        self.in_step = False

    def _send(self, code: str) -> None:
        # The time to send code depends on its length; what is bounded is the silence meanwhile.
        with self.port.within(_HANDSHAKE_S + len(code) / 2000):
            self.exec_raw_no_follow(code)

    def _garbled(self, failure: BaseException) -> BoardGoneError:
        return BoardGoneError(
            f"The board on {self.port.name} lost its place while code was being sent ({failure}).",
            "Try again; if it happens again use a shorter cable or another USB port.",
            port=self.port.name,
        )

    def follow(
        self, timeout: float | None, data_consumer: Callable[[bytes], None] | None = None
    ) -> tuple[bytes, bytes]:
        """mpremote's `follow`, then wait for the next prompt and leave it in the buffer.

        BadAnswerError if an end mark was lost.
        """
        self._runs, self._marks = True, 0
        try:
            output, error = super().follow(timeout, data_consumer)
        except _LostMarkError:
            self._runs = False
            self.resynchronise()
            raise damaged("A byte of the board's answer was lost on its way.", "") from None
        finally:
            self._runs = False
        self.finish()
        return output, error

    def finish(self) -> None:
        """After the second end mark: the prompt is back; it comes at once, or was lost."""
        try:
            with self.port.within(_PROMPT_S):
                self.read_until(1, b">")
        except SilenceError:
            self.resynchronise()
            return
        self.port.replace_buffer(b">" + self.port.buffered)
        self.in_step = True

    def run(
        self,
        code: str,
        timeout_s: float,
        on_output: Callable[[bytes], None] | None = None,
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> bytes:
        """Run code to its end and return what it printed.

        Raises DeviceError, DeviceMemoryError; BoardTimeoutError after `timeout_s` (the program is
        interrupted, the board usable); BoardGoneError; BadAnswerError if an end mark was lost;
        BoardError for more than `limit_bytes`.
        """
        output = bytearray()

        def consume(data: bytes) -> None:
            data = data.removesuffix(END)
            output.extend(data)
            if len(output) > limit_bytes:
                raise _TooMuchError
            if on_output and data:
                on_output(data)

        self.begin(code)
        try:
            with self.port.within(timeout_s):
                _, error = self.follow(None, consume)
        except SilenceError:
            self.resynchronise()
            raise BoardTimeoutError(
                f"The program did not end within {timeout_s:g} s; it has been interrupted.",
                timeout_s=timeout_s,
                output=output.decode("utf-8", "replace"),
            ) from None
        except _TooMuchError:
            self.resynchronise()
            raise BoardError(
                f"The program printed more than {limit_bytes} bytes; it has been interrupted.",
                "Print less, or use board.start(code) and read as it comes.",
            ) from None
        except BoardError:
            raise
        except BaseException:  # Ctrl-C here, or on_output raised: stop the program there too
            with contextlib.suppress(BoardError):
                self.resynchronise(2.0)
            raise
        if error:
            raise device_error(error)
        return bytes(output)

    def soft_reset(self, timeout_s: float) -> None:
        """Restart MicroPython: a fresh heap, `boot.py` has run, `main.py` has not."""
        if not self.in_step:
            self.resynchronise()
        self.in_step = False  # until it is back, also if Ctrl-C comes first
        self._starts = True
        try:
            with self.port.within(timeout_s):
                self.enter_raw_repl(soft_reset=True, timeout_overall=timeout_s)
            self._settle(0.01)
        except _LostMarkError:
            self.resynchronise()
            said = "What the board said at its soft reset was damaged on its way."
            raise damaged(said, "") from None
        except SilenceError:
            self.resynchronise()
            raise BoardTimeoutError(
                f"The board did not come back from a soft reset within {timeout_s:g} s; "
                "what it was doing has been interrupted.",
                "Try again; if it happens again, look at boot.py: board.get('/boot.py').",
            ) from None
        finally:
            self._starts = False
        self.use_raw_paste = True

    def hard_reset(self, code: str, settle_s: float = 0.5) -> None:
        """Run code that resets the chip; close this transport afterwards. DeviceError if it
        can't."""
        try:
            self.begin(code)
            with self.port.within(settle_s):
                _, error = self.follow(None)
        except (SilenceError, BoardGoneError):
            return  # as it should be: nobody is left to answer
        finally:
            self.in_step = False
        raise device_error(error)

    def close(self) -> None:
        """Leave the friendly prompt behind and release the port. Twice is fine; never raises."""
        with contextlib.suppress(Exception):
            if self.in_step:
                self.exit_raw_repl()
        with contextlib.suppress(Exception):
            super().close()
        with contextlib.suppress(Exception):
            self.serial.close()
        self.in_step = False


class _TooMuchError(Exception):
    pass


class _LostMarkError(Exception):
    """What was waited for came damaged or not at all, and the prompt behind it is there: one of a
    program's two end marks, or the words of a soft reset."""
