"""The interpreter's process, its pipes and its Ctrl-C, on Linux and macOS.

The interpreter talks through pipes, not through a terminal: a terminal that makes signals of
Ctrl-C ends it when no Python code runs, and interrupts nothing that came by raw paste.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

from .child_state import State
from .config import Config
from .flash import Flash

assert sys.platform != "win32"

_HERE = os.path.dirname(os.path.abspath(__file__))
PIPE_BYTES = 65536
_PACED_PIPE_BYTES = 4096  # the least that Linux gives; elsewhere a pipe's size can't be set
_FIRST_FREE_FD = 10  # the interpreter gets 0 to 5; ours stay out of their way


class Input:
    """The pipe to the interpreter. It outlives a soft reset, as a UART's buffer does.

    Attributes:
        writer, reader: its ends.
    """

    def __init__(self) -> None:
        self.reader, self.writer = _pipe()
        os.set_blocking(self.writer, False)

    def write(self, data: bytes | bytearray) -> int:
        """As much as goes without waiting; the number of bytes."""
        try:
            return os.write(self.writer, data)
        except BlockingIOError:
            return 0

    def unread_bytes(self) -> int:
        answer = fcntl.ioctl(self.reader, termios.FIONREAD, b"\0" * 4)
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class Child:
    """One interpreter, from a reset to the next.

    Attributes:
        input: its input; closed by whoever made it.
        stdout, control: descriptors to wait for, of its output and of what its firmware tells us.
    """

    def __init__(
        self,
        config: Config,
        flash: Flash,
        wire: Input,
        raw_repl: bool,
        cause: int,
        faults: str,
    ) -> None:
        self.input = wire
        self.stdout, stdout = _pipe()
        if config.bytes_per_s and hasattr(fcntl, "F_SETPIPE_SZ"):
            fcntl.fcntl(stdout, fcntl.F_SETPIPE_SZ, _PACED_PIPE_BYTES)
        self.control, control = _pipe()
        # A terminal that it never reads: when the supervisor dies, however, this hangs up.
        master, terminal = pty.openpty()
        self._hang_up = _move_up(master)
        terminal = _move_up(terminal)
        for fd in (self.stdout, self.control):
            os.set_blocking(fd, False)
        arguments = [
            *(sys.executable, "-I", "-S", os.path.join(_HERE, "interpreter.py")),
            *(config.module_path, config.device_dir, "raw" if raw_repl else "friendly"),
            *(str(cause), flash.unique_id.hex(), faults),
            *("-X", f"heapsize={config.heap_size_bytes}"),
        ]
        handed_over = (wire.reader, stdout, stdout, control, flash.fd, terminal)
        self.pid = os.posix_spawn(
            sys.executable,
            arguments,
            _environment(),
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, n) for n, fd in enumerate(handed_over)],
        )
        for fd in (stdout, control, terminal):
            os.close(fd)
        self._status: int | None = None

    def read_output(self) -> bytes | None:
        """What it wrote; None: nothing new; empty: it is gone."""
        return _read(self.stdout)

    def read_control(self) -> bytes:
        """What its firmware says."""
        return _read(self.control) or b""

    def state(self) -> State:
        """What it does just now; it may do something else right after."""
        if self._status is not None:
            return State.BUSY  # it has ended, and its number may be another process's
        caught, sleeping = _signals_and_sleep(self.pid)
        if caught:
            return State.RUNS
        return State.READS if sleeping and not self.input.unread_bytes() else State.BUSY

    def interrupt(self) -> bool:
        """Ctrl-C, if it runs code that can be interrupted; False: nothing was done.

        It is stopped for a moment, so that it can't finish between the look and the signal: a late
        one would end it, or hit the next code.
        """
        os.kill(self.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self._status = status
            return False
        caught, _ = _signals_and_sleep(self.pid)
        if caught:
            os.kill(self.pid, signal.SIGUSR1)
        os.kill(self.pid, signal.SIGCONT)
        return caught

    def kill(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Wait for its end, which must be near, and give everything back; its exit code."""
        if self._status is None:
            _, self._status = os.waitpid(self.pid, 0)
        for fd in (self.stdout, self.control, self._hang_up):
            os.close(fd)
        return os.waitstatus_to_exitcode(self._status)


def _read(fd: int) -> bytes | None:
    try:
        return os.read(fd, PIPE_BYTES)
    except BlockingIOError:
        return None


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    return _move_up(reader), _move_up(writer)


def _move_up(fd: int) -> int:
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)
    os.close(fd)
    return moved


def _environment() -> dict[str, str]:
    """What a program needs to start, and no HOME: the interpreter would keep its history there."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "TMPDIR", "__PYVENV_LAUNCHER__")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _signals_and_sleep(pid: int) -> tuple[bool, bool]:
    """(it has a handler for SIGINT: its Ctrl-C is on, it sleeps)."""
    bit = 1 << (signal.SIGINT - 1)
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = dict(line.split(b":", 1) for line in file if b":" in line)
        return bool(int(lines[b"SigCgt"], 16) & bit), lines[b"State"].split()[0] == b"S"
    except FileNotFoundError:
        pass
    # macOS, written against ps(1); not tried.
    ps = subprocess.run(
        ["ps", "-o", "caught=,stat=", "-p", str(pid)], capture_output=True, check=False, timeout=5
    )
    words = ps.stdout.split()
    return len(words) > 1 and bool(int(words[0], 16) & bit), bool(words) and words[-1][:1] in b"SI"
