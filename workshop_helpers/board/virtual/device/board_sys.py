# ruff: noqa: F401
"""`sys` of a board: says what it is, and nothing of the host.

A copy: `sys.path.append(...)` works as ever, but `sys.path = [...]` and `sys.ps1 = ...` do not
reach the interpreter.
"""

from sys import (
    argv,
    byteorder,
    exit,
    maxsize,
    modules,
    path,
    platform,
    print_exception,
    ps1,
    ps2,
    stderr,
    stdin,
    stdout,
    version,
    version_info,
)


def set_up(chip):
    import sys
    from collections import namedtuple

    names = ("name", "version", "_machine", "_mpy", "_build")
    values = [getattr(sys.implementation, name) for name in names]
    values[2] = "virtual board with " + chip
    globals()["implementation"] = namedtuple("implementation", names)(*values)
