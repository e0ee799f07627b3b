"""Remove a file or a directory; with `recursive` a directory and all in it. Gives the number."""


def _w_remove(path, recursive):
    import os

    def remove(path):
        if not os.stat(path)[0] & 0x4000:
            os.remove(path)
            return 1
        removed = 1
        if recursive:
            for entry in list(os.ilistdir(path)):
                removed += remove((path if path[-1:] == "/" else path + "/") + entry[0])
        if path != "/":
            os.rmdir(path)
        return removed

    return remove(path)
