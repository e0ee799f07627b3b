"""The flash chip, as MicroPython's extended block device.

Its methods have no branch and no loop: an interpreter raises a pending KeyboardInterrupt at those,
and a Ctrl-C in the middle of a block would leave LittleFS with half of its work done. On a board
the flash driver is C, which no Ctrl-C interrupts.

Nor do they take heap: a file that a program left open is closed by the garbage collection, while
there is none to be had, and an exception there would leave LittleFS with a file whose memory soon
is somebody else's.
"""

BLOCK_BYTES = 4096


class FlashChip:
    """A chip whose content is in `file`, which holds `size_bytes`: whole blocks."""

    def __init__(self, file, size_bytes):
        self._file = file
        # init, shut down, sync and erase need nothing and answer 0.
        self._answers = {4: size_bytes // BLOCK_BYTES, 5: BLOCK_BYTES}

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * BLOCK_BYTES + offset)
        self._file.write(buffer)

    def ioctl(self, op, argument):
        return self._answers.get(op, 0)
