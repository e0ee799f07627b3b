"""Make a directory and its parents; those that exist are fine. Gives the number made."""


def _w_make_dirs(path):
    import os

    made = 0
    parts = path.split("/")
    for i in range(2, len(parts) + 1):
        folder = "/".join(parts[:i])
        try:
            if not os.stat(folder)[0] & 0x4000:
                raise OSError(20)
            continue
        except OSError as error:
            if error.errno != 2:
                raise
        os.mkdir(folder)
        made += 1
    return made
