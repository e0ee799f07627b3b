"""Why a port can't be opened, in words and with the mend."""

from __future__ import annotations

import errno
import os
import socket
import stat
from urllib.parse import urlsplit

from ..errors import BoardError, NoBoardError, PortBusyError
from .holder import holder
from .permission import ask_permission

_ADDRESS = "Write it as socket://host:port, and check both."
_START_ONE = (
    "Start it there (`workshop board --socket` starts a virtual one), or check the address."
)
_NAME_A_PORT = (
    "Name the board's port (COM5, /dev/ttyACM0), or use the virtual board: connect('virtual'), "
    "--port virtual."
)


def first_line(error: BaseException) -> str:
    """What an exception says, in one short line."""
    if isinstance(error, EOFError):
        return "end of data"
    return (str(error) or type(error).__name__).splitlines()[0][:120]


def open_failure(name: str, error: BaseException) -> BoardError:
    """The WorkshopError for what pyserial raised when it opened `name`."""
    number = getattr(error, "errno", None)
    text = str(error)
    scheme = name.lower().partition("://")[0]
    if scheme in ("socket", "rfc2217") and not _has_port_number(name):
        return NoBoardError(
            f"{name}: {scheme}://host:port needs a port number.", _ADDRESS, port=name
        )
    if isinstance(error, ValueError):
        return NoBoardError(f"{name!r} is not a port: {first_line(error)}.", port=name)
    windows_denied = "PermissionError(13" in text  # Windows gives this when another program has it
    if number in (errno.EBUSY, errno.EAGAIN) or windows_denied or "exclusively lock" in text:
        return _busy(name)
    if number in (errno.EACCES, errno.EPERM):
        return ask_permission(name)
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or "FileNotFoundError" in text:
        return NoBoardError(f"There is no port {name}.", port=name)
    if "://" in name:
        return _no_answer(name, error)
    if number == errno.EISDIR or "(25," in text or not _is_device(name):
        return NoBoardError(f"{name} is not a serial port.", _NAME_A_PORT, port=name)
    return NoBoardError(f"{name} can't be opened ({first_line(error)}).", port=name)


def _is_device(name: str) -> bool:
    """False if there is something of this name and it is no device."""
    try:
        return stat.S_ISCHR(os.stat(name).st_mode)
    except (OSError, ValueError):
        return True


def _no_answer(name: str, error: BaseException) -> NoBoardError:
    # pyserial keeps the reason as the context of its own error; its text begins with the port.
    reason = error.__context__ if isinstance(error.__context__, OSError) else error
    if isinstance(reason, ConnectionRefusedError):
        return NoBoardError(
            f"Nothing listens at {name}: is the board started there?", _START_ONE, port=name
        )
    if isinstance(reason, socket.gaierror):
        return NoBoardError(f"{name}: no computer of this name is known.", _ADDRESS, port=name)
    return NoBoardError(f"Nothing answers at {name} ({first_line(reason)}).", _ADDRESS, port=name)


def _has_port_number(name: str) -> bool:
    try:
        return urlsplit(name).port is not None
    except ValueError:  # not a number, or above 65535
        return False


def _busy(name: str) -> PortBusyError:
    held = holder(name)
    pid, program = held or (None, "")
    if pid == os.getpid():
        return PortBusyError(
            f"This Python process uses {name} already.",
            "Use the Board you have, or call its close() first.",
            port=name,
            pid=pid,
        )
    who = f"{program} (process {pid})" if held else "Another program"
    return PortBusyError(f"{who} uses {name}.", port=name, pid=pid)
