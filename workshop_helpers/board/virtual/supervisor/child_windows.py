"""The interpreter's process on Windows. Written against pywinpty's documentation; not tried.

There the interpreter reads keys from a console, so it gets a pseudo-console, whose own Ctrl-C works
as a board's. What it writes goes through a named pipe: a pseudo-console would redraw it as text.
Known to be lacking: LittleFS, bytes from 0x80 up to the prompt, and programs that read stdin.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from multiprocessing.connection import Listener
from typing import Any

from .child_state import State
from .config import Config
from .flash_windows import Flash
from .parent import readable_from

assert sys.platform == "win32"

_HERE = os.path.dirname(os.path.abspath(__file__))
_TO_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_BANNER = b"MicroPython "


class Input:
    """What waits for a console, which comes with each interpreter."""

    def __init__(self) -> None:
        self._child: Child | None = None

    def goes_to(self, child: Child) -> None:
        self._child = child

    @property
    def writer(self) -> int:
        """There is nothing to wait for."""
        return -1

    def write(self, data: bytes | bytearray) -> int:
        if self._child is None:
            return 0
        self._child.console.write(bytes(data).decode("latin-1"))
        return len(data)

    def close(self) -> None:
        self._child = None


class Child:
    """One interpreter, from a reset to the next; see child_posix.Child."""

    def __init__(
        self,
        config: Config,
        flash: Flash,
        wire: Input,
        raw_repl: bool,
        cause: int,
        faults: str,
    ) -> None:
        sys.path.append(os.path.dirname(config.module_path))  # site-packages, which -S leaves out
        from winpty import PtyProcess

        listeners = [Listener(family="AF_PIPE"), Listener(family="AF_PIPE")]
        self.console = PtyProcess.spawn(
            [
                *(sys.executable, "-I", "-S", os.path.join(_HERE, "interpreter_windows.py")),
                *(config.module_path, config.device_dir, "raw" if raw_repl else "friendly"),
                *(str(cause), flash.unique_id.hex(), faults, flash.folder),
                *(str(listener.address) for listener in listeners),
                *("-X", f"heapsize={config.heap_size_bytes}"),
            ]
        )
        threading.Thread(target=self._discard_screen, daemon=True).start()
        self._output, self._control = (readable_from(_Reader(each)) for each in listeners)
        self.stdout, self.control = self._output.fileno(), self._control.fileno()
        # It starts at the friendly prompt: ask for the raw one, and let nobody see it.
        self._hidden: bytearray | None = bytearray() if raw_repl else None
        wire.goes_to(self)
        if raw_repl:
            wire.write(b"\x01")

    def read_output(self) -> bytes | None:
        try:
            data = self._output.recv(65536)
        except BlockingIOError:
            return None
        if self._hidden is None or not data:
            return data
        self._hidden += data
        before, marker, after = bytes(self._hidden).partition(_TO_RAW)
        if not marker:
            return None
        self._hidden = None
        return before.rpartition(_BANNER)[0] + marker + after

    def read_control(self) -> bytes:
        try:
            return self._control.recv(64)
        except BlockingIOError:
            return b""

    def state(self) -> State:
        """The console decides what a Ctrl-C is."""
        return State.READS

    def interrupt(self) -> bool:
        return False

    def kill(self) -> None:
        if self.console.isalive():
            os.kill(self.console.pid, signal.SIGTERM)  # which is TerminateProcess

    def end(self) -> int:
        code = int(self.console.wait() or 0)
        self.console.close()
        self._output.close()
        self._control.close()
        return code

    def _discard_screen(self) -> None:
        try:
            while self.console.read(4096):
                pass
        except (EOFError, OSError):
            pass


class _Reader:
    """Reads a named pipe: each message is what one write() of the interpreter wrote."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._connection: Any = None

    def __call__(self) -> bytes:
        if self._connection is None:
            self._connection = self._listener.accept()
            self._listener.close()
        return bytes(self._connection.recv_bytes())
