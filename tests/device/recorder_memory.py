"""Heap bytes that the recorder's loop takes while it fills chunks and hands them to a file.

`measure(folder)` returns the bytes for ROUNDS rounds of `FlashRing.add` within one open file.
"""

import gc
from array import array

from flash_ring import FlashRing

CHANNELS = 6
ROUNDS = 200


class Nowhere:
    def write(self, data):
        pass

    def flush(self):
        pass


def measure(folder):
    ring = FlashRing(folder, {"channels": list("abcdef")}, CHANNELS, 5000, 10, 0, 0, 0)
    block = array("h", range(CHANNELS * 3))
    ring.add(block, 3, "x", 0)
    file = ring._writer._file
    # A flash chip in Python, as the virtual board's, takes heap for each block.
    ring._writer._file = Nowhere()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(ROUNDS):
        ring.add(block, 3, "x", 0)
    taken = gc.mem_alloc() - before
    gc.enable()
    ring._writer._file = file
    ring.close(1)
    return taken
