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
