"""An official module: from the cache, else from the official site or a mirror, by its SHA-256.

A mirror holds the same files under the same paths: a bundle does, as a folder or served. It is
asked instead of the official site, and given by WORKSHOP_MIRROR or an argument: an address, a
folder, or "none" for nobody. Wherever a file comes from, it is what the lock says or it is refused.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from .. import paths
from ..errors import ModuleFetchError
from ..files import write_whole
from .download import download
from .lock import LockedModule, load_lock

MIRROR_VARIABLE = "WORKSHOP_MIRROR"
NOBODY = "none"
TIMEOUT_S = 20.0
QUICK_TIMEOUT_S = 3.0  # for who has something else at hand
# Hosts that did not answer in this process, and what they did: not to wait for them again.
_silent: dict[str, str] = {}


def mirror_or_site(mirror: str | None = None) -> str:
    """Whom to ask: `mirror`, else WORKSHOP_MIRROR, else the official site."""
    chosen = mirror or os.environ.get(MIRROR_VARIABLE)
    return chosen.rstrip("/") if chosen else load_lock().base


def cached(locked: LockedModule) -> Path | None:
    """The file in the cache, if it is whole."""
    path = _cache_path(locked)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return path if _fault(locked, data) is None else None


def fetch(locked: LockedModule, mirror: str | None = None, *, patient: bool = True) -> Path:
    """The official file, in the cache afterwards.

    Args:
        locked: which, from the lock.
        mirror: whom to ask; None: WORKSHOP_MIRROR, else the official site.
        patient: False waits 3 s at most, and not at all for a host that did not answer before.

    Raises:
        ModuleFetchError: it can't be had, or is not the locked file; nothing is left behind.
    """
    found = cached(locked)
    if found is not None:
        return found
    place = mirror_or_site(mirror)
    data = _read(place, locked, patient)
    fault = _fault(locked, data)
    if fault:
        raise ModuleFetchError(
            f"{_where(place, locked)} is not the locked {locked.name} {locked.version}: {fault}; "
            "it was refused.",
            "The network or mirror alters files: try another one, or use source='workshop'.",
            why="damaged",
        )
    path = _cache_path(locked)
    try:
        write_whole(path, data)
    except OSError as error:
        raise ModuleFetchError(
            f"The cache can't keep {locked.name}: {error}.",
            "Free some disk space, or let WORKSHOP_CACHE name another folder.",
            why="cache",
        ) from None
    return path


def _read(place: str, locked: LockedModule, patient: bool) -> bytes:
    if place == NOBODY:
        raise ModuleFetchError(
            f"{locked.name} {locked.version} for {locked.arch} is not in the cache, and nobody is "
            f"to be asked (the mirror is {NOBODY!r}).",
            why="offline",
        )
    folder = _folder(place)
    if folder is not None:
        return _read_file(folder, locked)
    if patient:
        _silent.pop(place, None)
    if place in _silent:
        raise ModuleFetchError(
            f"{place} did not answer before ({_silent[place]}).", why="unreachable"
        )
    timeout_s = TIMEOUT_S if patient else QUICK_TIMEOUT_S
    try:
        return download(_where(place, locked), size_bytes=locked.size_bytes, timeout_s=timeout_s)
    except ModuleFetchError as error:
        if error.data.get("why") == "unreachable":
            _silent[place] = str(error.data["reason"])
        raise


def _read_file(folder: Path, locked: LockedModule) -> bytes:
    path = folder / locked.path
    try:
        with path.open("rb") as file:
            return file.read(locked.size_bytes + 1)
    except OSError as error:
        raise ModuleFetchError(
            f"The mirror has no {locked.name} {locked.version} for {locked.arch}: {path}: "
            f"{error.strerror}.",
            "Look at the folder that --mirror or WORKSHOP_MIRROR names.",
            why="missing",
        ) from None


def _folder(place: str) -> Path | None:
    """The folder that a mirror is; None for an address."""
    try:
        parts = urlsplit(place)
    except ValueError:
        parts = None
    known = parts is not None and parts.scheme in ("http", "https", "file")
    no_host = parts is not None and parts.scheme in ("http", "https") and not parts.netloc
    if parts is None or no_host or ("://" in place and not known):
        raise ModuleFetchError(
            f"{place!r} can't be a mirror.", "Give http://host:port, a folder, or 'none'."
        )
    if parts.scheme == "file":
        from urllib.request import url2pathname

        return Path(url2pathname(parts.path))
    return Path(place).expanduser().absolute() if "://" not in place else None


def _fault(locked: LockedModule, data: bytes) -> str | None:
    """What is wrong with a file, in words; None if it is the locked one."""
    if len(data) < locked.size_bytes:
        return f"{len(data)} bytes of {locked.size_bytes}"
    if len(data) > locked.size_bytes:
        return f"more than {locked.size_bytes} bytes"
    found = hashlib.sha256(data).hexdigest()
    if found != locked.sha256:
        return f"its SHA-256 is {found[:16]}…, not {locked.sha256[:16]}…"
    return None


def _where(place: str, locked: LockedModule) -> str:
    if locked.url and place == load_lock().base:
        return locked.url
    return f"{place}/{locked.path}"


def _cache_path(locked: LockedModule) -> Path:
    return paths.cache_dir() / "official" / locked.version / locked.path.replace("/", "_")
