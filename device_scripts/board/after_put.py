"""Give a complete copy its real name. On FAT the old file must go first."""


def _w_after_put(part, path):
    import os

    try:
        os.rename(part, path)
    except OSError:
        os.stat(part)
        os.remove(path)
        os.rename(part, path)
    if hasattr(os, "sync"):
        os.sync()
    return True
