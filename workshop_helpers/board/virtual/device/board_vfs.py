"""`vfs` of a board: file systems on block devices, none of the host."""

import vfs as _real

for _name in ("VfsFat", "VfsLfs2", "VfsRom", "mount", "umount"):
    if hasattr(_real, _name):
        globals()[_name] = getattr(_real, _name)
del _real, _name
