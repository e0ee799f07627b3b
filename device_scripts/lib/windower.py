"""Sliding window over interleaved int16 samples.

Purpose: turns blocks of samples, of any length, into windows of a fixed length that overlap.
Runs under: MicroPython and CPython (training cuts its windows with this very file).
Memory: window * channels * 2 bytes, taken once; `push` allocates nothing.

    windower = Windower(channels=6, window=20, hop=5)
    start = 0
    while start < n_samples:
        start = windower.push(block, start, n_samples)
        if windower.ready:
            use(windower.data)

A window comes out only when it is full of real samples; after that, one every `hop` samples.
"""

from array import array


class Windower:
    def __init__(self, channels, window, hop):
        """Lengths in samples; one sample is one int16 for each channel."""
        if channels < 1 or window < 1 or hop < 1:
            raise ValueError("channels, window and hop must be 1 or more")
        self.channels = channels
        self.window = window
        self.hop = hop
        # The oldest sample first. Valid while `ready`; the next push moves it along.
        self.data = array("h", bytes(2 * window * channels))
        self.reset()

    def reset(self):
        """Forget everything: for a new recording, or after a gap in the samples."""
        self.ready = False
        self._filled = 0
        self._skip = 0

    def push(self, block, start, stop):
        """Take samples `start` to `stop` of a block, up to the end of the next window.

        Returns the index of the first sample not taken: call again with it until it is `stop`.
        """
        channels = self.channels
        data = self.data
        if self.ready:
            self._advance()
        while self._skip and start < stop:
            self._skip -= 1
            start += 1
        to = self._filled * channels
        full = self.window * channels
        source = start * channels
        end = stop * channels
        while source < end and to < full:
            data[to] = block[source]
            to += 1
            source += 1
        self._filled = to // channels
        self.ready = to == full
        return source // channels

    def _advance(self):
        """Drop the oldest `hop` samples."""
        data = self.data
        source = self.hop * self.channels
        full = self.window * self.channels
        to = 0
        while source < full:
            data[to] = data[source]
            to += 1
            source += 1
        self._filled = to // self.channels
        # With a hop longer than the window, some samples belong to no window.
        self._skip = self.hop - self.window if self.hop > self.window else 0
        self.ready = False
