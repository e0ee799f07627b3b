# ruff: noqa: F401
"""`vfs` of a board: file systems on block devices, none of the host."""

from vfs import VfsFat, VfsLfs2, VfsRom, mount, umount
