"""Put MicroPython on a board: which file, which chip, erase, write, look whether it runs.

    flash("esp32-c3", port="COM5", firmware="ESP32_GENERIC_C3-20251209-v1.27.0.bin")

`PracticeChip` is a boot loader without a chip behind it, for learning and for tests.
"""

from .flash import FlashResult, flash
from .image import FirmwareImage, read_image
from .practice import PracticeChip, practice_firmware
from .sources import find_firmware

__all__ = [
    "FirmwareImage",
    "FlashResult",
    "PracticeChip",
    "find_firmware",
    "flash",
    "practice_firmware",
    "read_image",
]
