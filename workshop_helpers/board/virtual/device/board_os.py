"""`os` of a board: files on its flash, nothing of the host."""

import os as _real

_NAMES = (
    "VfsFat VfsLfs2 chdir getcwd ilistdir listdir mkdir mount remove rename rmdir sep stat statvfs "
    "umount unlink urandom"
)
for _name in _NAMES.split():
    if hasattr(_real, _name):
        globals()[_name] = getattr(_real, _name)
del _real, _name, _NAMES


def set_up(implementation):
    from collections import namedtuple

    version = implementation.version
    release = ".".join(map(str, version[:3])) + "".join(
        "-" + label for label in version[3:] if label
    )
    fields = ("sysname", "nodename", "release", "version", "machine")
    answer = namedtuple("uname", fields)(
        "virtual", "virtual", release, release, implementation._machine
    )
    globals()["uname"] = lambda: answer
