"""Measures what a number costs in a list, an array or a bytearray.

Runs under: MicroPython.
Memory: n numbers at a time, the floats of a list being the largest: 40 bytes each on a 64-bit port.
"""

import gc
from array import array


def _small_ints(n):
    made = [None] * n
    for i in range(n):
        made[i] = i
    return made


def _floats(n):
    made = [None] * n
    for i in range(n):
        made[i] = i + 0.5
    return made


KINDS = (
    ("list of floats", _floats),
    ("list of small ints", _small_ints),
    ("array 'f'", lambda n: array("f", bytes(4 * n))),
    ("array 'h'", lambda n: array("h", bytes(2 * n))),
    ("bytearray", bytearray),
)


def bytes_a_number(n=1000):
    """[[kind, heap bytes for each of n numbers], ...], by the board's own gc.mem_alloc()."""
    found = []
    for kind, make in KINDS:
        gc.collect()
        before = gc.mem_alloc()
        kept = make(n)
        gc.collect()
        found.append([kind, (gc.mem_alloc() - before) / n])
        del kept
    return found
