"""`flash()`: from a board and a file to a board that runs MicroPython, or to a clear refusal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..board import catalogue
from ..board.catalogue import KnownBoard
from ..board.progress import ProgressOption, show_progress
from ..errors import (
    FlashingError,
    NoBoardError,
    NoBootLoaderError,
    WorkshopError,
)
from ..programs import reading
from .image import FirmwareImage, check_image, check_version, read_image
from .practice import PracticeChip
from .sources import find_firmware
from .tools import esptool_environment, refuse_by_hand
from .uf2 import copy_to_drive, wait_for_drive

_WORKER = Path(__file__).with_name("esp_worker.py")
_TIMEOUT_S = 600.0  # a large chip is erased in two minutes, written at 115200 baud in six
_ATTEMPTS = 3
_BACK_S = 10.0  # for a board to show its port again after it was written


@dataclass(frozen=True)
class FlashResult:
    """What was written, to what, and how it was looked at afterwards."""

    board: str
    firmware: str
    version: str | None
    size_bytes: int
    chip: str
    checked: str

    def __repr__(self) -> str:
        version = f"MicroPython {self.version}" if self.version else self.firmware
        return f"<{version} on {self.board}: {self.size_bytes / 1024:,.0f} KiB, {self.checked}>"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def flash(
    board: KnownBoard | str,
    port: str | PracticeChip | None = None,
    firmware: Path | str | None = None,
    *,
    erase: bool = True,
    progress: ProgressOption = True,
    verify: bool = True,
    timeout_s: float = 60.0,
) -> FlashResult:
    """Put MicroPython on a board. Everything in its flash is lost.

    Args:
        board: an id of the catalogue, such as "esp32-c3" or "pico".
        port: the serial port of an Espressif board, or a practice chip; UF2 boards need none.
        firmware: a file; None takes the newest that is at hand.
        erase: erase all of the flash before; False keeps files of a MicroPython that was there.
        verify: connect to the board afterwards and ask it for its version.
        timeout_s: how long to wait for a UF2 board's drive.

    Raises:
        WrongChipError, OldFirmwareError, FirmwareFileError: before anything is erased.
        NoBootLoaderError: nothing answers; the BOOT and RESET steps are in the message.
        FlashToolError: the program for this kind of board is not here.
        FlashingError: writing failed, or the board does not answer afterwards.
    """
    known = catalogue.find(board) if isinstance(board, str) else board
    refuse_by_hand(known)
    if port == "virtual":  # WORKSHOP_PORT may say so; nothing can be written to that
        port = None
    path = find_firmware(known, firmware)
    image = read_image(path)
    check_image(image, known)
    if known.flash_method == "uf2":
        drive = wait_for_drive(known, timeout_s, say=_say)
        with show_progress(progress, known.title, image.size_bytes) as step:
            copy_to_drive(drive, path.read_bytes(), path.name, step)
        chip, checked = drive.model or known.chip, "the drive took it and vanished"
    else:
        if port is None:
            raise NoBoardError(
                f"Which port is the {known.title} on?",
                "Name it: --port COM5, flash(..., port='/dev/ttyUSB0'). `workshop doctor` lists "
                "the ports.",
            )
        chip = _write_esp(known, port, path, image, erase, progress)
        checked = "MD5 of its flash is the file's"
    if verify and not isinstance(port, PracticeChip):
        _say("waiting for MicroPython to answer")
        checked += f"; {_look(known, port)}"
    return FlashResult(known.title, path.name, image.version_text, image.size_bytes, chip, checked)


def detect(port: str | PracticeChip) -> str:
    """The Espressif chip in download mode at `port`. Nothing is written; it restarts afterwards.

    Raises:
        NoBootLoaderError: nothing answers there.
    """
    return _run(port, {"file": None, "chip": None}, "any ESP32", lambda done, total: None)


def _write_esp(
    board: KnownBoard,
    port: str | PracticeChip,
    path: Path,
    image: FirmwareImage,
    erase: bool,
    progress: ProgressOption,
) -> str:
    job = {
        "file": str(path.resolve()),
        "chip": board.chip,
        "offset": board.flash_offset,
        "erase": erase,
    }
    with show_progress(progress, board.title, image.size_bytes) as step:
        chip = _run(port, job, board, step)
    check_image(image, board, chip)  # the worker stopped there, before erasing
    return chip


def _run(port: str | PracticeChip, job: dict[str, Any], board: KnownBoard | str, step: Any) -> str:
    address = port.port if isinstance(port, PracticeChip) else port
    # Over a socket there is no line whose speed could be changed; elsewhere four times is common.
    baud = 0 if "://" in address else 460800
    job = {"offset": 0, "erase": False, **job, "port": address, "baud": baud, "attempts": _ATTEMPTS}
    chip: str | None = None
    done = False
    for event in _events(job):
        if event["event"] == "chip":
            chip = str(event["chip"])
        elif event["event"] == "done":
            done = True
        elif event["event"] == "progress":
            step(event["done"], event["total"])
        elif event["event"] == "error":
            raise _failure(str(event["text"]), chip, address, board)
    if chip is None or (not done and job["chip"] in (None, chip)):
        raise FlashingError(f"esptool ended without a word at {address}.")
    return chip


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _events(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    environment = esptool_environment(_say)
    command = [sys.executable, str(_WORKER), json.dumps(job)]
    with reading(command, environment, _TIMEOUT_S, errors_too=False) as process:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a library's own words
            yield event


def _failure(text: str, chip: str | None, address: str, board: KnownBoard | str) -> WorkshopError:
    """esptool's words as an error of ours."""
    first = text.strip().splitlines()[0][:200] if text.strip() else "no reason given"
    if chip is not None:
        return FlashingError(f"Writing broke off: {first}")
    if "Could not open" in first:
        return NoBoardError(f"{address} can't be opened: {first}")
    title, steps = (
        (board, "Hold BOOT, press RESET, let go of BOOT.")
        if isinstance(board, str)
        else (f"the {board.title}", " ".join(board.boot_steps))
    )
    return NoBootLoaderError(
        f"No boot loader answers at {address}. esptool says: {first}",
        f"Put {title} in download mode, then run this again: {steps}",
    )


def _look(board: KnownBoard, port: str | None) -> str:
    """Connect and ask. A port takes seconds to come back, and may do so under another name."""
    from ..board import connect

    last: WorkshopError | None = None
    end = time.monotonic() + _BACK_S
    while True:
        for name in dict.fromkeys(filter(None, (port, *_ports_with(board.chip)))):
            try:
                with connect(name) as answering:
                    version = answering.info.version
            except WorkshopError as error:
                last = error
                continue
            check_version(f"What runs at {name}", tuple(map(int, version.split("-")[0].split("."))))
            return f"MicroPython {version} answers at {name}"
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    raise FlashingError(
        "All was written, but no MicroPython answers yet"
        + (f": {last.what}" if last else ": no port shows."),
        "Press RESET, wait five seconds, then run `workshop doctor`.",
    )


def _ports_with(chip: str) -> list[str]:
    """Ports of boards that have this chip, as their USB identities tell."""
    from ..board import list_ports

    return [
        port.device
        for port in list_ports()
        if any(board.chip == chip for board in catalogue.match((port.vid or 0, port.pid or 0)))
    ]
