"""The official emlearn-micropython builds that we know: native_modules/upstream.json, as data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import ModuleError


@dataclass(frozen=True)
class LockedModule:
    """One official file: what it must be. `path` is relative to the site or to a mirror of it;
    `url`: where the site has it, if that is elsewhere."""

    name: str
    arch: str
    abi: str
    version: str
    path: str
    size_bytes: int
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class Lock:
    """One release of the official set. `modules[name][arch]` is the file for an architecture.

    `faults[name]` says what we found wrong with an official module that valid input brings out.
    """

    version: str
    abi: str
    base: str
    licence: str
    project: str
    modules: dict[str, dict[str, LockedModule]] = field(repr=False)
    faults: dict[str, str] = field(default_factory=dict, repr=False)

    def find(self, name: str, arch: str) -> LockedModule | None:
        """The official build of a module for exactly this architecture, if there is one."""
        return self.modules.get(name, {}).get(arch)

    def all(self) -> list[LockedModule]:
        """Every locked file, by name and architecture."""
        return [locked for builds in self.modules.values() for locked in builds.values()]


def lock_file() -> Path:
    return paths.NATIVE_MODULES / "upstream.json"


def load_lock(path: Path | None = None) -> Lock:
    """Read the lock.

    Raises:
        ModuleError: it is missing or damaged.
    """
    path = path or lock_file()
    try:
        data = json.loads(path.read_bytes())
        version, abi = _plain(data["version"]), _plain(data["abi"])
        modules = {
            _plain(name): {
                _plain(arch): locked_module(name, arch, abi, version, data["path"], entry)
                for arch, entry in builds.items()
            }
            for name, builds in data["modules"].items()
        }
        faults = {str(name): str(text) for name, text in data["faults"].items()}
        return Lock(version, abi, data["base"], data["licence"], data["project"], modules, faults)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModuleError(
            f"The list of official modules can't be read: {path.name}: {error!r}.",
            "Get the workshop's files again: `git checkout -- native_modules`.",
        ) from None


def locked_module(
    name: str, arch: str, abi: str, version: str, template: str, entry: dict[str, Any]
) -> LockedModule:
    """One file of a list; ValueError if the list can't mean it."""
    size_bytes, sha256 = int(entry["size_bytes"]), str(entry["sha256"])
    if not re.fullmatch(r"[0-9a-f]{64}", sha256) or not 0 < size_bytes < 1 << 20:
        raise ValueError(f"{name} for {arch}")
    path = template.format(version=version, arch=arch, abi=abi, module=name)
    return LockedModule(name, arch, abi, version, path, size_bytes, sha256)


def _plain(text: Any) -> str:
    """A name that is only a name: it becomes part of a path."""
    if not isinstance(text, str) or not re.fullmatch(r"\w[\w.-]*", text):
        raise ValueError(f"not a name: {text!r}")
    return text
