"""Open a file for a copy. Gives whether the steps of the copy can use base64.

What the steps need stays among the board's globals until the copy ends; so the next copy can close
the file of one that was cut short.
"""


def _w_transfer(path, mode):
    global _w_file, _w_write, _w_a2b, _w_b2a
    try:
        _w_file.close()
    except Exception:
        pass

    def _w_write(data):
        if _w_file.write(data) != len(data):
            raise OSError(28)

    _w_file = open(path, mode)
    try:
        from binascii import a2b_base64 as _w_a2b
        from binascii import b2a_base64 as _w_b2a

        return True
    except ImportError:
        return False
