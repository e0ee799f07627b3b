"""Recordings on the board's flash: one file after the other, the oldest dropped when told to.

Purpose: `.npy` files with a `.json` beside each, that a power cut can't spoil and that never fill
the flash.
Runs under: MicroPython; CPython too.
Memory: npy_writer's chunk, and the names of the files in the folder.
Timing: opening a file asks the file system what is free, which on LittleFS reads all of it; with
npy_writer's flushes it is what takes time. Not measured on a board.

    /recorded/walking-0001.npy    samples, whole: a file gets this name when it is closed
    /recorded/walking-0001.json   label, rate, units, channels, sensor, gaps, clocks
    /recorded/walking-0002.part   the open file; after a power cut it is good up to its last flush

The number counts on over all labels. All files of one run have the same `session` in their .json:
its first number, and four digits that tell it from the same number on another board. A file is
opened only if it fits twice (its header may have to be written again, see npy_writer) and `reserve`
bytes of flash stay free; else `full` is True. Until a file is closed its .json says 0 samples; gaps
are written to it before the samples behind them.
"""

import json
import os

from npy_writer import HEADER_BYTES, NpyWriter, mend

FORMAT = 1
_MAX_NAME = 24


class FlashRing:
    def __init__(self, folder, about, channels, rows, chunk, max_files, max_bytes, reserve):
        """rows: samples a file; chunk: samples a flush; max_files, max_bytes: the most that is
        kept, 0 for no limit; about: a dict that goes into every .json."""
        self.folder = folder
        self.full = False
        self.path = None
        self._about = about
        self._rows = rows
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._reserve = reserve
        self._row_bytes = 2 * channels
        self._writer = NpyWriter(channels, chunk)
        self._files = []
        self._gaps = []
        self._clocks = []
        self._gaps_told = True
        self._name = None
        _make_folder(folder)
        self._look()
        self.session = about["session"] = "flash-%04d-%s" % (self._next, _token())
        self._free = self._ask_free()[0]

    @property
    def files(self):
        """How many closed recordings there are."""
        return len(self._files)

    @property
    def size(self):
        """Bytes of samples in closed recordings."""
        return sum([entry[2] for entry in self._files])

    @property
    def free(self):
        """Bytes of flash that are free: what the file system said when the last file began, less
        what was written since. To ask it each time would take too long."""
        written = self._writer.written * self._row_bytes if self._name else 0
        return max(0, self._free - written)

    def add(self, block, n, label, now_us):
        """Take `n` samples; opens and closes files as needed. False once the flash is full."""
        writer = self._writer
        start = 0
        while start < n and not self.full:
            if not writer.room:
                self.close(now_us)
                if not self._open(label, now_us):
                    return False
            take = n - start
            if take > writer.room:
                take = writer.room
            try:
                if not self._gaps_told and take >= writer.until_flush:
                    self._describe(self._name, 0)
                    self._gaps_told = True
                writer.add(block, start, take)
            except OSError:  # somebody else filled the flash
                self.full = True
                self.close(now_us)
                return False
            start += take
            if not writer.room:
                self.close(now_us)
        return not self.full

    def gap(self):
        """Samples are missing before the next one, nobody knows how many."""
        if self._name and self._writer.samples:
            self._gaps.append([self._writer.samples, 0])
            self._gaps_told = False

    def close(self, now_us):
        """End the open file, if there is one: it gets its name."""
        if not self._name:
            return
        name, self._name = self._name, None
        part = self.folder + "/" + name + ".part"
        try:
            rows = self._writer.close()
            if rows:
                self._clocks.append([rows, now_us])
                self._describe(name, rows)
                os.rename(part, part[:-5] + ".npy")
                size = HEADER_BYTES + rows * self._row_bytes
                self._files.append((_number(name), name, size))
                self._free -= size
            else:
                self._remove(name, ".part")
        except OSError:  # no room for the last bytes: what was flushed stays, and is found again
            self.full = True
        self.path = None

    # --- inside ---------------------------------------------------------------------------
    def _open(self, label, now_us):
        size = HEADER_BYTES + self._rows * self._row_bytes
        self._drop_oldest(size)
        if not self._fits(size):
            self.full = True
            return False
        name = "%s-%04d" % (slug(label), self._next)
        self._next += 1
        self._gaps = []
        self._gaps_told = True
        self._clocks = [[1, now_us]]  # the first sample is here
        self._about["label"] = label
        try:
            self._describe(name, 0)
            self._writer.open(self.folder + "/" + name + ".part", self._rows)
        except OSError:
            self.full = True
            return False
        self._name = name
        self.path = self.folder + "/" + name
        return True

    def _fits(self, size):
        while True:
            self._free, block = self._ask_free()
            # Twice the file, and a few blocks for directories and the .json.
            needed = 2 * (size // block + 2) * block + 4 * block + self._reserve
            if self._free >= needed:
                return True
            if not (self._max_files or self._max_bytes) or not self._files:
                return False
            self._drop()

    def _ask_free(self):
        """(bytes free, bytes in a block)"""
        stat = os.statvfs(self.folder)
        # LittleFS counts what files share more than once: less than nothing may be free, unsigned.
        return stat[0] * stat[4] if stat[4] <= stat[2] else 0, stat[0]

    def _drop_oldest(self, size):
        while self._files and (
            self._max_files
            and len(self._files) >= self._max_files
            or self._max_bytes
            and self.size + size > self._max_bytes
        ):
            self._drop()

    def _drop(self):
        name = self._files.pop(0)[1]
        self._remove(name, ".npy")

    def _remove(self, name, ending):
        for each in (ending, ".json"):
            try:
                os.remove(self.folder + "/" + name + each)
            except OSError:
                pass

    def _describe(self, name, samples):
        about = self._about
        about["format"] = FORMAT
        about["samples"] = samples
        about["gaps"] = self._gaps
        about["clocks"] = self._clocks
        with open(self.folder + "/" + name + ".json", "w") as file:
            json.dump(about, file)

    def _look(self):
        """What is there already; a file that a power cut left open is given its name."""
        self._next = 1
        for entry in sorted(os.listdir(self.folder)):
            name, _, ending = entry.rpartition(".")
            if ending not in ("npy", "part") or not _number(name):
                continue
            self._next = max(self._next, _number(name) + 1)
            path = self.folder + "/" + entry
            size = os.stat(path)[6]
            if ending == "part":
                if not self._mended(name, path, size):
                    continue
            self._files.append((_number(name), name, size))
        self._files.sort()

    def _mended(self, name, path, size):
        try:
            if mend(path, self._channels_of(name), size) < 1:
                self._remove(name, ".part")
                return False
            os.rename(path, path[:-5] + ".npy")
        except (OSError, ValueError, KeyError, TypeError):
            return False  # left as it is: the laptop can still use it
        return True

    def _channels_of(self, name):
        with open(self.folder + "/" + name + ".json") as file:
            return len(json.load(file)["channels"])


def slug(label):
    """A label as the beginning of a file name; "-" comes before the number."""
    text = ""
    for char in (label or "unlabelled").lower()[:_MAX_NAME]:
        text += char if "a" <= char <= "z" or "0" <= char <= "9" else "_"
    return text


def _token():
    try:
        return "%02x%02x" % tuple(os.urandom(2))
    except AttributeError:  # a port without random numbers has a clock that began somewhere
        import time

        return "%04x" % (time.ticks_us() & 0xFFFF)


def _number(name):
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def _make_folder(folder):
    at = folder.find("/", 1)
    while True:
        try:
            os.mkdir(folder if at < 0 else folder[:at])
        except OSError as error:
            if error.errno != 17:  # EEXIST
                raise
        if at < 0:
            return
        at = folder.find("/", at + 1)
