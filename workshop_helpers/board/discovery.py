"""Which serial port is the board? Ranked by USB identity; never Bluetooth, never a modem.

`rank` and `choose` are pure functions over plain records, so that recorded lists of any operating
system can test them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from serial.tools import list_ports as pyserial_ports

from ..errors import ManyBoardsError
from . import catalogue

MICROPYTHON, MAKER, BRIDGE, UNKNOWN, NEVER = 100, 90, 60, 10, 0
GOOD_ENOUGH = BRIDGE

# What the catalogue does not know by its exact identity: vendors, and USB serial chips.
_MAKERS = {
    0xF055: "MicroPython board",
    0x2E8A: "Raspberry Pi board",
    0x303A: "Espressif board",
    0x2341: "Arduino board",
    0x2A03: "Arduino board",
    0x239A: "Adafruit board",
    0x2886: "Seeed board",
    0x1B4F: "SparkFun board",
    0x0D28: "board with an Arm DAPLink (micro:bit and others)",
    0x0483: "STMicroelectronics board",
    0x16C0: "Teensy or another small maker's board",
    0x1209: "board with a community USB identity",
    0x37C5: "OpenMV camera",
    0x1FC9: "NXP board",
    0x1915: "Nordic board",
}
_BRIDGES = {
    0x10C4: "USB serial chip CP210x",
    0x1A86: "USB serial chip CH340/CH910x",
    0x0403: "USB serial chip FTDI",
    0x067B: "USB serial chip PL2303",
}
# Debug probes: they carry a serial port, but rarely the board's prompt.
_PROBES = {(0x2E8A, 0x000C): "Raspberry Pi debug probe", (0x303A, 0x1002): "Espressif debug probe"}
_MODEM_VENDORS = {0x12D1, 0x1199, 0x2C7C, 0x19D2, 0x05C6, 0x1BC7}
_NEVER = re.compile(
    r"bluetooth|\bmodem\b|\bwwan\b|\blte\b|\bgps\b|gnss|wlan-debug|debug-console|\bAMT\b|\bSOL\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PortRecord:
    """A serial port as the operating system lists it, and how likely it is a board (0 to 100)."""

    device: str
    description: str = ""
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    location: str | None = None
    manufacturer: str | None = None
    score: int = NEVER
    why: str = ""

    def __repr__(self) -> str:
        return f"<{self.device}: {self.why}, {self.score}>"


def list_ports() -> list[PortRecord]:
    """This computer's serial ports, the likeliest board first."""
    return rank(
        PortRecord(
            device=port.device,
            description=" ".join(filter(None, (port.description, port.product))),
            vid=port.vid,
            pid=port.pid,
            serial_number=port.serial_number,
            location=port.location,
            manufacturer=port.manufacturer,
        )
        for port in pyserial_ports.comports()
    )


def vendor_name(vid: int) -> str | None:
    """What boards and serial chips with this USB vendor are called; None for other vendors."""
    return _BRIDGES.get(vid) or _MAKERS.get(vid)


def find_port(device: str) -> PortRecord | None:
    """How this port is listed now; None for addresses, PTYs and what is not there."""
    return next((port for port in list_ports() if port.device == device), None)


def rank(ports: Iterable[PortRecord]) -> list[PortRecord]:
    """The same records with `score` and `why`, best first."""
    scored = [
        replace(port, score=score, why=why) for port in ports for score, why in [_judge(port)]
    ]
    return sorted(scored, key=lambda port: (-port.score, _natural(port.device)))


def choose(ranked: list[PortRecord]) -> PortRecord | None:
    """The one board worth connecting to; None if there is none.

    Raises ManyBoardsError if several boards are equally likely. Two ports of one USB device (a
    data port beside the prompt) are one board: its first port is taken.
    """
    good = [port for port in ranked if port.score >= GOOD_ENOUGH]
    best = [port for port in good if port.score == good[0].score]
    if len({_identity(port) for port in best}) > 1:
        listed = "; ".join(f"{port.device} ({port.why})" for port in best)
        raise ManyBoardsError(
            f"{len(best)} ports look equally like a board: {listed}.",
            f"Name one: connect({best[0].device!r}), --port {best[0].device}.",
            ports=[port.device for port in best],
        )
    return best[0] if best else None


def follow(before: PortRecord | None, now: Iterable[PortRecord]) -> str | None:
    """The port on which a board is now, that was on the port `before`; None if nobody can tell.

    Some boards come back from a reset under another name. It is the same board for certain only if
    its USB identity has a serial number, and exactly one port has both; of several ports of one
    device, the one at the same place in it. Its old name counts first, if it is there again and
    no other board has taken it.

    Args:
        before: how the port was listed when it was open.
        now: the ports of this moment, in any order.
    """
    if before is None:
        return None
    ports = list(now)
    number = before.serial_number
    for port in ports:
        if port.device == before.device and port.serial_number in (number, None):
            return before.device
    if before.vid is None or not number:
        return None
    same = [
        port
        for port in ports
        if (port.vid, port.pid, port.serial_number)
        == (before.vid, before.pid, before.serial_number)
    ]
    if len(same) > 1:
        same = [port for port in same if _interface(port) == _interface(before)]
    return same[0].device if len(same) == 1 else None


def _judge(port: PortRecord) -> tuple[int, str]:
    text = " ".join((port.device, port.description, port.manufacturer or ""))
    if port.vid in _MODEM_VENDORS or _NEVER.search(text):
        return NEVER, "Bluetooth, modem or the like"
    if port.vid is None:
        return NEVER, "not on USB"
    identity = (port.vid, port.pid or 0)
    if identity in _PROBES:
        return UNKNOWN, _PROBES[identity]
    if known := catalogue.match(identity):
        when = {u.when for b in known for u in b.usb if (u.vid, u.pid) == identity}
        if when == {"running"}:
            return MICROPYTHON, f"MicroPython on {_named(known)}"
        return MAKER, f"{_named(known)}, perhaps in its boot loader"
    if port.vid == 0xF055 or "micropython" in text.lower():
        return MICROPYTHON, "MicroPython board"
    if port.vid in _MAKERS:
        return MAKER, _MAKERS[port.vid]
    if port.vid in _BRIDGES:
        return BRIDGE, _BRIDGES[port.vid]
    return UNKNOWN, "unknown USB device"


def _named(boards: tuple[catalogue.KnownBoard, ...]) -> str:
    """One board by its name, several by what they have in common."""
    if len(boards) == 1:
        return boards[0].title
    chips = sorted({board.chip for board in boards})
    return f"a board with {' or '.join(chips)}"


def _identity(port: PortRecord) -> tuple[object, ...]:
    """Equal for the ports of one USB device: its place on the bus without the interface."""
    place = (port.location or "").split(":")[0]
    if place or port.serial_number:
        return (port.vid, port.pid, port.serial_number, place)
    return (port.device,)


def _interface(port: PortRecord) -> str:
    """Which of its device's ports it is; "" where the system does not say."""
    return (port.location or "").partition(":")[2]


def _natural(device: str) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", device)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]
