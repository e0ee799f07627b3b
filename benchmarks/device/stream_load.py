"""A board that streams as much as it can, or so many records a second; for benchmarks/stream.py.

Memory: one block of samples and one record.

config: mode "samples" (blocks as fast as the line takes them), "raw" (one record, made beforehand,
again and again: what the line itself can carry) or "clocked" (one sample a record, at rate_hz);
seconds; channels; block, in samples.
"""

import gc
import time
from array import array

from commands import Commands
from link import Link
from sample_blocks import SampleBlocks


class Made:
    """A sensor whose samples are ready: at once, or at its rate."""

    def __init__(self, channels, rate_hz):
        self._ready = array("h", [(i * 7919) % 65536 - 32768 for i in range(channels * 20)])
        self._channels = channels
        self._period_us = 1000000 // rate_hz if rate_hz else 0
        self._due = time.ticks_us()

    def read_into(self, block):
        if self._period_us:
            if time.ticks_diff(time.ticks_us(), self._due) < 0:
                return 0
            self._due = time.ticks_add(self._due, self._period_us)
        i = 0
        while i < len(block):
            block[i] = self._ready[i]
            i += 1
        return len(block) // self._channels


def clock(command):
    return {"ticks_us": time.ticks_us()}


def main(config):
    link = Link()
    channels = config.get("channels", 6)
    commands = Commands(link, None, {"clock": clock})
    link.send("hello", commands.describe())
    gc.collect()
    end_ms = int(config["seconds"] * 1000)
    if config["mode"] == "clocked":
        clocked(link, commands, channels, config["rate_hz"], end_ms)
    else:
        flood(link, commands, channels, config["block"], config["mode"] == "raw", end_ms)
    link.send("bye", {"records": link.seq + 1})


def flood(link, commands, channels, block_samples, raw, end_ms):
    sensor = Made(channels, 0)
    blocks = SampleBlocks(link, channels, block_samples)
    block = array("h", bytes(2 * channels * 20))
    while link.now_ms() < end_ms and not commands.stopped:
        commands.poll()
        blocks.add(block, sensor.read_into(block))
        if raw and link.seq > 1:
            break
    if raw:
        # The last record once more, as often as it goes: its number stays, which counts as lost.
        out, buffer, n = link._out, link._buffer, link._at
        while link.now_ms() < end_ms:
            for _ in range(20):
                out.write(buffer, n)


def clocked(link, commands, channels, rate_hz, end_ms):
    sensor = Made(channels, rate_hz)
    block = array("h", bytes(2 * channels))
    while link.now_ms() < end_ms and not commands.stopped:
        commands.poll()
        read_us = time.ticks_us()
        if not sensor.read_into(block):
            time.sleep_us(200)
            continue
        link.begin("reading")
        link.int("read_us", read_us)
        for i in range(channels):
            link.int(NAMES[i], block[i])
        link.end()


NAMES = ("a", "b", "c", "d", "e", "f")
