"""The module that fits a board, put there and tried out."""

from __future__ import annotations

import html
import posixpath
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from .. import paths
from ..errors import (
    BoardGoneError,
    BoardTimeoutError,
    DeviceError,
    DeviceMemoryError,
    FileError,
    ModuleArchError,
    ModuleError,
    ModuleSmokeError,
    WorkshopError,
)
from .arch import compatible
from .build import BuiltModule, build, module_names

if TYPE_CHECKING:
    from ..board import Board, BoardInfo

Source = Literal["auto", "workshop", "plain"]
_SMOKE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class InstalledModule:
    """A module that a board imports and predicts with.

    source: "workshop viper", "workshop plain", or "built in" (the firmware has its own, which wins
    over files; then `path` is None and size_bytes is 0). arch and abi are those of the file.
    notes: what had to be done otherwise than asked, in words; () for nothing.
    """

    name: str
    source: str
    arch: str | None
    abi: str | None
    path: str | None
    size_bytes: int
    sha256: str | None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        if self.path is None:
            return f"<{self.name}: built into the firmware>"
        notes = f"; {'; '.join(self.notes)}" if self.notes else ""
        where = f" for {self.arch}" if self.arch else ""
        return f"<{self.name}: {self.source}{where}, {self.size_bytes} bytes in {self.path}{notes}>"

    def _repr_html_(self) -> str:
        return html.escape(repr(self)[1:-1])


def install(board: Board, name: str, source: Source = "auto") -> InstalledModule:
    """Put the module `name` on the board as /lib/<name>.mpy, import it and let it predict.

    "auto" takes native code for the board's architecture, else for a compatible one, else the plain
    twin, and says in `notes` why. "workshop" takes native code or nothing, "plain" the plain twin.
    Files of the same name that would be imported instead are removed, and named in `notes`.

    Raises:
        ModuleArchError: `source="workshop"`, and the board loads no native code of ours.
        ModuleSmokeError: it imports, but hangs or predicts wrongly.
        ModuleError: no such module or source, no room on the board, or it can't be imported.
        BoardGoneError: the board was unplugged.
    """
    if source not in get_args(Source):
        raise ModuleError(f"{source!r} is no source.", f"There are: {', '.join(get_args(Source))}.")
    if name not in module_names():
        raise ModuleError(
            f"There is no native module {name!r}.", f"There are: {', '.join(module_names())}."
        )
    try:
        return _install(board, name, source)
    except (ModuleError, BoardGoneError):
        raise
    except FileError as error:
        refusal = ModuleError(f"{name} can't be put on the board: {error.what}", error.mend)
        refusal.data.update(error.data)
        raise refusal from error
    except WorkshopError as error:
        raise ModuleError(
            f"{name} can't be installed: {error.what}",
            error.mend,
            device_traceback=error.device_traceback,
        ) from error


def _install(board: Board, name: str, source: Source) -> InstalledModule:
    path = f"/lib/{name}.mpy"
    notes = [f"removed {stale}" for stale in _remove_stale(board, name)]
    refusal: ModuleError | None = None
    for built in _candidates(board.info, name, source):
        put = board.put(built.path, path)
        try:
            imported = _try(board, name)
        except ModuleError as error:
            refusal = error
            if not error.data.get("try_next"):
                break
            notes.append(f"{built.arch or 'the plain twin'}: {error.what}")
            continue
        if imported is None:
            board.rm(path)
            return InstalledModule(name, "built in", None, None, None, 0, None, tuple(notes))
        if posixpath.normpath("/" + imported.lstrip("/")) != path:
            raise ModuleError(
                f"The board imports {imported} instead of {path}.",
                f"Remove it with board.rm({imported!r}), then install again.",
            )
        if built.arch is None and source != "plain":
            notes.append("plain Python instead of native code: slower, same answers")
        kind = "workshop viper" if built.arch else "workshop plain"
        return InstalledModule(
            name, kind, built.arch, built.abi, path, put.size_bytes, built.sha256, tuple(notes)
        )
    with suppress(FileError):
        board.rm(path)
    if refusal is not None:
        raise refusal
    raise ModuleArchError(
        f"The board loads no native code that we build ({_native(board)}).",
        "Use install(..., source='plain'): the same answers, slower.",
    )


def _candidates(info: BoardInfo, name: str, source: Source) -> Iterator[BuiltModule]:
    """What to try on this board, best first."""
    if source != "plain":
        for arch in compatible(info.arch):
            built = build(name, arch)
            if built.abi == info.abi:
                yield built
    if source != "workshop":
        yield build(name, None)


def _native(board: Board) -> str:
    info = board.info
    return f"{info.arch or 'no native code'}, .mpy {info.abi or 'unknown'}"


def _remove_stale(board: Board, name: str) -> list[str]:
    """Remove what the board would import before /lib/<name>.mpy."""
    stale = [f"/{name}.py", f"/{name}.mpy", f"/lib/{name}.py"]
    found = [path for path in stale if board.exists(path)]
    for path in found:
        board.rm(path)
    return found


def _try(board: Board, name: str) -> str | None:
    """Import the module and let it predict; its `__file__`, None if it has none.

    Raises ModuleError, with `try_next=True` in its data if another build may do better.
    """
    code = (paths.NATIVE_MODULES / "smoke" / f"{name}.py").read_text(encoding="utf-8")
    try:
        board.exec(code)
        answer: Any = board.eval("_w_smoke()", timeout_s=_SMOKE_TIMEOUT_S)
        board.exec("del _w_smoke")
        imported, fault = answer
    except BoardTimeoutError as error:
        raise ModuleSmokeError(
            f"{name} did not finish its first prediction in {_SMOKE_TIMEOUT_S:.0f} s",
            "Press the board's RESET button, then use install(..., source='plain').",
            try_next=True,
        ) from error
    except DeviceMemoryError as error:
        raise ModuleError(
            f"The board has no memory left to load {name}.",
            "Use board.soft_reset(), which frees everything, then install again.",
            device_traceback=error.device_traceback,
        ) from error
    except DeviceError as error:
        trace = error.device_traceback or ""
        # "incompatible .mpy file", "incompatible .mpy arch", "native code in .mpy unsupported"
        native = ".mpy" in trace
        raise ModuleError(
            f"the board refuses it ({trace.strip().splitlines()[-1] if trace else error.what})",
            "Flash a current MicroPython, or use install(..., source='plain').",
            device_traceback=error.device_traceback,
            try_next=native,
        ) from error
    if fault:
        raise ModuleSmokeError(
            f"{name} predicts wrongly {fault}",
            "Use install(..., source='plain'), and report the board and its firmware.",
            try_next=True,
        )
    return None if imported is None else str(imported)
