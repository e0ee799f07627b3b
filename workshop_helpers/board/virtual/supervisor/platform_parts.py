"""The parts that differ between Windows and the rest, by one name each."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from .child_windows import Child, Input
    from .flash_windows import Flash
    from .socket_link import SocketLink as PtyLink  # there are no PTYs
else:
    from .child_posix import Child, Input
    from .flash import Flash
    from .pty_link import PtyLink

__all__ = ["Child", "Flash", "Input", "PtyLink"]
