"""The boards that the course knows, as data: one JSON file a board in `boards/`.

    find("esp32-c3-devkitm").chip        # 'ESP32-C3'
    match(board.info)                    # what a connected board may be, best first
    match((0x2E8A, 0x0005))              # what a USB identity may be

Facts are those of makers' documentation and MicroPython's own board files; each entry links them.
What they do not say is None. Nothing here was measured on a board, and the steps for BOOT and RESET
were not tried on one.
"""

from .known import KnownBoard, UsbIdentity, all_boards, find, match

__all__ = ["KnownBoard", "UsbIdentity", "all_boards", "find", "match"]
