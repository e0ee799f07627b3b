"""What a bundle holds, each file with its size and SHA-256, and whether it still does."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .. import paths
from ..errors import BundleError
from ..files import sha256_of, write_whole
from ..modules.drivers import drivers
from ..modules.lock import load_lock
from .requirements import (
    LOCKS,
    PLATFORMS,
    PYTHONS,
    flash_hashes,
    locked_hashes,
    needed,
    project_lock_sha256,
)

FORMAT = 1
MANIFEST = "manifest.json"
_MAKE_AGAIN = "Make it again: `workshop bundle make DIR`."
Progress = Callable[[str, int, int], None]  # what is done, done, total


@dataclass(frozen=True)
class Manifest:
    """`files` maps a path in the bundle to (size in bytes, SHA-256).

    official: release of the official modules in it, or None. boards: architectures they are for.
    wheels: (platform, Python) pairs. lock_sha256: of the requirements.lock that it was made from.
    """

    workshop: str
    lock_sha256: str
    official: str | None
    boards: tuple[str, ...]
    wheels: tuple[tuple[str, str], ...]
    tests: bool
    files: dict[str, tuple[int, str]] = field(repr=False)

    @property
    def size_bytes(self) -> int:
        return sum(size for size, _ in self.files.values())

    def write(self, folder: Path) -> None:
        """Write manifest.json, whole or not at all."""
        data = {
            "format": FORMAT,
            **asdict(self),
            "wheels": [{"platform": name, "python": python} for name, python in self.wheels],
            "files": {
                path: {"size_bytes": size, "sha256": sha256}
                for path, (size, sha256) in sorted(self.files.items())
            },
        }
        write_whole(folder / MANIFEST, (json.dumps(data, indent=1) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a bundle's manifest.

        Raises:
            BundleError: there is none, or it is damaged or of another format.
        """
        path = folder / MANIFEST
        try:
            data = json.loads(path.read_bytes())
            if data["format"] != FORMAT:
                raise BundleError(
                    f"{path} has format {data['format']}, this workshop reads {FORMAT}.",
                    "Use the workshop's files of the same age as the bundle.",
                )
            return cls(
                workshop=str(data["workshop"]),
                lock_sha256=str(data["lock_sha256"]),
                official=data["official"],
                boards=tuple(data["boards"]),
                wheels=tuple((entry["platform"], entry["python"]) for entry in data["wheels"]),
                tests=bool(data["tests"]),
                files={
                    _safe(name): (int(entry["size_bytes"]), str(entry["sha256"]))
                    for name, entry in data["files"].items()
                },
            )
        except FileNotFoundError:
            if not folder.is_dir():
                raise BundleError(f"There is no folder {folder}.", "Look at its path.") from None
            raise BundleError(
                f"{folder} is not a whole bundle: it has no {MANIFEST}.", _MAKE_AGAIN
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{path} can't be read: {error!r}.", _MAKE_AGAIN) from None


@dataclass(frozen=True)
class BundleReport:
    """What verify found. `faults` maps a path to what is wrong with it; `extra` is not listed."""

    folder: str
    files: int
    size_bytes: int
    faults: dict[str, str]
    extra: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"ok": self.ok, **asdict(self), "extra": list(self.extra)}

    def require(self) -> None:
        """BundleError, with the first faults, unless everything is as it should be."""
        if self.faults:
            first = [f"{path}: {fault}" for path, fault in list(self.faults.items())[:3]]
            more = len(self.faults) - len(first)
            raise BundleError(
                f"The bundle {self.folder} is not whole: {'; '.join(first)}"
                + (f"; and {more} more." if more else "."),
                _MAKE_AGAIN,
                faults=self.faults,
            )


