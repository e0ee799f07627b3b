"""The boards that the course knows, as data: one JSON file a board in `boards/`.

    find("esp32-c3-devkitm").chip        # 'ESP32-C3'
    match(board.info)                    # what a connected board may be, best first
    match((0x2E8A, 0x0005))              # what a USB identity may be

Each entry links what its facts are from: MicroPython's board files, makers' documents, and where
those could not be read, the documents of other systems (Zephyr, RIOT, Arduino), resellers' copies
or, for prices, news of the launch. They were compared last in 2026. A field
named in an entry's `unchecked` was found in none of them: it is general knowledge and may be
wrong. What is not known is None. Nothing here was measured on a board, and the steps for BOOT and
RESET were not tried on one.
"""

from .known import KnownBoard, UsbIdentity, all_boards, find, match

__all__ = ["KnownBoard", "UsbIdentity", "all_boards", "find", "match"]
