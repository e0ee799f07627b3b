"""Samples collected into records of a set size.

Purpose: few records for many samples; the other end is Record.samples() on the laptop.
Runs under: MicroPython; CPython only to import it.
Memory: one block, channels * size * 2 bytes, taken once; `add` and `flush` allocate nothing.
"""

from array import array

import line


def as_bytes(buffer):
    """A live view of an array's bytes: reading a float makes an object, reading a byte does not."""
    try:
        import uctypes
    except ImportError:  # viper reads the array itself as bytes
        return buffer
    return uctypes.bytearray_at(uctypes.addressof(buffer), len(bytes(buffer)))


class SampleBlocks:
    """Collects samples and sends them as records "samples", `size` at a time.

    An app that says "label" and "gap" counts them in `labels` and `gaps`; with `tell_marks` each
    block says how many came before it, so that none can be lost without being missed.
    """

    def __init__(self, link, channels, size, tell_marks=False):
        self._link = link
        self._channels = channels
        self._block = array("h", bytes(2 * channels * size))
        self._raw = as_bytes(self._block)
        self._filled = 0
        self.sent = 0
        self.labels = 0
        self.gaps = 0
        self._tell_marks = tell_marks

    def add(self, block, n_samples):
        """Take the first `n_samples` of an interleaved array('h')."""
        start = 0
        end = n_samples * self._channels
        while start < end:
            n = len(self._block) - self._filled
            if n > end - start:
                n = end - start
            self._filled = line.samples(self._block, self._filled, block, start, n)
            start += n
            if self._filled == len(self._block):
                self.flush()

    def flush(self):
        """Send what is there: at the end, and before samples that do not follow on."""
        if not self._filled:
            return
        link = self._link
        n = self._filled // self._channels
        link.begin("samples")
        link.int("at", self.sent)
        link.int("n", n)
        link.int("channels", self._channels)
        if self._tell_marks:
            link.int("labels", self.labels)
            link.int("gaps", self.gaps)
        link.bytes("b64", self._raw, 2 * self._filled)
        link.end()
        self.sent += n
        self._filled = 0