def verify_bundle(folder: Path | str, progress: Progress | None = None) -> BundleReport:
    """Compare every file of a bundle with its manifest, and wheels and modules with our locks.

    Raises:
        BundleError: there is no manifest that can be read.
    """
    folder = Path(folder)
    manifest = Manifest.read(folder)
    faults: dict[str, str] = {}
    done = 0

    def step(size_bytes: int) -> None:
        nonlocal done
        done += size_bytes
        if progress:
            progress("checking", done, manifest.size_bytes)

    for name, (size_bytes, sha256) in manifest.files.items():
        path = folder / name
        try:
            if path.is_symlink() or not path.is_file():
                faults[name] = "missing"
            elif path.stat().st_size != size_bytes:
                faults[name] = f"{path.stat().st_size} bytes instead of {size_bytes}"
            elif sha256_of(path, step) != sha256:
                faults[name] = "its SHA-256 is not that of the manifest"
        except OSError as error:
            faults[name] = f"can't be read: {error.strerror}"
    known = _against_our_locks(manifest)
    for name, fault in (known if "wheels" in known else {**known, **_left_out(manifest)}).items():
        faults.setdefault(name, fault)
    extra = sorted(listed_in(folder) - manifest.files.keys())
    return BundleReport(str(folder), len(manifest.files), manifest.size_bytes, faults, tuple(extra))


def _against_our_locks(manifest: Manifest) -> dict[str, str]:
    """The manifest lies beside the files and proves little: what we know better, we check."""
    faults: dict[str, str] = {}
    known = {locked.path: locked.sha256 for locked in load_lock().all()}
    pinned = {locked.path: locked.sha256 for locked in drivers().values()}
    for name, (_, sha256) in manifest.files.items():
        if name.endswith(".mpy") and known.get(name) != sha256:
            faults[name] = "not the module that native_modules/upstream.json names"
        if name.startswith("drivers/") and name.endswith(".py") and pinned.get(name) != sha256:
            faults[name] = "not the driver that device_scripts/sensors/drivers.json names"
    flash = flash_hashes() if any(name.startswith("flash/") for name in manifest.files) else set()
    for name, (_, sha256) in manifest.files.items():
        if name.startswith("flash/") and sha256 not in flash:
            faults[name] = "not a file that requirements-flash.lock names"
    if manifest.wheels:
        if manifest.lock_sha256 != project_lock_sha256():
            return {**faults, "wheels": "made from another requirements.lock than this one"}
        hashes = locked_hashes()
        for name, (_, sha256) in manifest.files.items():
            if name.startswith("wheels/") and sha256 not in hashes:
                faults[name] = "not a file that requirements.lock names"
    return faults


def _left_out(manifest: Manifest) -> dict[str, str]:
    """What the boards and laptops that the manifest names need, and it does not list.

    Only for a manifest that was made from our requirements.lock.
    """
    modules = [locked.path for locked in load_lock().all() if locked.arch in manifest.boards]
    wanted = ["workshop.zip", *modules]
    faults = {name: "not in the manifest" for name in wanted if name not in manifest.files}
    there = {sha for name, (_, sha) in manifest.files.items() if name.startswith("wheels/")}
    for name, python in manifest.wheels:
        if name not in PLATFORMS or python not in PYTHONS:  # a newer workshop's
            continue
        for lock in LOCKS if manifest.tests else LOCKS[:1]:
            for _, lines in needed(PLATFORMS[name], python, lock):
                for line in lines:
                    package, *hashes = line.split(" --hash=sha256:")
                    if there.isdisjoint(hashes):
                        faults["wheels"] = f"no {package} for {name}, Python {python}"
    return faults


def listed_in(folder: Path) -> set[str]:
    """Paths of the files in a bundle's folder, but for the manifest."""
    found = set()
    for where, _, names in os.walk(folder):
        for name in names:
            found.add((Path(where) / name).relative_to(folder).as_posix())
    return found - {MANIFEST}


def describe(folder: Path, names: set[str], progress: Progress) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of files in a folder: the `files` of a manifest."""
    sizes = {name: (folder / name).stat().st_size for name in names}
    total, done = sum(sizes.values()), 0
    found = {}
    for name, size_bytes in sorted(sizes.items()):
        found[name] = (size_bytes, sha256_of(folder / name))
        done += size_bytes
        progress("listing what is there", done, total)
    return found


def project_version() -> str:
    """As pyproject.toml has it."""
    text = (paths.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def _safe(name: str) -> str:
    """A path that stays in the bundle."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise ValueError(f"not a path in a bundle: {name!r}")
    return name
