"""What modules there are, what a board has of them, and whether that is what it should be."""

from __future__ import annotations

import ast
import errno
import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .. import paths
from ..errors import FileError, ModuleError
from .arch import compatible
from .build import build, module_names
from .lock import Lock, load_lock
from .official import cached
from .try_out import try_out

if TYPE_CHECKING:
    from ..board import Board


@dataclass(frozen=True)
class KnownModule:
    """A module that can be installed. `official`: architecture -> bytes; `cached`: those here."""

    name: str
    summary: str
    ours: bool
    official: dict[str, int]
    cached: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "cached": list(self.cached)}


@dataclass(frozen=True)
class BoardModule:
    """A module on a board. `source` as of InstalledModule, or "unknown"; `fault` None if it works.

    A file that is neither a locked one nor a build of this source is unknown: older, or damaged.
    Such a one is not tried, as damaged native code may take the board down: its `fault` is None.
    """

    name: str
    path: str
    source: str
    arch: str | None
    size_bytes: int
    sha256: str
    fault: str | None

    @property
    def ok(self) -> bool:
        return self.fault is None and self.source != "unknown"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "ok": self.ok}


def known_modules() -> list[KnownModule]:
    """Ours and the official ones, by name. Raises ModuleError if the lock is damaged."""
    lock, ours = load_lock(), module_names()
    return [
        KnownModule(
            name=name,
            summary=_summary(name) if name in ours else "only in the official set",
            ours=name in ours,
            official={a: locked.size_bytes for a, locked in lock.modules.get(name, {}).items()},
            cached=tuple(a for a, locked in lock.modules.get(name, {}).items() if cached(locked)),
        )
        for name in sorted({*ours, *lock.modules})
    ]


def board_modules(board: Board) -> list[BoardModule]:
    """Every known module in the board's /lib: which build it is, and whether it still predicts.

    Raises:
        BoardError: the board does not answer.
        ModuleSmokeError: a module hangs in native code, and the board with it.
    """
    lock = load_lock()
    names = {*module_names(), *lock.modules}
    try:
        files = board.ls("/lib")
    except FileError as error:
        if error.data.get("errno") != errno.ENOENT:
            raise
        return []
    found = []
    for file in files:
        name = file.path.removeprefix("/lib/").removesuffix(".mpy")
        if file.path.endswith(".mpy") and name in names:
            data = board.get(file.path)
            sha256 = hashlib.sha256(data).hexdigest()
            source, arch = _identify(lock, board, name, sha256)
            fault = None
            if source != "unknown":
                fault = _fault(board, name, file.path, official=source.startswith("official"))
            found.append(BoardModule(name, file.path, source, arch, len(data), sha256, fault))
    return found


def _identify(lock: Lock, board: Board, name: str, sha256: str) -> tuple[str, str | None]:
    for locked in lock.modules.get(name, {}).values():
        if locked.sha256 == sha256:
            return f"official {locked.version}", locked.arch
    if name in module_names():
        for arch in (*compatible(board.info.arch), None):
            if build(name, arch).sha256 == sha256:
                return "workshop native" if arch else "workshop plain", arch
    return "unknown", None


def _fault(board: Board, name: str, path: str, *, official: bool) -> str | None:
    try:
        imported = try_out(board, name, official=official)
    except ModuleError as error:
        if error.data.get("silent"):
            raise
        return error.what
    if imported != path:
        return f"the board imports {imported or 'what is in its firmware'} instead"
    return None


def _summary(name: str) -> str:
    """The first line of a module's docstring."""
    text = (paths.NATIVE_MODULES / f"{name}.py").read_text(encoding="utf-8")
    lines = (ast.get_docstring(ast.parse(text)) or "").splitlines()
    return lines[0] if lines else ""
