"""Where things are: the project's own folders, and the per-user cache."""

from __future__ import annotations

import functools
import os
import stat
import sys
import tempfile
from pathlib import Path

import platformdirs

from .errors import SetupError

ROOT = Path(__file__).resolve().parents[1]
DEVICE_SCRIPTS = ROOT / "device_scripts"
NATIVE_MODULES = ROOT / "native_modules"
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"


def recordings_dir() -> Path:
    """Where the learner's own recordings go: `WORKSHOP_RECORDINGS`, else beside the notebooks."""
    chosen = os.environ.get("WORKSHOP_RECORDINGS")
    return Path(chosen) if chosen else NOTEBOOKS / "recordings"


def recordings_folder(folder: Path | str) -> Path:
    """A plain name is a folder in `recordings_dir()`; anything with a slash is a path."""
    path = Path(folder)
    plain = isinstance(folder, str) and path.name == folder and folder not in ("", ".", "..")
    return recordings_dir() / path if plain else path


def work_dir() -> Path:
    """Where notebooks keep what a learner makes: `WORKSHOP_WORK`, else `notebooks/my_work`.

    Not under version control, nor in a bundle. Whoever writes there makes it.
    """
    return Path(os.environ.get("WORKSHOP_WORK") or NOTEBOOKS / "my_work")


def progress_file() -> Path:
    """What a learner has shown: `WORKSHOP_PROGRESS`, else a file among this user's data."""
    chosen = os.environ.get("WORKSHOP_PROGRESS")
    return Path(chosen or Path(platformdirs.user_data_dir("emlearn-workshop")) / "progress.json")


def cache_dir() -> Path:
    """The per-user cache (`WORKSHOP_CACHE` or the system's cache folder), made if missing.

    Where the system's can't be written (a home of someone else, a read-only one) it is a folder of
    this user's in the temporary folder; one line on standard error says so once.

    Raises:
        SetupError: `WORKSHOP_CACHE` names no folder that can be written, or nothing else can be.
    """
    chosen = os.environ.get("WORKSHOP_CACHE")
    if chosen:
        fault = _make_writable(Path(chosen))
        if fault:
            raise SetupError(
                f"WORKSHOP_CACHE names {chosen}, which can't be used: {fault}.",
                "Let WORKSHOP_CACHE name a folder that you may write, or unset it.",
            )
        return Path(chosen)
    path = Path(platformdirs.user_cache_dir("emlearn-workshop"))
    # Without a known home it is a relative "~/...".
    fault = _make_writable(path) if path.is_absolute() else "there is no home folder"
    return _temporary_cache(path, fault) if fault else path


def _make_writable(path: Path) -> str | None:
    """What keeps us from writing into a folder, which is made if missing; None if we can."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return "it is not a folder"
    except OSError as error:
        return error.strerror or str(error)
    return None if os.access(path, os.W_OK | os.X_OK) else "it is not writable"


@functools.cache  # said once
def _temporary_cache(instead_of: Path, fault: str) -> Path:
    mend = "Let WORKSHOP_CACHE name a folder that you may write."
    # On Windows the temporary folder is the user's own.
    user = f"-{os.getuid()}" if sys.platform != "win32" else ""
    try:
        path = Path(tempfile.gettempdir()) / f"emlearn-workshop{user}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise SetupError(f"No cache folder can be made: {error}.", mend) from None
    # Others may write into the temporary folder as well: only what is certainly ours is used.
    ours = stat.S_ISDIR(found.st_mode)
    if sys.platform != "win32":
        ours = ours and found.st_uid == os.getuid() and not found.st_mode & 0o077
    if not ours:
        raise SetupError(f"{path} is not a folder of yours alone.", mend)
    print(f"The cache is {path}: {instead_of} can't be used ({fault}).", file=sys.stderr)
    return path
