"""What this board is and has; None for what it can't tell. Sent by the host, run once."""


def _w_info():
    import gc
    import os
    import sys

    implementation = sys.implementation
    answer = {
        "version": list(implementation.version),
        "mpy": getattr(implementation, "_mpy", None),
        "machine": getattr(implementation, "_machine", None),
        "platform": sys.platform,
        # A 32-bit float (23 bits of fraction) rounds this to 1; so does a 30-bit one.
        "float_bits": 64 if 1.0000000001 != 1.0 else 32,
    }
    if answer["machine"] is None and hasattr(os, "uname"):
        answer["machine"] = os.uname()[4]
    try:
        flash = os.statvfs("/")
        if flash[2]:  # without a file system everything is 0
            # As in before_put.py: on a full flash it may be a number below 0, unsigned.
            answer["flash_free"] = flash[0] * flash[3] if flash[3] <= flash[2] else 0
            answer["flash_total"] = flash[1] * flash[2]
    except (AttributeError, OSError):
        pass
    gc.collect()
    if hasattr(gc, "mem_free"):
        answer["heap_free"] = gc.mem_free()
        answer["heap_total"] = gc.mem_free() + gc.mem_alloc()
        # The largest block that can be had, within 1 %: by trying.
        low, high = 0, answer["heap_free"]
        while high - low > max(64, high // 100):
            size = (low + high) // 2
            try:
                bytearray(size)
                low = size
            except MemoryError:
                high = size
            gc.collect()
        answer["largest_block"] = low
    return answer
