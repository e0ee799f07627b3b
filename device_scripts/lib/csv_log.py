"""A log on the board's flash that can't fill it, and that a power cut can't spoil.

Purpose: lines of text in `<path>`; when it is full it becomes `<path>.old`, whose predecessor goes.
Runs under: MicroPython and CPython.
Memory: one line. Flash: at most 2 * max_bytes.
Timing: a flush each line is what survives a cut; it is also what wears flash. Raise `flush_every`
to lose that many lines at most and write less often.

A line cut in half by a power cut is ended when the log is opened again, so that the next one starts
on its own; `read` leaves out lines that don't have all their columns.
"""

import os


class CsvLog:
    def __init__(self, path, columns, max_bytes=8192, flush_every=1):
        """`columns`: names, the first line of each file."""
        if max_bytes < 64:
            raise ValueError("max_bytes must be 64 or more")
        self.path = path
        self._columns = len(columns)
        self._head = ",".join(columns) + "\n"
        self._max = max_bytes
        self._every = flush_every
        self._unflushed = 0
        self._open()

    def add(self, *values):
        """One line. ValueError for another number of values, or one with a comma or a newline."""
        line = ",".join([str(value) for value in values]) + "\n"
        if line.count(",") != self._columns - 1 or line.count("\n") != 1:
            raise ValueError("want %d values without commas" % self._columns)
        data = line.encode()
        if self._size + len(data) > self._max:
            self._rotate()
        self._file.write(data)
        self._size += len(data)
        self._unflushed += 1
        if self._unflushed >= self._every:
            self.flush()

    def flush(self):
        self._file.flush()
        self._unflushed = 0

    def close(self):
        self._file.close()

    def _open(self):
        self._size = _size_of(self.path)
        torn = False
        if self._size:
            with open(self.path, "rb") as file:
                file.seek(self._size - 1)
                torn = file.read(1) != b"\n"
        self._file = open(self.path, "ab")
        for missing in (b"\n" if torn else b"", b"" if self._size else self._head.encode()):
            self._file.write(missing)
            self._size += len(missing)
        self._file.flush()

    def _rotate(self):
        self._file.close()
        try:
            os.remove(self.path + ".old")
        except OSError:
            pass  # there was none
        os.rename(self.path, self.path + ".old")
        self._open()


def read(path):
    """Lists of text, oldest first, without the heads and without lines that a cut has torn."""
    rows = []
    for name in (path + ".old", path):
        if not _size_of(name):
            continue
        with open(name) as file:
            head = file.readline().strip().split(",")
            for line in file:
                row = line.rstrip("\n").split(",")
                if len(row) == len(head) and line.endswith("\n"):
                    rows.append(row)
    return rows


def _size_of(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
