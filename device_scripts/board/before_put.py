"""Look at where a file will go: what is there, what is free. Removes an earlier copy's leftover.

`free` is None where the board can't tell; `sha256` is None unless the sizes are equal.
"""


def _w_before_put(path, part, size):
    import gc
    import os

    answer = {"is_dir": False, "size": None, "sha256": None, "free": None, "block": None}
    answer["missing_dirs"] = 0
    gc.collect()
    answer["heap_free"] = gc.mem_free() if hasattr(gc, "mem_free") else None
    try:
        os.remove(part)
    except OSError:
        pass
    # A look at the root fails with ENODEV if nothing is mounted.
    mode = os.stat("/")
    next(os.ilistdir("/"), None)
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
        answer["free"] = flash[0] * flash[3]
        answer["block"] = flash[0]
    if answer["size"] == size and not answer["is_dir"]:
        try:
            import hashlib

            digest = hashlib.sha256()
            block = bytearray(512)
            view = memoryview(block)
            with open(path, "rb") as file:
                while True:
                    n = file.readinto(block)
                    if not n:
                        break
                    digest.update(view[:n])
            answer["sha256"] = "".join("%02x" % byte for byte in digest.digest())
        except (ImportError, AttributeError):
            pass
    return answer
