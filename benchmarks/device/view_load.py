"""A board that sends what live views show, at a steady rate; for benchmarks/stream_views.py.

Memory: one block of samples and one record.

config: rate_hz of its three channels; classes. Half a second apart come predictions, whose truth is
known.
"""

import gc
import time
from array import array

from commands import Commands
from link import Link
from sample_blocks import SampleBlocks, as_bytes

CHANNELS = ("x", "y", "z")
BLOCKS_PER_S = 25


class Signal:
    """Three triangles of their own periods and a little noise: an edge in every pixel column."""

    def __init__(self):
        self.block = array("h", bytes(2 * len(CHANNELS)))
        self._noise = 1
        self._n = 0

    def next(self):
        self._n += 1
        for i in range(len(CHANNELS)):
            self._noise = (self._noise * 1103515 + 12345) & 0xFFFFFF
            at = self._n * (3 + i) % 400
            self.block[i] = (400 - at if at >= 200 else at) * 60 - 6000 + (self._noise >> 14)


def main(config):
    link = Link()
    rate_hz, classes = config["rate_hz"], config["classes"]
    commands = Commands(link)
    hello = {"classes": classes, "channels": CHANNELS, "rate_hz": rate_hz}
    hello["channel_units"] = ["m/s²"] * len(CHANNELS)
    hello["units_per_lsb"] = [0.001] * len(CHANNELS)
    hello["heap_free"] = gc.mem_free()
    hello.update(commands.describe())
    link.send("hello", hello)
    blocks = SampleBlocks(link, len(CHANNELS), max(1, rate_hz // BLOCKS_PER_S))
    signal = Signal()
    outputs = array("f", [0.0] * len(classes))
    n = n_predictions = 0
    while not commands.stopped:
        commands.poll()
        if link.now_ms() * rate_hz < n * 1000:
            time.sleep_ms(1)
            continue
        n += 1
        signal.next()
        blocks.add(signal.block, 1)
        if n % (rate_hz // 2) == 0:
            n_predictions += 1
            predict(link, classes, outputs, n_predictions)
    link.send("bye", {"records": link.seq + 1})


def predict(link, classes, outputs, n):
    """Each class for five seconds, with growing certainty, and now and then a wrong one."""
    right = n // 10 % len(classes)
    said = right if n % 7 else (right + 1) % len(classes)
    for i in range(len(outputs)):
        outputs[i] = 0.4 + 0.06 * (n % 10) if i == said else 0.0
    link.begin("prediction")
    link.text("label", classes[said])
    link.bytes("outputs_f32", as_bytes(outputs), 4 * len(outputs))
    link.int("us", 12)
    link.text("truth", classes[right])
    link.end()
