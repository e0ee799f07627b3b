# ruff: noqa: F401
"""`os` of a board: files on its flash, nothing of the host."""

from os import (
    VfsFat,
    VfsLfs2,
    chdir,
    getcwd,
    ilistdir,
    listdir,
    mkdir,
    mount,
    remove,
    rename,
    rmdir,
    sep,
    stat,
    statvfs,
    umount,
    unlink,
    urandom,
)


def set_up(implementation):
    from collections import namedtuple

    release = ".".join(str(number) for number in implementation.version[:3])
    fields = ("sysname", "nodename", "release", "version", "machine")
    answer = namedtuple("uname", fields)(
        "virtual", "virtual", release, release, implementation._machine
    )
    globals()["uname"] = lambda: answer
