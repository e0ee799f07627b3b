"""The flash chip: 4 KiB blocks in a file of the host."""

BLOCK_BYTES = 4096


class FlashFile:
    """A block device (MicroPython's extended interface) over an open, unbuffered host file."""

    def __init__(self, file, n_blocks):
        self._file = file
        self._n_blocks = n_blocks

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * BLOCK_BYTES + offset)
        if self._file.write(buffer) != len(buffer):
            raise OSError(5)

    def ioctl(self, op, argument):
        if op == 4:
            return self._n_blocks
        if op == 5:
            return BLOCK_BYTES
        return 0  # init, shut down, sync, erase: a file needs none of them
