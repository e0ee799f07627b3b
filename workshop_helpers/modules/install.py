"""The module that fits a board, put there and tried out."""

from __future__ import annotations

import html
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import (
    BoardGoneError,
    FileError,
    ModuleArchError,
    ModuleError,
    WorkshopError,
)
from .candidates import Candidate, Source, candidates, check_name, chosen_source
from .lock import load_lock
from .try_out import in_firmware, smoke_call, try_out

if TYPE_CHECKING:
    from ..board import Board


@dataclass(frozen=True)
class InstalledModule:
    """A module that a board imports and predicts with.

    source: "official", "workshop native" (ours, in viper or assembler), "workshop plain", or "built
    in" (the firmware has its own, which wins over files; then `path` is None and size_bytes is 0).
    arch and abi are those of the file, version is the official set's.
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
    version: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "notes": list(self.notes)}

    def __repr__(self) -> str:
        notes = f"; {'; '.join(self.notes)}" if self.notes else ""
        if self.path is None:
            return f"<{self.name}: built into the firmware{notes}>"
        what = f"{self.source} {self.version}" if self.version else self.source
        where = f" for {self.arch}" if self.arch else ""
        return f"<{self.name}: {what}{where}, {self.size_bytes} bytes in {self.path}{notes}>"

    def _repr_html_(self) -> str:
        return html.escape(repr(self)[1:-1])


def install(
    board: Board, name: str, source: Source = "auto", *, mirror: str | None = None
) -> InstalledModule:
    """Put the module `name` on the board as /lib/<name>.mpy, import it and let it predict.

    What is installed is in the result's `source`, and why it is not something better in `notes`.
    Files of the same name that would be imported instead are removed, and named in `notes`.

    Args:
        board: at its prompt.
        name: of a module of ours or of the official set.
        source: "official": emlearn-micropython's own build by the lock, or an error. "workshop":
            ours, as native code if the board can, else the plain twin. "native" or "plain": just
            that one of ours. "auto": the official one if the lock knows no fault of it, and it
            is in the cache or comes within seconds (a host that did not answer is not asked again
            in this process), else as "workshop"; WORKSHOP_MODULES says what "auto" means, if
            it is set.
        mirror: whom to ask for official files; None: WORKSHOP_MIRROR, else the official site.

    Raises:
        ModuleFetchError: the official file can't be had, or is not the locked one.
        ModuleArchError: the board loads no native code that there is ("official", "native").
        ModuleSmokeError: it imports, but hangs or predicts wrongly.
        ModuleError: no such module or source, no room on the board, or it can't be imported.
        BoardGoneError: the board was unplugged.
    """
    source = chosen_source(source)
    check_name(name)
    try:
        return _install(board, name, source, mirror)
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


def source_for(model: object) -> Source:
    """Which sources can run a converted model: "auto" if the official module can, else ours.

    Soft votes, regression and every module's `load()` are ours alone.
    """
    metadata = getattr(model, "metadata", {})
    return "auto" if metadata.get("official_compatible") is True else "workshop"


def install_for(board: Board, model: Any) -> InstalledModule:
    """Install the module that a converted model runs on, from a source that can run it.

    Raises:
        ModuleError: as `install`; or the firmware has one built in that can't run the model.
    """
    source = source_for(model)
    module = install(board, model.module, source)
    if module.source != "built in" or source == "auto":
        return module
    # Only ours have load(), and a firmware may well have ours.
    if not board.eval(f"hasattr(__import__({module.name!r}), 'load')"):
        raise ModuleError(
            f"The firmware has its own {module.name}, which wins over files and can't run this "
            "model: soft votes, regression and the newer kinds are the workshop's alone.",
            "Flash a MicroPython without it (`workshop flash --list`); or, for a forest of "
            "classes, convert(..., voting='hard').",
        )
    return module


def _install(board: Board, name: str, source: Source, mirror: str | None) -> InstalledModule:
    notes: list[str] = []
    if in_firmware(board, name):
        try_out(board, name, official=True)  # a firmware's own is most likely the official one
        return _built_in(name, source, notes)
    path = f"/lib/{name}.mpy"
    refusal: ModuleError | None = None
    stale: list[str] | None = None
    for file in candidates(board.info, name, source, mirror, notes):
        if stale is None:  # nothing is removed before there is something to put
            stale = _remove_stale(board, name)
            notes += [f"removed {old}" for old in stale]
        put = board.put(file.path, path)
        try:
            imported = try_out(board, name, official=file.kind == "official")
        except ModuleError as error:
            refusal = error
            if error.data.get("silent"):
                raise  # the file stays until the next install: nothing can be removed now
            if not error.data.get("try_next") and not (source == "auto" and file.version):
                break
            notes.append(f"{file.label}: {error.what}")
            continue
        if imported is None:
            board.rm(path)
            return _built_in(name, source, notes)
        if imported != path:
            raise ModuleError(
                f"The board imports {imported} instead of {path}.",
                f"Remove it with board.rm({imported!r}), then install again.",
            )
        return _installed(name, file, path, put.size_bytes, source, notes)
    if refusal is None:
        raise ModuleArchError(
            f"The board loads no native code that we build ({_native(board)}).",
            "Use install(..., source='plain'): the same answers, slower.",
        )
    with suppress(FileError):
        board.rm(path)
    raise refusal


def _built_in(name: str, source: Source, notes: list[str]) -> InstalledModule:
    if source not in ("auto", "official"):
        notes.append("the firmware's own wins over files, so it may not be the workshop's")
    known = load_lock().faults.get(name)
    if known:
        notes.append(f"known of the official one, which it may be: {known}")
    return InstalledModule(name, "built in", None, None, None, 0, None, tuple(notes))


def _installed(
    name: str, file: Candidate, path: str, size_bytes: int, source: Source, notes: list[str]
) -> InstalledModule:
    if file.kind == "workshop plain" and source != "plain":
        notes.append("plain Python instead of native code: slower, same answers")
    if smoke_call(name) is None:
        notes.append("imported, but there is no trial prediction for it")
    known = load_lock().faults.get(name)
    if file.kind == "official" and known:
        notes.append(f"known of it: {known}")
    return InstalledModule(
        name,
        file.kind,
        file.arch,
        file.abi,
        path,
        size_bytes,
        file.sha256,
        tuple(notes),
        file.version,
    )


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
