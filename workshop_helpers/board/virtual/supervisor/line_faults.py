"""The faults of the line, between the port and the board."""

from __future__ import annotations

import math
import random
import time

from .faults import Faults

_ASK_PASTE = b"\x05A\x01"
_PASTE_HEADER = b"R\x01\x80\x00"  # one more byte follows: the first window is free
_NEVER = math.inf


class SpoiltBytes:
    """Loses, doubles and flips bytes of one direction.

    The distance to the next fault is drawn, not each byte's fate, so that it does not matter in
    which pieces the bytes come.
    """

    def __init__(self, faults: Faults, direction: str) -> None:
        wanted = faults.direction in ("both", direction)
        self._random = random.Random(f"{faults.seed} {direction}")
        self._count = 0
        self._rates = {
            "lose": faults.lose_rate if wanted else 0.0,
            "double": faults.double_rate if wanted else 0.0,
            "flip": faults.flip_rate if wanted else 0.0,
        }
        self._at: dict[int, str] = {}
        if wanted:
            for kind in self._rates:
                self._at |= dict.fromkeys(getattr(faults, f"{kind}_at"), kind)
        self._next = {kind: self._gap(rate) for kind, rate in self._rates.items()}

    def passed(self, data: bytes) -> bytes:
        """What comes out at the other end."""
        last = self._count + len(data)
        if not (self._at or min(self._next.values()) <= last):
            self._count = last
            return data
        out = bytearray()
        for byte in data:
            self._count += 1
            kind = self._at.pop(self._count, "")
            for drawn, at in self._next.items():
                if self._count >= at:
                    kind = drawn
                    self._next[drawn] = self._count + self._gap(self._rates[drawn])
            if kind == "flip":
                byte ^= 1 << self._random.randrange(8)
            out += bytes([byte]) * {"lose": 0, "double": 2}.get(kind, 1)
        return bytes(out)

    def _gap(self, rate: float) -> float:
        """Bytes up to the next fault, itself counted."""
        return 1 + int(self._random.expovariate(-math.log1p(-rate))) if rate else _NEVER


class LineFaults:
    """All faults of one port; without any, bytes pass as they are."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._to_board = SpoiltBytes(faults, "to_board")
        self._to_host = SpoiltBytes(faults, "to_host")
        self._count = 0
        self._due = {
            kind: at
            for kind in ("stall", "disconnect", "reset")
            if (at := getattr(faults, f"{kind}_at")) is not None
        }
        self._stalled_until = 0.0
        self._held = b""
        self._tail = b""
        self._happened: list[str] = []

    @property
    def stalled_s(self) -> float:
        """How much longer nothing passes."""
        return max(0.0, self._stalled_until - time.monotonic())

    def take_events(self) -> list[str]:
        """What has to happen now: "disconnect", "reset"."""
        happened, self._happened = self._happened, []
        return happened

    def to_board(self, data: bytes) -> tuple[bytes, bytes]:
        """(what the board gets, what the host is answered at once)."""
        data = self._to_board.passed(self._counted(data))
        if self._faults.raw_paste != "refused":
            return data, b""
        data, self._held = self._held + data, b""
        n_asked = data.count(_ASK_PASTE)
        data = data.replace(_ASK_PASTE, b"")
        for size in (2, 1):
            if data.endswith(_ASK_PASTE[:size]):
                data, self._held = data[:-size], data[-size:]
                break
        return data, b"R\x00" * n_asked

    def to_host(self, data: bytes) -> bytes:
        if self._faults.raw_paste == "broken":
            data = self._without_step(data)
        return self._to_host.passed(self._counted(data))

    def _without_step(self, data: bytes) -> bytes:
        """The byte after raw paste's header is not the one that it should be."""
        out = bytearray()
        for byte in data:
            out.append(7 if self._tail == _PASTE_HEADER and byte == 1 else byte)
            self._tail = (self._tail + bytes([byte]))[-len(_PASTE_HEADER) :]
        return bytes(out)

    def _counted(self, data: bytes) -> bytes:
        """`data`, up to the byte at which the board goes away."""
        begin, self._count = self._count, self._count + len(data)
        for kind, at in sorted(self._due.items(), key=lambda item: item[1]):
            if at > self._count:
                break
            del self._due[kind]
            if kind == "stall":
                self._stalled_until = time.monotonic() + self._faults.stall_s
            else:
                self._happened.append(kind)
                data = data[: max(0, at - begin)]
        return data
