"""What stands between this computer and a board: pure functions over what a system prints.

Each takes recorded text and gives a Finding or None, so that every system can be tested on any.
Their formats are those of public reports, not recorded by ourselves; see tests/recordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..board.discovery import vendor_name


@dataclass(frozen=True)
class Finding:
    """Something that keeps boards away, the code of its entry in docs/errors.md, and the mend.

    matters: it does so now, as far as can be told; else it may.
    """

    code: str
    what: str
    mend: str
    matters: bool = True


@dataclass(frozen=True)
class WindowsDevice:
    """A USB device as `usbipd list` shows it."""

    bus_id: str
    vid: int
    pid: int
    name: str
    state: str


def wsl(
    proc_version: str, usbipd: str | None = None, boards: int = 0, board_wanted: bool = False
) -> Finding | None:
    """Under WSL 2 with no board: which commands bring it in.

    It matters if a board is wanted, or Windows has one that was not handed over.

    Args:
        proc_version: /proc/version.
        usbipd: what `usbipd.exe list` prints; None if it is not there.
        boards: how many are seen already.
        board_wanted: a port was named that is not the virtual board's.
    """
    if "microsoft" not in proc_version.lower() or boards:
        return None
    what = "This is Linux inside Windows (WSL): it sees no USB board by itself."
    if usbipd is None:
        mend = "In Windows: winget install usbipd, then `usbipd list`; bind (as administrator) "
        mend += "and attach --wsl the board."
        return Finding("WSL", what, mend, board_wanted)
    likely = [d for d in usbipd_devices(usbipd) if d.state != "Attached" and _serial_name(d.name)]
    bus_id = likely[0].bus_id if len(likely) == 1 else "BUSID"
    mend = f"In Windows: usbipd attach --wsl --busid {bus_id}"
    if not likely or likely[0].state != "Shared":
        mend = (
            f"In Windows, as administrator: usbipd bind --busid {bus_id}; "
            f"usbipd attach --wsl --busid {bus_id}"
        )
    return Finding("WSL", what, mend, board_wanted or bool(likely))


def usbipd_devices(text: str) -> list[WindowsDevice]:
    """The connected devices in the output of `usbipd list`."""
    connected = text.partition("Persisted:")[0]
    row = re.compile(
        r"^(\d+-[\d.-]+)\s+([0-9a-f]{4}):([0-9a-f]{4})\s+(.+?)\s{2,}"
        r"(Not shared|Shared(?: \(forced\))?|Attached)\b.*$",
        re.MULTILINE | re.IGNORECASE,
    )
    return [
        WindowsDevice(m[1], int(m[2], 16), int(m[3], 16), m[4].strip(), m[5].split(" (")[0])
        for m in row.finditer(connected)
    ]


def _serial_name(name: str) -> bool:
    return re.search(r"serial|COM\d|UART|JTAG|CP210|CH34|MicroPython|board", name, re.I) is not None


def brltty(processes: str, kernel_log: str = "", boards: int = 0) -> Finding | None:
    """Braille support takes USB serial chips for braille displays.

    It matters if the kernel's log says that it took one which was not plugged in again since, and
    no board is seen.

    Args:
        processes: names of the running programs, one a line.
        kernel_log: `dmesg`, or "" where it may not be read.
        boards: how many are seen.
    """
    taken = list(re.finditer(r"interface \d+ claimed by (\w+) while 'brltty' sets", kernel_log))
    took = taken[-1] if taken else None
    if took and re.search(r"now attached to tty", kernel_log[took.end() :]):
        took = None
    if took is None and "brltty" not in processes.split():
        return None
    what = f"brltty has taken a {took[1]} serial chip" if took else "brltty runs"
    return Finding(
        "BRLTTY",
        f"{what}: it takes CH340, CP210x and FTDI chips for braille displays.",
        "If you use no braille display: sudo systemctl mask --now brltty-udev.service "
        "brltty.path brltty.service   then plug the board in again",
        took is not None and not boards,
    )


def modem_manager(processes: str, boards: int = 0, board_wanted: bool = False) -> Finding | None:
    """ModemManager asks every new serial port whether it is a modem.

    It matters where a named port is wanted and no board is seen: it may have it now. A port that it
    holds is found at the port itself.
    """
    if "ModemManager" not in processes.split():
        return None
    return Finding(
        "MODEM_MANAGER",
        "ModemManager runs: for some seconds it talks to a board that is plugged in.",
        "Wait ten seconds after plugging in; or: sudo systemctl stop ModemManager",
        board_wanted and not boards,
    )


def windows_problem(text: str) -> Finding | None:
    """A USB device without a driver in `pnputil /enum-devices /problem`.

    It matters if boards have such: many laptops have a fingerprint reader without one.
    """
    note = None
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        match = re.search(r"USB\\VID_([0-9A-F]{4})&PID_([0-9A-F]{4})", block, re.IGNORECASE)
        if match is None or not re.search(r"\(0x1C\)|:\s+28\b", block, re.IGNORECASE):
            continue
        name = vendor_name(int(match[1], 16))
        found = Finding(
            "NO_DRIVER",
            f"Windows has no driver for a {name or 'USB device'} ({match[1]}:{match[2]}).",
            "Windows Update > Optional updates > Drivers, or the driver from the maker of the "
            f"{name or 'device, should it be the board'}.",
            name is not None,
        )
        if found.matters:
            return found
        note = note or found
    return note
