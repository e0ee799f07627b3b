"""A plain serial session for tests: what Thonny does, with nothing of ours in between."""

from __future__ import annotations

import subprocess
import sys
import time

import serial

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
PROMPT = b"\r\n>>> "
TIMEOUT_S = 10.0


class Port:
    """A port opened with pyserial."""

    def __init__(self, port: str) -> None:
        self.serial = serial.serial_for_url(port, timeout=0.05)
        self._unread = bytearray()
        time.sleep(0.1)  # a board sees after some milliseconds that it has a listener

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *_: object) -> None:
        self.serial.close()

    def write(self, data: bytes) -> None:
        self.serial.write(data)

    def read_until(self, ending: bytes, timeout_s: float = TIMEOUT_S) -> bytes:
        """What comes up to and with the first `ending`."""
        deadline = time.monotonic() + timeout_s
        start = 0
        while (at := self._unread.find(ending, start)) < 0:
            assert time.monotonic() < deadline, f"no {ending!r} in {self._unread[-2000:]!r}"
            start = max(0, len(self._unread) - len(ending) + 1)
            self._unread += self.serial.read(max(1, self.serial.in_waiting))
        return self._take(at + len(ending))

    def read(self, size: int, timeout_s: float = TIMEOUT_S) -> bytes:
        deadline = time.monotonic() + timeout_s
        while len(self._unread) < size:
            assert time.monotonic() < deadline, f"only {self._unread[-200:]!r}"
            self._unread += self.serial.read(max(1, self.serial.in_waiting))
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def ask(self, data: bytes, ending: bytes) -> bytes:
        self.write(data)
        return self.read_until(ending)

    def raw(self) -> None:
        """Into the raw REPL, whatever runs."""
        self.ask(b"\r\x03\x03\x01", RAW_PROMPT)

    def execute(self, code: str | bytes) -> tuple[bytes, bytes]:
        """Output and traceback of code sent to the raw REPL."""
        self.write(code.encode() if isinstance(code, str) else code)
        self.write(b"\x04")
        assert self.read(2) == b"OK"
        output = self.read_until(b"\x04")[:-1]
        error = self.read_until(b"\x04>")[:-2]
        return output, error

    def paste(self, code: bytes) -> None:
        """Start code by raw paste, without waiting for what it writes."""
        self.write(b"\x05A\x01")
        assert self.read(5) == b"R\x01\x80\x00\x01"
        room = 256
        for start in range(0, len(code), 128):
            while room < 128:
                assert self.read(1) == b"\x01"
                room += 128
            self.write(code[start : start + 128])
            room -= 128
        self.write(b"\x04")
        while self.read(1) != b"\x04":
            pass


def mpremote(port: str, *arguments: str, check: bool = True, **options: object) -> str:
    """Output of the real mpremote."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=30, **options)  # type: ignore[call-overload]
    output = done.stdout.decode() + done.stderr.decode()
    assert not check or done.returncode == 0, output
    return output.replace("\r\n", "\n")
