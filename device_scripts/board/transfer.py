"""A file that is open for a copy, and what the steps of the copy need.

The names stay among the board's globals until the copy ends; so the next copy can close the file
of one that was cut short. Answers by printing 1 if base64 can be used, else 0.
"""

try:
    _w_file.close()  # noqa: F821
except Exception:
    pass

try:
    from binascii import a2b_base64 as _w_a2b  # noqa: F401
    from binascii import b2a_base64 as _w_b2a  # noqa: F401

    print(1)
except ImportError:
    print(0)


def _w_write(data):
    if _w_file.write(data) != len(data):
        raise OSError(28)


def _w_open(path, mode):
    global _w_file
    _w_file = open(path, mode)
