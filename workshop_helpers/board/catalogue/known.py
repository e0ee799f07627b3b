"""Entries of the catalogue, read once; and which of them a board or a USB device may be."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UnknownBoardError

if TYPE_CHECKING:
    from ..info import BoardInfo

BOARDS = Path(__file__).parent / "boards"
# As people call them: the chip alone, or an older name.
_ALIASES = {
    "esp32": "esp32-devkitc",
    "esp32-s3": "esp32-s3-devkitc",
    "esp32-c3": "esp32-c3-devkitm",
    "esp32-c6": "esp32-c6-devkitc",
    "rp2040": "pico",
    "rp2350": "pico-2",
    "nano-33-ble-sense-rev1": "nano-33-ble-sense",
}


@dataclass(frozen=True)
class UsbIdentity:
    """Vendor and product; `when`: running (MicroPython), download (boot loader) or bridge (a chip
    that many boards carry)."""

    vid: int
    pid: int
    when: str

    def __str__(self) -> str:
        return f"{self.vid:04x}:{self.pid:04x}"


@dataclass(frozen=True)
class KnownBoard:
    """A board one can buy. None: not known. Sizes in KiB, currents at the supply.

    arch: as in `modules.ARCHES`. float_unit: none, single or double. price_usd: US dollars without
    tax, as they were in price_year. current_of: whether the currents are the board's or the bare
    chip's. machine: what MicroPython calls it. micropython_id: its name in MicroPython's downloads.
    flash_method: esptool, uf2, dfu, stlink, bossac or teensy. unchecked: the fields that none of
    the sources confirmed.
    """

    id: str
    name: str
    maker: str
    chip: str
    cpu: str
    arch: str
    float_unit: str
    clock_mhz: int
    ram_kb: int
    psram_kb: int | None
    flash_kb: int
    heap_kb: int | None
    sensors: tuple[str, ...]
    radio: tuple[str, ...]
    price_usd: float | None
    price_year: int | None
    active_ma: float | None
    sleep_ua: float | None
    current_of: str | None
    usb: tuple[UsbIdentity, ...]
    usb_kind: str
    machine: str
    micropython_id: str
    micropython_variant: str | None
    flash_method: str
    flash_offset: int | None
    uf2_family: int | None
    uf2_drive: str | None
    boot_steps: tuple[str, ...]
    reset_steps: tuple[str, ...]
    quirks: tuple[str, ...]
    unchecked: tuple[str, ...]
    sources: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{self.title}: {self.chip}, {self.ram_kb} KB RAM, {self.flash_kb} KB flash>"

    @property
    def title(self) -> str:
        return f"{self.maker} {self.name}"

    @property
    def firmware(self) -> str:
        """The name its firmware files begin with."""
        variant = f"-{self.micropython_variant}" if self.micropython_variant else ""
        return self.micropython_id + variant

    @property
    def download_page(self) -> str:
        return f"https://micropython.org/download/{self.micropython_id}/"

    def has(self, what: str) -> bool:
        """Whether a sensor or radio is there: "accelerometer", "microphone", "LoRa", "Wi-Fi"."""
        return any(what.lower() in part.lower() for part in (*self.sensors, *self.radio))


def all_boards() -> tuple[KnownBoard, ...]:
    """Every entry, by id."""
    return _load()


def find(name: str) -> KnownBoard:
    """The entry with this id, name, chip ("esp32-c3") or MicroPython id ("RPI_PICO").

    Raises:
        UnknownBoardError: there is none; the message names what is like it.
    """
    plain = _dashed(name)
    wanted = _ALIASES.get(plain, plain)
    for board in _load():
        if wanted in map(_dashed, (board.id, board.name, board.title, board.micropython_id)):
            return board
    like = [board.id for board in _load() if plain[:5] in board.id] or [b.id for b in _load()]
    raise UnknownBoardError(
        f"There is no board {name!r} in the catalogue.",
        f"Perhaps one of these: {', '.join(like[:8])}. `workshop flash --list` shows all.",
    )


def match(what: BoardInfo | tuple[int, int]) -> tuple[KnownBoard, ...]:
    """What a connected board (its info) or a USB identity (vendor, product) may be; () if unknown.

    A USB serial chip is on so many boards that it tells nothing: it matches none.
    """
    if isinstance(what, tuple):
        return tuple(
            board
            for board in _load()
            if any((u.vid, u.pid) == what and u.when != "bridge" for u in board.usb)
        )
    same_name = [board for board in _load() if board.machine == what.name]
    # A generic firmware is on many boards; the chip must be one of its family at least.
    chip = _plain(what.chip)
    return tuple(b for b in same_name if chip.startswith(_plain(b.chip)[:5]) or not chip)


def _dashed(name: str) -> str:
    return "-".join(name.lower().replace("_", " ").split())


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@functools.cache
def _load() -> tuple[KnownBoard, ...]:
    return tuple(
        from_json(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(BOARDS.glob("*.json"))
    )


def from_json(row: dict[str, Any]) -> KnownBoard:
    """One entry from the object in its file. Raises ValueError if a field is missing or unknown."""
    wanted = {field.name for field in fields(KnownBoard)}
    if set(row) != wanted:
        raise ValueError(f"{row.get('id')}: fields differ: {sorted(set(row) ^ wanted)}")
    values = dict(row)
    for name in ("sensors", "radio", "boot_steps", "reset_steps", "quirks", "unchecked", "sources"):
        values[name] = tuple(row[name])
    for name in ("flash_offset", "uf2_family"):
        values[name] = None if row[name] is None else int(row[name], 16)
    values["usb"] = tuple(
        UsbIdentity(int(u["id"][:4], 16), int(u["id"][5:], 16), u["when"]) for u in row["usb"]
    )
    return KnownBoard(**values)
