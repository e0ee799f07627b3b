"""A sensor that plays recordings from flash in real time.

Purpose: a live app without a sensor, and the same samples again whenever wanted.
Runs under: MicroPython; any board with a file system.
Memory: one sample and one open file.
Timing: noise costs four steps of a small generator a value. Not measured on a board.

Recordings are `.npy` files, int16, [n_samples, n_channels], as `datasets.to_npy` writes them. Their
true label is given with them, or is the file's name up to the first "-": /recordings/walking-1.npy.
If a .json of the same name lies beside one, it may say rate_hz, channels, units_per_lsb and
channel_units; a rate that is not the wanted one is refused, for it would be played at the wrong
speed.

The interface of all sensors is in sensors/README.md.

Noise is seeded: the same samples again, whenever wanted. It is the sum of four evenly distributed
numbers, near to a normal one, and never over 3.5 times its spread.
"""

import builtins  # `open` means the sensor in this file
import json
import time
from array import array

_DESCR = "'descr': '<i2'"
_ORDER = "'fortran_order': False"


def open(config):  # noqa: A001 - the interface's name, as with files
    """config: recordings (paths), rate_hz; labels, speed (1; 2 is twice as fast, 0 does not wait),
    loop (False), noise_lsb (spread of the noise in counts: 0), seed (1)."""
    return Replay(
        config["recordings"],
        config["rate_hz"],
        config.get("labels"),
        config.get("speed", 1),
        config.get("loop", False),
        config.get("noise_lsb", 0),
        config.get("seed", 1),
    )


class Replay:
    overruns = 0  # a file waits

    def __init__(self, recordings, rate_hz, labels=None, speed=1, loop=False, noise_lsb=0, seed=1):
        if not recordings:
            raise ValueError("no recordings to replay")
        if labels is not None and len(labels) != len(recordings):
            raise ValueError("%d recordings, %d labels" % (len(recordings), len(labels)))
        self.rate_hz = rate_hz
        self.late = 0
        self.ended = False
        self.recording = None
        self.label = None
        self._recordings = recordings
        self._labels = labels
        self._loop = loop
        self._file = None
        self._next = 0
        self._left = 0
        self.channels, _ = self._read_header(recordings[0])
        self._row = array("h", bytes(2 * self.channels))
        about = _about(recordings[0])
        # None: nothing beside the recording says it.
        self.channel_names = about.get("channels")
        self.units_per_lsb = about.get("units_per_lsb")
        self.channel_units = about.get("channel_units")
        self._noise = _Noise(noise_lsb, seed) if noise_lsb else None

        # Samples are due on an absolute schedule, so that nothing adds up: whole microseconds,
        # and the rest is carried along. 10^9 is still a small int on a 32-bit board.
        self._paced = speed > 0
        self._denominator = max(1, int(rate_hz * speed * 1000 + 0.5)) if self._paced else 1
        self._period_us, self._rest = divmod(1000000000, self._denominator)
        self._carry = 0
        self._due = None

    def read_into(self, block):
        capacity = len(block) // self.channels
        if not self._left and not self._open_next():
            return 0
        n = 0
        while n < capacity and self._left and self._is_due():
            self._read_row(block, n * self.channels)
            n += 1
        return n

    def close(self):
        if self._file:
            self._file.close()
            self._file = None

    def _is_due(self):
        if not self._paced:
            return True
        now = time.ticks_us()
        if self._due is None:  # the first sample starts the clock
            self._due = now
        behind = time.ticks_diff(now, self._due)
        if behind < 0:
            return False
        if behind > self._period_us:
            self.late += 1
        step = self._period_us
        self._carry += self._rest
        if self._carry >= self._denominator:
            self._carry -= self._denominator
            step += 1
        self._due = time.ticks_add(self._due, step)
        return True

    def _read_row(self, block, at):
        row = self._row
        if self._file.readinto(row) != 2 * self.channels:
            raise OSError("%s is cut short" % self.recording)
        noise = self._noise
        for value in row:
            if noise:
                value = max(-32768, min(32767, value + noise.next()))
            block[at] = value
            at += 1
        self._left -= 1

    def _open_next(self):
        if self._next == len(self._recordings):
            if not self._loop:
                self.ended = True
                self.close()
                return False
            self._next = 0
        path = self._recordings[self._next]
        if path == self.recording:
            self.recording = None  # once, or nobody would notice that it begins again
            return False
        label = self._labels[self._next] if self._labels else _label_of(path)
        self._next += 1
        channels, self._left = self._read_header(path)
        if channels != self.channels:
            raise ValueError("%s has %d channels, not %d" % (path, channels, self.channels))
        stored_hz = _about(path).get("rate_hz", self.rate_hz)
        if abs(stored_hz - self.rate_hz) > self.rate_hz / 200:
            raise ValueError(
                "%s was recorded at rate_hz %s, not %s" % (path, stored_hz, self.rate_hz)
            )
        self.recording = path
        self.label = label
        return True

    def _read_header(self, path):
        """Leave the file open at its first sample; returns (channels, number of samples)."""
        self.close()
        file = self._file = builtins.open(path, "rb")
        head = file.read(10)
        if head[:8] != b"\x93NUMPY\x01\x00":
            raise ValueError("%s is no .npy file of version 1" % path)
        text = file.read(head[8] | head[9] << 8).decode()
        if _DESCR not in text or _ORDER not in text:
            raise ValueError("%s must hold int16 in C order" % path)
        shape = text[text.index("(") + 1 : text.index(")")].split(",")
        if len(shape) != 2 or not shape[1].strip():
            raise ValueError("%s must have the shape (samples, channels)" % path)
        return int(shape[1]), int(shape[0])


class _Noise:
    """Whole numbers around 0, from two 16-bit words (a xorshift of period 2^32 - 1): no step of it
    leaves a 32-bit board's small ints, so it takes no heap."""

    def __init__(self, spread, seed):
        if not 0 < spread <= 3000:
            raise ValueError("noise_lsb goes from 0 to 3000, not %s" % spread)
        self._x = seed & 0xFFFF
        self._y = (seed >> 16 & 0xFFFF) ^ 0x5EED
        if not self._x | self._y:
            self._x = 1
        # Four numbers of 16 bits have a spread of 65536 * sqrt(4 / 12) = 37837.
        self._shift = 28
        while spread * (1 << self._shift) / 37837 >= 3900:  # keeps below 2^30
            self._shift -= 1
        self._factor = int(spread * (1 << self._shift) / 37837 + 0.5)
        for _ in range(16):
            self.next()

    def next(self):
        total = -131070
        for _ in range(4):
            x, y = self._x, self._y
            x ^= x << 5 & 0xFFFF
            self._x = y
            self._y = y ^ y >> 1 ^ x ^ x >> 3
            total += self._y
        return (total * self._factor + (1 << self._shift - 1)) >> self._shift


def _about(path):
    """What the .json beside a recording says; {} if there is none that can be read."""
    try:
        with builtins.open(path.rsplit(".", 1)[0] + ".json") as file:
            about = json.load(file)
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError):
        return {}


def _label_of(path):
    return path.split("/")[-1].split(".")[0].split("-")[0]
