"""What to try on a board, best first, and why something better was left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ..errors import ModuleArchError, ModuleError, ModuleFetchError
from .arch import compatible
from .build import build, has_assembler, module_names
from .lock import Lock, load_lock
from .official import fetch

if TYPE_CHECKING:
    from ..board import BoardInfo

Source = Literal["auto", "official", "workshop", "native", "plain"]
SOURCE_VARIABLE = "WORKSHOP_MODULES"
Kind = Literal["official", "workshop native", "workshop plain"]


@dataclass(frozen=True)
class Candidate:
    """A file that may run on a board. `version`: of the official set; None for ours."""

    kind: Kind
    arch: str | None
    abi: str
    path: Path
    sha256: str
    version: str | None = None

    @property
    def label(self) -> str:
        """What it is, for a sentence."""
        if self.kind == "workshop plain":
            return "the plain twin"
        return f"{'official' if self.version else 'workshop native'} for {self.arch}"


def chosen_source(source: str) -> Source:
    """`source`, checked; for "auto" what WORKSHOP_MODULES says, if it says anything.

    Raises:
        ModuleError: there is no such source.
    """
    if source == "auto":
        source = os.environ.get(SOURCE_VARIABLE) or "auto"
    for known in get_args(Source):
        if source == known:
            return known  # type: ignore[no-any-return]
    raise ModuleError(f"{source!r} is no source.", f"There are: {', '.join(get_args(Source))}.")


def check_name(name: str) -> None:
    """ModuleError unless we or the official set have this module."""
    known = {*module_names(), *load_lock().modules}
    if name not in known:
        raise ModuleError(
            f"There is no native module {name!r}.", f"There are: {', '.join(sorted(known))}."
        )


def candidates(
    info: BoardInfo, name: str, source: Source, mirror: str | None, notes: list[str]
) -> Iterator[Candidate]:
    """What to try for a checked name, best first; each is fetched or built when its turn comes.

    With "auto", an official module that has a known fault is left out where we have our own; that,
    and an official file that can't be had, is one line in `notes`.

    Raises:
        ModuleFetchError: "official", or a module that is not among ours, and it can't be had.
        ModuleArchError: there is no official build for this board, and nothing else to try.
        ModuleError: a build failed.
    """
    ours = name in module_names()
    fault = load_lock().faults.get(name)
    if source == "auto" and ours and fault:
        notes.append(f"not the official module, which has a fault: {fault}")
    elif source in ("auto", "official"):
        try:
            yield from _official(info, name, mirror, patient=source == "official" or not ours)
        except (ModuleFetchError, ModuleArchError) as error:
            if not ours and isinstance(error, ModuleFetchError):
                only = f"There is no build of ours for {name}: it is only in the official set."
                raise ModuleFetchError(
                    error.what,
                    f"Connect to the network or give a mirror. {only}",
                    why=error.data.get("why"),
                ) from error
            if source == "official" or not ours:
                raise
            if name in load_lock().modules:  # else there is nothing to miss
                notes.append(f"not the official module: {error.what}")
    elif not ours:
        raise ModuleError(f"{name} is only in the official set.", "Use source='official'.")
    if source in ("auto", "workshop", "native") and ours:
        for arch in compatible(info.arch):
            if info.platform == "linux" and has_assembler(name, arch):
                continue
            built = build(name, arch)
            if built.abi == info.abi:
                yield Candidate("workshop native", arch, built.abi, built.path, built.sha256)
    if source in ("auto", "workshop", "plain") and ours:
        built = build(name, None)
        yield Candidate("workshop plain", None, built.abi, built.path, built.sha256)


def _official(
    info: BoardInfo, name: str, mirror: str | None, *, patient: bool
) -> Iterator[Candidate]:
    lock = load_lock()
    arches = official_arches(lock, name, info)
    if not arches:
        native = f"{info.arch}, .mpy {info.abi}" if info.arch else "no native code"
        raise ModuleArchError(
            f"the official set ({lock.version}) has no {name} for this board ({native}).",
            "Use source='workshop'." if name in module_names() else "Use another board.",
        )
    for arch in arches:
        locked = lock.modules[name][arch]
        path = fetch(locked, mirror, patient=patient)
        yield Candidate("official", arch, locked.abi, path, locked.sha256, locked.version)


def official_arches(lock: Lock, name: str, info: BoardInfo) -> tuple[str, ...]:
    """Architectures of the official builds of a module that this board loads, best first."""
    if info.abi != lock.abi:
        return ()
    return tuple(arch for arch in compatible(info.arch) if lock.find(name, arch))
