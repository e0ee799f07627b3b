"""What a firmware file is for, read from its own first bytes. Pure functions over bytes.

Espressif: https://docs.espressif.com/projects/esptool/en/latest/esp32/advanced-topics/
firmware-image-format.html. UF2: https://github.com/microsoft/uf2. DfuSe: ST's UM0391.
"""

from __future__ import annotations

import html
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from ..board.catalogue import KnownBoard
from ..errors import FirmwareFileError, OldFirmwareError, WrongChipError

# Native code of .mpy files is kept from the garbage collector since this release
# (micropython commit 5b22bde044; emlearn-micropython issue 12).
OLDEST = (1, 24)
ESP_CHIPS = {
    0: "ESP32",
    2: "ESP32-S2",
    5: "ESP32-C3",
    9: "ESP32-S3",
    12: "ESP32-C2",
    13: "ESP32-C6",
    16: "ESP32-H2",
    18: "ESP32-P4",
    23: "ESP32-C5",
}
UF2_CHIPS = {0xE48BFF56: "RP2040", 0xE48BFF59: "RP2350", 0xADA52840: "nRF52840"}
_UF2_START, _UF2_SECOND, _UF2_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_UF2_BLOCK, _HAS_FAMILY, _NOT_MAIN_FLASH = 512, 0x2000, 0x1
_VERSION = re.compile(rb"MicroPython v(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class FirmwareImage:
    """A firmware file. `kind`: esp, uf2, dfu or hex; chip and version None if it does not say."""

    name: str
    kind: str
    chip: str | None
    version: tuple[int, ...] | None
    size_bytes: int

    def __repr__(self) -> str:
        return f"<{self.name}: {'; '.join(self._rows().values())}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{key}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for key, value in {"file": self.name, **self._rows()}.items()
        )
        return f"<table>{rows}</table>"

    def _rows(self) -> dict[str, str]:
        return {
            "kind": {"esp": "Espressif image"}.get(self.kind, self.kind.upper()),
            "for the chip": self.chip or "it does not say",
            "MicroPython": self.version_text or "it does not say",
            "size": f"{self.size_bytes / 1024:,.0f} KiB",
        }

    @property
    def version_text(self) -> str | None:
        return None if self.version is None else ".".join(map(str, self.version))


def read_image(path: Path | str) -> FirmwareImage:
    """Look at a firmware file.

    Raises:
        FirmwareFileError: it can't be read, or is no firmware of a kind we know.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FirmwareFileError(
            f"The firmware {path} can't be read: {error.strerror}.", "Check the name and the path."
        ) from None
    return parse_image(path.name, data)


def parse_image(name: str, data: bytes) -> FirmwareImage:
    """As `read_image`, for the bytes of a file."""
    chip, content = None, data
    if data[:1] == b"\xe9" and len(data) >= 24:
        kind, number = "esp", struct.unpack_from("<H", data, 12)[0]
        chip = ESP_CHIPS.get(number, f"Espressif chip {number}")
    elif len(data) >= 32 and struct.unpack_from("<II", data) == (_UF2_START, _UF2_SECOND):
        kind = "uf2"
        family, content = _read_uf2(name, data)
        chip = None if family is None else UF2_CHIPS.get(family, f"UF2 family {family:#010x}")
    elif data[:5] == b"DfuSe":
        kind = "dfu"
    elif re.match(rb":[0-9A-F]{10}", data):
        kind, content = "hex", _hex_bytes(data)
    else:
        raise FirmwareFileError(
            f"{name} is not firmware of a kind that is known here.",
            "It should begin as an Espressif image, UF2, DFU or Intel HEX; download it again.",
        )
    found = _VERSION.search(content)
    version = tuple(int(part or 0) for part in found.groups()) if found else None
    return FirmwareImage(name, kind, chip, version, len(data))


def check_image(image: FirmwareImage, board: KnownBoard, chip: str | None = None) -> None:
    """Is this file right for this board, and for the chip that was detected? Before any erasing.

    Raises:
        WrongChipError: the file or the catalogue says another chip.
        OldFirmwareError: native modules would crash on it.
        FirmwareFileError: the file is of another kind than this board takes.
    """
    if chip is not None and not same_chip(chip, board.chip):
        raise WrongChipError(
            f"The chip that answers is an {chip}, but the {board.title} has an {board.chip}.",
            "Choose the board that is plugged in: --board, flash(...); nothing was erased.",
            detected=chip,
        )
    if image.chip is not None and not same_chip(image.chip, board.chip):
        raise WrongChipError(
            f"{image.name} is for the {image.chip}; the {board.title} has an {board.chip}.",
            f"Take the firmware {board.firmware} from {board.download_page}; nothing was erased.",
            firmware=image.chip,
            board=board.chip,
        )
    kinds = {"esptool": "esp", "uf2": "uf2", "dfu": "dfu"}
    wanted = kinds.get(board.flash_method)
    if wanted and image.kind != wanted:
        raise FirmwareFileError(
            f"{image.name} is a {image.kind} file; the {board.title} takes {wanted}.",
            f"Take the firmware {board.firmware} from {board.download_page}.",
        )
    check_version(image.name, image.version)


def check_version(what: str, version: tuple[int, ...] | None) -> None:
    """Raises OldFirmwareError if native modules can't be trusted on this MicroPython."""
    if version is not None and version[:2] < OLDEST:
        raise OldFirmwareError(
            f"{what} is MicroPython {'.'.join(map(str, version))}; there, native modules crash "
            "after a garbage collection.",
            f"Take MicroPython {'.'.join(map(str, OLDEST))} or newer.",
        )


def same_chip(one: str, other: str) -> bool:
    """Whether two names mean one chip: "ESP32-S3 (QFN56) (revision v0.2)", "esp32s3"."""
    return _plain(one) == _plain(other)


def _plain(chip: str) -> str:
    name = re.split(r"[\s(]", chip.strip().lower())[0].replace("-", "")
    # ESP32-D0WD, ESP32-PICO-D4, ESP32-U4WDH ... are packages of the plain ESP32.
    family = re.match(r"esp32(s2|s3|c2|c3|c5|c6|h2|p4)?", name)
    return family[0] if family else name


def _read_uf2(name: str, data: bytes) -> tuple[int | None, bytes]:
    """The family of most blocks that go to the main flash, and their contents."""
    if len(data) % _UF2_BLOCK:
        raise FirmwareFileError(f"{name} is cut short.", "Download it again.")
    families: dict[int, int] = {}
    content = []
    for start in range(0, len(data), _UF2_BLOCK):
        first, second, flags, _, size, _, _, family = struct.unpack_from("<8I", data, start)
        end = struct.unpack_from("<I", data, start + _UF2_BLOCK - 4)[0]
        if (first, second, end) != (_UF2_START, _UF2_SECOND, _UF2_END) or size > 476:
            raise FirmwareFileError(f"{name} is damaged at byte {start}.", "Download it again.")
        if flags & _HAS_FAMILY:
            families[family] = families.get(family, 0) + 1
        if not flags & _NOT_MAIN_FLASH:
            content.append(data[start + 32 : start + 32 + size])
    family = max(families, key=families.__getitem__) if families else None
    return family, b"".join(content)


def _hex_bytes(data: bytes) -> bytes:
    rows = re.findall(rb"^:([0-9A-Fa-f]+)", data, re.MULTILINE)
    return b"".join(
        bytes.fromhex(row.decode())[4:-1] for row in rows if row[6:8] == b"00" and not len(row) % 2
    )
