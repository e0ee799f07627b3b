"""Checks of the exercises in notebook 03."""

from __future__ import annotations

from collections.abc import Callable

from ..firmware import PracticeChip, practice_firmware
from ..firmware.image import ESP_CHIPS
from .checks import Verdict, check_for


@check_for("03.1", skill="read from a firmware file which chip it is for")
def chip_number(read: Callable[[bytes], object]) -> Verdict:
    for number, chip in ESP_CHIPS.items():
        data = practice_firmware(chip, size_bytes=1024)
        for wanted, image in ((number, data), (number + 256, _with_high_byte(data))):
            try:
                got = read(image)
            except Exception as error:  # whatever the learner's code raises is feedback
                return Verdict(False, f"It raised {type(error).__name__}: {error}")
            if got is None:
                return Verdict(False, "It returns None: return the number from bytes 12 and 13.")
            if got == int.from_bytes(image[12:14], "big") != wanted:
                return Verdict(False, "The bytes are the right ones; the low byte comes first.")
            if got == image[12] != wanted:
                return Verdict(False, "The number has two bytes: 12 and 13.")
            if got != wanted:
                return Verdict(
                    False, f"For an {chip}'s file it gives {got!r}; bytes 12 and 13 hold {wanted}."
                )
    return Verdict(True, "The same two bytes are looked at before anything is erased.")


@check_for("03.2", skill="bring back a chip that waits for download")
def recovered(chip: PracticeChip) -> Verdict:
    if not isinstance(chip, PracticeChip):
        return Verdict(False, "Give it the practice chip: stuck.")
    if chip.waiting and chip.boot_held:
        return Verdict(False, "BOOT is still held. Let go of it, then press RESET.")
    if chip.waiting:
        return Verdict(False, "It still waits for download: the chip looks at BOOT only at reset.")
    if "MicroPython" not in chip.state:
        return Verdict(False, f"It started, but {chip.state}.")
    return Verdict(True, "Out of download mode, and its program would run.")


@check_for("03.3", skill="pick the firmware file that a board needs")
def right_file(name: object) -> Verdict:
    if name is None:
        return Verdict(False, "my_file is still None: put one of the names in it.")
    text = str(name)
    if "C3" in text:
        return Verdict(False, "That is for the ESP32-C3; the watch has an ESP32-S3.")
    if "S3" not in text:
        return Verdict(False, "That is for the plain ESP32; the watch has an ESP32-S3.")
    if "SPIRAM_OCT" not in text:
        return Verdict(False, "It would run, but not see the 8 MB of octal PSRAM.")
    if "v1.23" in text:
        return Verdict(False, "Right board, but too old: native modules need 1.24 or newer.")
    return Verdict(True, "Chip, memory and version fit.")


def _with_high_byte(data: bytes) -> bytes:
    return data[:13] + b"\x01" + data[14:]
