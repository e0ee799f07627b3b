"""A module on a board: imported, asked where it is from, and made to predict once."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from .. import paths
from ..errors import (
    BoardGoneError,
    BoardTimeoutError,
    DeviceError,
    DeviceMemoryError,
    ModuleError,
    ModuleSmokeError,
)

if TYPE_CHECKING:
    from ..board import Board

SMOKE_TIMEOUT_S = 10.0
_BOARD = paths.DEVICE_SCRIPTS / "board"


def smoke_call(name: str, *, official: bool = False) -> Path | None:
    """The file with a module's first prediction; None if we have none.

    Ours goes to the ends of what is allowed, which not every official module survives: those have
    one of their own.
    """
    folder = paths.NATIVE_MODULES / "smoke"
    for path in (folder / "official" / f"{name}.py", folder / f"{name}.py"):
        if path.is_file() and (official or path.parent == folder):
            return path
    return None


def in_firmware(board: Board, name: str) -> bool:
    """Whether the firmware has a module of this name, which wins over a file in /lib."""
    try:
        return bool(board.call_file(_BOARD / "in_firmware.py", "_w_in_firmware", name))
    except DeviceError:
        return False  # it has one that does not run, or no sys.path: the install will tell


def try_out(board: Board, name: str, *, official: bool = False) -> str | None:
    """Import the module and let it predict; the path it came from, None if from the firmware.

    Raises ModuleError, with `try_next=True` in its data if another build may do better, and
    `silent=True` if the board is stuck in native code, where Ctrl-C does not reach it.
    BoardGoneError: it was unplugged.
    """
    call = smoke_call(name, official=official)
    try:
        if call is not None:
            imported, fault = board.call_file(call, "_w_smoke", timeout_s=SMOKE_TIMEOUT_S)
        else:  # one of the official set only: that it imports is all that is known
            imported, fault = board.call_file(
                _BOARD / "import_anew.py", "_w_import_anew", name, timeout_s=SMOKE_TIMEOUT_S
            )
    except BoardTimeoutError as error:
        raise ModuleSmokeError(
            f"{name} did not finish its first prediction in {SMOKE_TIMEOUT_S:.0f} s",
            "Press the board's RESET button, then use install(..., source='plain').",
            try_next=True,
        ) from error
    except BoardGoneError as error:
        why = error.data.get("why")
        if why == "reset":
            raise ModuleSmokeError(
                f"{name} resets the board when it is imported or predicts for the first time",
                "Use install(..., source='plain'), and report the board and its firmware.",
                try_next=True,
            ) from error
        if why == "silent":
            raise ModuleSmokeError(
                f"{name} hangs, and the board with it, when it is imported or predicts first",
                "Press the board's RESET button, then use install(..., source='plain').",
                silent=True,
            ) from error
        raise
    except DeviceMemoryError as error:
        raise ModuleError(
            f"The board has no memory left to load {name}.",
            "Use board.soft_reset(), which frees everything, then install again.",
            device_traceback=error.device_traceback,
        ) from error
    except DeviceError as error:
        _refuse_shadow(board, name, error)
        trace = error.device_traceback or ""
        # Whatever native code raises ("incompatible .mpy arch", or a module's own refusal of this
        # firmware's array layout), the plain twin may still run.
        raise ModuleError(
            f"the board refuses it ({trace.strip().splitlines()[-1] if trace else error.what})",
            "Flash a current MicroPython, or use install(..., source='plain').",
            device_traceback=error.device_traceback,
            try_next=True,
        ) from error
    if fault:
        raise ModuleSmokeError(
            f"{name} predicts wrongly {fault}",
            "Use install(..., source='plain'), and report the board and its firmware.",
            try_next=True,
        )
    if imported is None:
        return None
    path = _absolute(imported)
    return path if board.exists(path) else None  # frozen modules name a file that is not there


def _refuse_shadow(board: Board, name: str, error: DeviceError) -> None:
    """ModuleError if another file, or a folder of the module's name, is imported in its place."""
    try:
        imported, _ = board.call_file(
            _BOARD / "import_anew.py", "_w_import_anew", name, timeout_s=SMOKE_TIMEOUT_S
        )
    except DeviceError:
        return  # nothing is
    place, ours = _absolute(imported or ""), f"/lib/{name}.mpy"
    if place in ("/", ours) or not board.exists(place):
        return
    if posixpath.basename(place).startswith("__init__."):
        place = posixpath.dirname(place)
    is_folder = posixpath.basename(place) == name
    raise ModuleError(
        f"the board imports {place} instead of {ours}",
        f"Give it another name, or remove it with board.rm({place!r}"
        f"{', recursive=True' if is_folder else ''}); then install again.",
        device_traceback=error.device_traceback,
    ) from error


def _absolute(imported: object) -> str:
    return posixpath.normpath("/" + str(imported).lstrip("/"))
