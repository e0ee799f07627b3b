"""Heap bytes that the recorder's loop takes while it writes to the flash.

`measure(folder)` returns the bytes for ROUNDS rounds of `FlashRing.add` within one open file.
"""

import gc
from array import array

from flash_ring import FlashRing

CHANNELS = 6
ROUNDS = 200


def measure(folder):
    ring = FlashRing(folder, {"channels": list("abcdef")}, CHANNELS, 5000, 10, 0, 0, 0)
    block = array("h", range(CHANNELS * 3))
    ring.add(block, 3, "x", 0)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(ROUNDS):
        ring.add(block, 3, "x", 0)
    taken = gc.mem_alloc() - before
    gc.enable()
    ring.close(1)
    return taken
