"""A port that this user may not open: the one command for it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from ..errors import PortPermissionError


def permission_error(
    port: str, group: str | None, *, member: bool = False, linux: bool = True
) -> PortPermissionError:
    """The error and the mend for a port of which `group` is the owning group.

    Args:
        group: None where it is not known.
        member: the user is in that group already, but was not yet when this session began.
        linux: elsewhere ports have no such groups.
    """
    mend = "Give your user access to the port, or close the program that holds it."
    if linux and member:
        mend = f"You are in the group {group} since you logged in: log out and in again."
    elif linux and group in (None, "root"):
        mend = f"sudo chmod a+rw {port}   (until the board is plugged in again)"
    elif linux:
        mend = f"sudo usermod -aG {group} $USER   then log out and in again"
    what = f"You may not open {port}" + (f"; its group is {group!r}." if group else ".")
    return PortPermissionError(what, mend, port=port, group=group)


def ask_permission(port: str) -> PortPermissionError:
    """As `permission_error`, for a port of this computer."""
    group: str | None = None
    with contextlib.suppress(OSError, KeyError, NotImplementedError):
        group = Path(port).group()
    linux = sys.platform.startswith("linux")
    return permission_error(port, group, member=linux and _is_member(group), linux=linux)


def _is_member(group: str | None) -> bool:
    """Whether the list of users has this one in the group, while this process is not in it."""
    if sys.platform == "win32" or group is None:
        return False
    import grp
    import pwd

    with contextlib.suppress(KeyError):
        entry = grp.getgrnam(group)
        if entry.gr_gid not in (os.getegid(), *os.getgroups()):
            return pwd.getpwuid(os.getuid()).pw_name in entry.gr_mem
    return False
