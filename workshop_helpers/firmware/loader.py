"""The ROM loader's side of Espressif's serial protocol, and that of esptool's stub program.

`Loader.feed` is a pure state machine: bytes in, replies out, a bytearray as flash. It checks what
a chip checks (checksums, order of blocks, bounds of the flash) and answers with the codes a chip
has for it.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator

MAGIC_REGISTER = 0x4000_1000
_MAGIC = {"ESP32": 0x00F0_1D83, "ESP32-C3": 0x1B31_506F}
_CHIP_ID = {"ESP32-C3": 5}
_SPI = {"ESP32": 0x3FF4_2000, "ESP32-C3": 0x6000_2000}
_USR2 = {"ESP32": (0x24, 0x80), "ESP32-C3": (0x20, 0x58)}  # and the first data register
_READ_ID, _FLASH_ID = 0x9F, 0x16_40EF  # Winbond, 4 MiB
_CLOCK = {"ESP32": (0x3FF4_0014, 115200), "ESP32-C3": (0x6000_0014, 115200)}
_BAD_MESSAGE, _FAILED, _BAD_CHECKSUM, _WRITE_FAILED = 0x05, 0x06, 0x07, 0x08
_END, _ESC = b"\xc0", b"\xdb"


def slip(packet: bytes) -> bytes:
    """A packet as it goes over the wire."""
    return _END + packet.replace(_ESC, b"\xdb\xdd").replace(_END, b"\xdb\xdc") + _END


def unslip(frame: bytes) -> bytes:
    return frame.replace(b"\xdb\xdc", _END).replace(b"\xdb\xdd", _ESC)


class Refused(Exception):
    """A command the chip answers with an error code."""


class Loader:
    """One session in download mode. `flash` is changed in place."""

    def __init__(self, chip: str, flash: bytearray) -> None:
        self.chip = chip
        self.flash = flash
        self.stub = False
        self._received = bytearray()
        self._registers = {MAGIC_REGISTER: _MAGIC[chip]}
        # So that the host computes a crystal of 40 MHz from the divider of its baud rate.
        register, baud = _CLOCK[chip]
        self._registers[register] = 40_000_000 // baud
        self._write_at = self._left = self._next = 0
        self._inflate: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Bytes from the host; yields what to send back, in order."""
        self._received += data
        while (start := self._received.find(_END)) >= 0:
            end = self._received.find(_END, start + 1)
            if end < 0:
                del self._received[:start]
                return
            frame = unslip(bytes(self._received[start + 1 : end]))
            # An empty frame is the end of one and the start of the next.
            del self._received[: end + 1 if frame else end]
            if len(frame) >= 8 and frame[0] == 0:
                yield from self._command(frame)

    def _command(self, frame: bytes) -> Iterator[bytes]:
        _, op, size, checksum = struct.unpack("<BBHI", frame[:8])
        data = frame[8:]
        try:
            if len(data) != size:
                raise Refused(_BAD_MESSAGE)
            value, answer = self._do(op, data, checksum)
        except (Refused, struct.error) as error:
            code = error.args[0] if isinstance(error, Refused) else _BAD_MESSAGE
            yield self._reply(op, 0, b"", code)
            return
        for _ in range(8 if op == 0x08 else 1):  # a chip answers a SYNC eight times
            yield self._reply(op, value, answer, 0)
        if op == 0x06 and struct.unpack("<II", data)[1]:  # started a program: the stub
            self.stub = True
            yield slip(b"OHAI")

    def _reply(self, op: int, value: int, answer: bytes, code: int) -> bytes:
        status = bytes([1, code]) if code else b"\0\0"
        if not self.stub:
            status += b"\0\0"
        head = struct.pack("<BBHI", 1, op, len(answer) + len(status), value)
        return slip(head + answer + status)

    def _do(self, op: int, data: bytes, checksum: int) -> tuple[int, bytes]:
        if op == 0x08:  # SYNC; the stub is known by its 0
            return (0 if self.stub else 0x2012_0707), b""
        if op == 0x0A:
            return self._registers.get(struct.unpack("<I", data)[0], 0), b""
        if op == 0x09:
            return self._write_register(*struct.unpack("<IIII", data[:16]))
        if op == 0x14 and self.chip in _CHIP_ID:
            return 0, struct.pack("<IB7sII", 0, 0, bytes(7), _CHIP_ID[self.chip], 0)
        if op in (0x02, 0x10):
            return self._begin(op, *struct.unpack("<IIII", data[:16]))
        if op in (0x03, 0x11):
            return self._block(op, data, checksum)
        if op == 0x07:
            self._check(data, checksum)
            return 0, b""
        if op == 0x13:
            at, size = struct.unpack("<II", data[:8])
            digest = hashlib.md5(self._range(at, size))
            return 0, digest.digest() if self.stub else digest.hexdigest().encode()
        if op == 0xD0 and self.stub:
            self.flash[:] = b"\xff" * len(self.flash)
            return 0, b""
        if op in (0x04, 0x05, 0x06, 0x0B, 0x0D, 0x0F, 0x12):
            return 0, b""  # nothing that a chip without pins and clock would have to do
        raise Refused(_BAD_MESSAGE)

    def _write_register(self, at: int, value: int, mask: int, _delay_us: int) -> tuple[int, bytes]:
        self._registers[at] = self._registers.get(at, 0) & ~mask | value & mask
        base = _SPI[self.chip]
        if at == base:  # the command register: it runs at once, and reads as done
            usr2, w0 = _USR2[self.chip]
            command = self._registers.get(base + usr2, 0) & 0xFF
            self._registers[base + w0] = _FLASH_ID if command == _READ_ID else 0
            self._registers[at] = 0
        return 0, b""

    def _begin(self, op: int, size: int, _blocks: int, _each: int, at: int) -> tuple[int, bytes]:
        self._range(at, size)
        end = -(-(at + size) // 4096) * 4096
        self.flash[at // 4096 * 4096 : end] = b"\xff" * (end - at // 4096 * 4096)
        self._write_at, self._left, self._next = at, size, 0
        self._inflate = zlib.decompressobj() if op == 0x10 else None
        return 0, b""

    def _block(self, op: int, data: bytes, checksum: int) -> tuple[int, bytes]:
        block = self._check(data, checksum)
        if struct.unpack_from("<I", data, 4)[0] != self._next:
            raise Refused(_FAILED)
        if op == 0x11:
            if self._inflate is None:
                raise Refused(_FAILED)
            block = self._inflate.decompress(block)
        if len(block) > self._left:
            block = block[: self._left]  # the last block is filled up
        self.flash[self._write_at : self._write_at + len(block)] = block
        self._write_at += len(block)
        self._left -= len(block)
        self._next += 1
        return 0, b""

    def _check(self, data: bytes, checksum: int) -> bytes:
        size = struct.unpack_from("<I", data)[0]
        block = data[16:]
        total = 0xEF
        for byte in block:
            total ^= byte
        if len(block) != size or total != checksum & 0xFF:
            raise Refused(_BAD_CHECKSUM)
        return block

    def _range(self, at: int, size: int) -> bytes:
        if at + size > len(self.flash):
            raise Refused(_WRITE_FAILED)
        return bytes(self.flash[at : at + size])
