"""A practice chip: the boot loader in an Espressif chip's ROM, without the chip, on a socket.

esptool talks to it by its real protocol: it is detected, takes esptool's own stub program, is
erased and written, and answers with the MD5 of its flash. It has no processor: what was written is
not run. Over a socket no program can press its buttons, so the learner does: `hold_boot()`,
`press_reset()`, `release_boot()`.

Protocol: https://docs.espressif.com/projects/esptool/en/latest/esp32/advanced-topics/
serial-protocol.html.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import struct
import threading

from .image import ESP_CHIPS
from .loader import Loader

FLASH_BYTES = 4 << 20
_OFFSETS = {"ESP32": 0x1000}  # of the first program; 0 on the newer chips
_BANNER = "\r\nESP-ROM: practice chip ({chip})\r\nrst:0x1 (POWERON_RESET),boot:{mode}\r\n"


class PracticeChip:
    """A chip to flash without risk. A context manager; `close()` twice is fine.

    Args:
        chip: "ESP32" (it answers as the oldest do) or "ESP32-C3" (as all newer ones).
        waiting: whether it starts in download mode, as if BOOT had been held.
        program: an image that is in its flash already.
    """

    def __init__(
        self, chip: str = "ESP32-C3", *, waiting: bool = False, program: bytes = b""
    ) -> None:
        if chip not in ("ESP32", "ESP32-C3"):
            raise ValueError(f"there is no practice chip {chip!r}: ESP32 or ESP32-C3")
        self.chip = chip
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        start = _OFFSETS.get(chip, 0)
        self.flash[start : start + len(program)] = program
        self.boot_held = waiting
        self._said: list[str] = []
        self._loader: Loader | None = None
        self._client: socket.socket | None = None
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self.press_reset()
        self.boot_held = False
        threading.Thread(target=self._serve, daemon=True, name="practice chip").start()

    def __enter__(self) -> PracticeChip:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<practice {self.chip} at {self.port}: {self.state}>"

    @property
    def waiting(self) -> bool:
        """Whether it waits for download."""
        return self._loader is not None

    @property
    def state(self) -> str:
        return "waiting for download" if self.waiting else self._would_run()

    @property
    def boot_log(self) -> str:
        """What it has printed since the last reset."""
        return "".join(self._said)

    def hold_boot(self) -> None:
        """Press the BOOT button and keep it down."""
        self.boot_held = True

    def release_boot(self) -> None:
        """Let go of BOOT. The chip looks at the button only at reset."""
        self.boot_held = False

    def press_reset(self) -> None:
        """Press RESET and let go: the chip starts anew, by what BOOT says now."""
        self._said = []
        if self.boot_held:
            self._loader = Loader(self.chip, self.flash)
            self._say(_BANNER.format(chip=self.chip, mode="0x3 (DOWNLOAD_BOOT)"))
            self._say("waiting for download\r\n")
        else:
            self._loader = None
            self._say(_BANNER.format(chip=self.chip, mode="0x13 (SPI_FAST_FLASH_BOOT)"))
            self._say(self._would_run() + "\r\n")

    def close(self) -> None:
        """Unplug it."""
        for end in (self._client, self._server):
            if end is not None:
                # Closing alone does not wake a thread that waits on it.
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _would_run(self) -> str:
        start = _OFFSETS.get(self.chip, 0)
        if self.flash[start] != 0xE9:
            return f"invalid header: 0x{self.flash[start : start + 4].hex()}: no program in flash"
        number = struct.unpack_from("<H", self.flash, start + 12)[0]
        made_for = ESP_CHIPS.get(number, str(number))
        if made_for != self.chip:
            return f"the program in flash is for {made_for}: it can't start"
        found = self.flash.find(b"MicroPython v", start)
        name = bytes(self.flash[found : found + 19]).split(b";")[0] if found >= 0 else b"a program"
        return f"{name.decode('ascii', 'replace').strip()} is in flash and would start now"

    def _say(self, text: str) -> None:
        self._said.append(text)
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError):  # nobody may be there to read it
                client.sendall(text.encode())

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return  # closed
            self._client = client
            with client:
                self._talk(client)
            self._client = None

    def _talk(self, client: socket.socket) -> None:
        while True:
            try:
                data = client.recv(65536)
                if not data:
                    return
                loader = self._loader
                if loader is None:
                    continue  # no program is there to answer
                for reply in loader.feed(data):
                    client.sendall(reply)
            except OSError:
                return


def practice_firmware(
    chip: str = "ESP32-C3", version: str = "1.27.0", size_bytes: int = 160 * 1024
) -> bytes:
    """An image with a true header for a chip, and no program: for the practice chip only.

    Returns:
        A whole Espressif image, with its checksum and SHA-256, filled with fixed noise.
    """
    number = next(key for key, name in ESP_CHIPS.items() if name == chip)
    text = f"MicroPython v{version}; practice image, not a program\0".encode()
    body = text + random.Random(version).randbytes(size_bytes - len(text) - size_bytes % 4)
    body += bytes(-len(body) % 4)
    header = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x4038_0000)
    header += struct.pack("<BBBBHBHHIB", 0xEE, 0, 0, 0, number, 0, 0, 0xFFFF, 0, 1)
    image = header + struct.pack("<II", 0x3C00_0020, len(body)) + body
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest()
