"""Free heap in bytes after a collection, or None."""


def _w_heap_free():
    import gc

    gc.collect()
    return gc.mem_free() if hasattr(gc, "mem_free") else None
