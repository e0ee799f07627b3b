"""Writes int16 samples into a `.npy` file that NumPy reads, a chunk at a time.

Purpose: recordings on the board's flash; the header says how many samples there are, and is written
before they are.
Runs under: MicroPython and CPython.
Memory: one chunk and a header of 128 bytes, taken once; `add` allocates nothing.
Timing: a chunk is one write and one flush. What was flushed outlives a power cut; on LittleFS a
flush in the middle of a block costs a copy of that block, some 50 ms on NOR flash by its data
sheets. Not measured on a board.

    writer = NpyWriter(channels=6, chunk=10)
    writer.open("/recorded/walking-0001.part", rows=600)
    while writer.room:
        writer.add(block, n)        # no more than `room` samples
    writer.close()

A file that gets all its `rows` needs no second look at its header. One that is closed before does:
LittleFS copies a file when its beginning changes, so there must be as much flash free again.
"""

from array import array

HEADER_BYTES = 128
_DIGITS = 10


class NpyWriter:
    def __init__(self, channels, chunk):
        """`chunk`: how many samples are written at once."""
        if channels < 1 or chunk < 1:
            raise ValueError("channels and chunk must be 1 or more")
        self.channels = channels
        self.rows = 0
        self.written = 0
        self._chunk = array("h", bytes(2 * channels * chunk))
        self._filled = 0
        self._file = None

    @property
    def room(self):
        """How many samples the open file still takes; 0 if none is open."""
        return self.rows - self.written - self._filled // self.channels if self._file else 0

    @property
    def until_flush(self):
        """How many more samples fill the chunk, which is written then."""
        return (len(self._chunk) - self._filled) // self.channels

    @property
    def samples(self):
        """How many samples the open file has been given."""
        return self.written + self._filled // self.channels

    def open(self, path, rows):
        """Begin a file of `rows` samples. OSError as the file system says."""
        self.rows = rows
        self.written = 0
        self._filled = 0
        self._file = open(path, "wb")
        self._file.write(header(rows, self.channels))
        self._file.flush()

    def add(self, block, start, n):
        """Take `n` samples of an interleaved array('h') from sample `start` on."""
        data = self._chunk
        to = self._filled
        source = start * self.channels
        end = source + n * self.channels
        while source < end:
            data[to] = block[source]
            to += 1
            source += 1
            if to == len(data):
                self._file.write(data)
                self._file.flush()
                self.written += to // self.channels
                to = 0
        self._filled = to

    def close(self):
        """End the file; the header then says what there is. Returns the number of samples."""
        file, self._file = self._file, None
        if file is None:
            return 0
        try:
            if self._filled:
                file.write(memoryview(self._chunk)[: self._filled])
                self.written += self._filled // self.channels
                self._filled = 0
            if self.written != self.rows:
                file.seek(0)
                file.write(header(self.written, self.channels))
        finally:
            file.close()
        return self.written


def header(rows, channels):
    """The first 128 bytes: as many for any number of rows, so that they can be written again."""
    shape = "(" + " " * (_DIGITS - len(str(rows))) + str(rows) + ", " + str(channels) + ")"
    text = "{'descr': '<i2', 'fortran_order': False, 'shape': " + shape + ", }"
    text += " " * (HEADER_BYTES - 11 - len(text)) + "\n"
    return b"\x93NUMPY\x01\x00" + bytes([HEADER_BYTES - 10, 0]) + text.encode()


def mend(path, channels, size_bytes):
    """Make the header of a file that was never closed say what is there. Returns the samples."""
    rows = (size_bytes - HEADER_BYTES) // (2 * channels)
    if rows > 0:
        with open(path, "r+b") as file:
            file.write(header(rows, channels))
    return rows
