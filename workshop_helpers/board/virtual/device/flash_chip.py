"""The flash chip, as MicroPython's extended block device.

Its methods have no branch and no loop: an interpreter raises a pending KeyboardInterrupt at those,
and a Ctrl-C in the middle of a block would leave LittleFS with half of its work done. On a board
the flash driver is C, which no Ctrl-C interrupts.
"""

BLOCK_BYTES = 4096


class FlashChip:
    """A chip whose content is `memory`, a bytearray of whole blocks."""

    def __init__(self, memory):
        self._memory = memoryview(memory)
        # init, shut down, sync and erase need nothing and answer 0.
        self._answers = {4: len(memory) // BLOCK_BYTES, 5: BLOCK_BYTES}

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        buffer[:] = self._memory[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        self._memory[start : start + len(buffer)] = buffer

    def ioctl(self, op, argument):
        return self._answers.get(op, 0)
