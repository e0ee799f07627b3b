"""Leave a heap of which half is free, in pieces of two kilobytes. `pieces` holds them."""

import gc

pieces = [None] * 200


def fill():
    gc.collect()
    n = 0
    try:
        while n < len(pieces):
            pieces[n] = bytearray(2048)
            n += 1
    except MemoryError:
        pass
    for i in range(0, n, 2):
        pieces[i] = None
    gc.collect()
    return n
