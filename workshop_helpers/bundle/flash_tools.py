"""esptool for a bundle: its source and the wheels it needs, as requirements-flash.lock has them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from .. import paths
from ..errors import BundleError
from ..files import sha256_of
from ..programs import run
from .manifest import Progress
from .requirements import FLASH_LOCK, PLATFORMS, fits, flash_hashes, needed
from .wheels import download, pip_refused, require_pip

_TIMEOUT_S = 600.0


def get_flash_tools(folder: Path, targets: list[tuple[str, str]], progress: Progress) -> None:
    """Fill `folder` with what `workshop flash` installs esptool from; nothing without a lock.

    esptool is source only: it comes as it is, and is built where it is wanted by the setuptools
    that lies beside it.

    Raises:
        BundleError: pip does not run, or could not get everything.
    """
    _drop_foreign(folder, targets)
    if not targets or not (paths.ROOT / FLASH_LOCK).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    pip = require_pip()
    source: list[str] = []
    for name, python in targets:
        for full, lines in needed(PLATFORMS[name], python, FLASH_LOCK):
            source = [line for line in lines if line.startswith("esptool==")] or source
            wheels = [line for line in lines if not line.startswith("esptool==")]
            title = f"esptool's wheels for {name}, Python {full.removesuffix('.99')}"
            download(pip, folder, name, full, wheels, title, progress)
    if source:
        _source(pip, folder, source, progress)
    _drop_foreign(folder, targets)


def _source(
    pip: tuple[list[str], dict[str, str]], folder: Path, lines: list[str], progress: Progress
) -> None:
    progress("esptool", 0, 1)
    command, environment = pip
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            *[*command, "download", "--disable-pip-version-check", "--quiet", "--no-deps"],
            *["--require-hashes", "--no-binary", "esptool"],
            *["--requirement", str(wanted), "--dest", str(folder)],
        ]
        try:
            done = run(command, environment, _TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BundleError(f"pip could not get esptool: {error}.") from None
    if done.returncode:
        raise pip_refused("esptool", done.stderr.strip().splitlines())
    progress("esptool", 1, 1)


def _drop_foreign(folder: Path, targets: list[tuple[str, str]]) -> None:
    """Remove what the lock does not allow, and wheels that none of the targets needs."""
    if not folder.is_dir():
        return
    allowed = flash_hashes()
    chosen = [(PLATFORMS[name], python) for name, python in targets]
    for path in folder.iterdir():
        wanted = bool(chosen) and (path.suffix != ".whl" or fits(path.name, chosen))
        if not wanted or sha256_of(path) not in allowed:
            path.unlink()
