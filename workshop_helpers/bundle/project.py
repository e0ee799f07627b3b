"""The workshop itself as one archive: code, notebooks, data."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from pathlib import Path

from .. import paths
from ..errors import BundleError

_TOP = "workshop"
_DATE = (2020, 1, 1, 0, 0, 0)  # the same files give the same archive
_NOT_OURS = {"out", "my_work", "__pycache__", "node_modules"}


def project_zip(avoid: Path | None = None) -> bytes:
    """A zip with the project in the folder `workshop`; without what lies in `avoid`.

    In a git clone those are the files under version control, as they are now; in an unpacked
    archive all but hidden folders, caches, output, and what a learner recorded or made.

    Raises:
        BundleError: a file can't be read.
    """
    buffer = io.BytesIO()
    avoided = avoid.resolve() if avoid else None
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_from_git() or _from_folder()):
            if avoided and path.resolve().is_relative_to(avoided):
                continue
            name = f"{_TOP}/{path.relative_to(paths.ROOT).as_posix()}"
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
            try:
                archive.writestr(info, path.read_bytes())
            except OSError as error:
                raise BundleError(f"{path} can't be read: {error.strerror}.") from None
    return buffer.getvalue()


def _from_git() -> list[Path]:
    """Files under version control; [] if this is no clone, or there is no git."""
    if not (paths.ROOT / ".git").exists():
        return []
    try:
        out = subprocess.run(
            ["git", "ls-files", "-z"], cwd=paths.ROOT, capture_output=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return []
    names = [name for name in out.stdout.decode().split("\0") if name]
    return [paths.ROOT / name for name in names if (paths.ROOT / name).is_file()]


def _from_folder() -> list[Path]:
    found = []
    # A learner's own; a microphone may have listened.
    usual = paths.ROOT / "notebooks" / "recordings"
    private = {path.resolve() for path in (usual, paths.recordings_dir(), paths.work_dir())}
    for where, folders, names in os.walk(paths.ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in _NOT_OURS
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or name == ".ci")
            and not (Path(where) / name / "pyvenv.cfg").exists()
            and (Path(where) / name).resolve() not in private
        ]
        found += [Path(where) / name for name in names if not name.endswith((".lock.tmp", ".pyc"))]
    return [path for path in found if path.name != ".venv.lock"]
