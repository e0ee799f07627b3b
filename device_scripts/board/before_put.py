"""Look at where a file will go: what is there, what is free. Removes an earlier copy's leftover.

`free` and `heap_free` are None where the board can't tell, `size` if there is no such file.
"""


def _w_before_put(path, part):
    import gc
    import os

    answer = {"is_dir": False, "size": None, "free": None, "block": None, "missing_dirs": 0}
    try:
        os.stat(part)
        if "_w_file" in globals():
            _w_file.close()  # noqa: F821 (of a copy that was cut short)
        os.remove(part)
    except OSError:
        pass
    gc.collect()
    answer["heap_free"] = gc.mem_free() if hasattr(gc, "mem_free") else None
    folder = path.rsplit("/", 1)[0]
    while folder:
        try:
            if not os.stat(folder)[0] & 0x4000:
                raise OSError(20)
            break
        except OSError as error:
            if error.errno != 2:
                raise
        answer["missing_dirs"] += 1
        folder = folder.rsplit("/", 1)[0]
    try:
        mode = os.stat(path)
        answer["is_dir"] = mode[0] & 0x4000 != 0
        answer["size"] = mode[6]
    except OSError as error:
        if error.errno != 2:
            raise
    if hasattr(os, "statvfs"):
        flash = os.statvfs(folder or "/")
        # LittleFS counts what files share more than once: less than nothing may be free, unsigned.
        answer["free"] = flash[0] * flash[3] if flash[3] <= flash[2] else 0
        answer["block"] = flash[0]
    return answer
