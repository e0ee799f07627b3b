"""Whether a path is there."""


def _w_exists(path):
    import os

    try:
        os.stat(path)
        return True
    except OSError as error:
        if error.errno in (2, 20):
            return False
        raise
