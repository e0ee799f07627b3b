"""Heap bytes that har_live's own loop takes, its records and all.

`measure(folder, recording, viper)` returns what ROUNDS steps took and sent; it needs what har_live
needs on the board. The records go nowhere, so that only the answer is printed. What is replayed is
made up: the virtual board's flash chip is written in Python, and allocates.
"""

import gc
import sys

ROUNDS = 400


class Nowhere:
    """Stands in for the line."""

    def __init__(self):
        self.size_bytes = 0

    def write(self, data, n):
        self.size_bytes += n


class Made:
    """Stands in for the recording's file."""

    def __init__(self):
        self._value = 0

    def readinto(self, row):
        i = 0
        while i < len(row):
            self._value = (self._value * 75 + 74) % 65537
            row[i] = self._value - 32768 if self._value < 65536 else 0
            i += 1
        return 2 * i


def measure(folder, recording, viper):
    if not viper:  # as firmware without the native emitter has it
        sys.modules["line_viper"] = __import__("line_plain")
    import har_live
    import model_store
    from link import Link
    from sensors import replay

    settings = {"window": 20, "hop": 5, "sensor": "replay", "block": 2}
    sensor = replay.open({"recordings": [recording], "rate_hz": 10, "speed": 0})
    link = Link()
    link._out = Nowhere()
    live = har_live.Live(link, model_store.load(folder), sensor, settings)
    live.step()
    sensor._file = Made()
    sensor._left = 1000000
    for _ in range(20):
        live.step()
    link._s = 5000  # hours later, numbers are as long as they get
    found = {"heap": 0, "records": 0, "bytes": 0}
    gc.collect()
    gc.disable()
    records = link.seq
    before = gc.mem_alloc()
    for _ in range(ROUNDS):
        live.step()
    found["heap"] = gc.mem_alloc() - before
    gc.enable()
    found["records"] = link.seq - records
    found["bytes"] = link._out.size_bytes
    return found
