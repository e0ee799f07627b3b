"""Fills most of the heap with equal pieces, then drops every other one: a heap in crumbs.

Runs under: MicroPython.
Memory: 48 pieces of 1/64 of what is free; half of them stay until `pieces` is emptied.
"""

import gc

PIECES = 48
pieces = []


def fill():
    """Make the pieces; their size in bytes."""
    pieces.clear()
    gc.collect()
    size = gc.mem_free() // 64
    for _ in range(PIECES):
        pieces.append(bytearray(size))
    return size


def drop_every_other():
    """Let go of every other piece; how many stay."""
    for i in range(0, PIECES, 2):
        pieces[i] = None
    gc.collect()
    return PIECES // 2
