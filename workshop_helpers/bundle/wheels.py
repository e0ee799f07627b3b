"""Wheels for chosen platforms and Pythons, by pip: exactly those that requirements.lock allows."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from ..errors import BundleError
from ..files import sha256_of
from ..programs import pip_program, reading
from .manifest import Progress
from .requirements import LOCKS, PLATFORMS, fits, locked_hashes, needed

_TIMEOUT_S = 3600.0  # for one platform and Python, on a slow network
_ONE_PACKAGE = re.compile(r"\s*(Collecting|Processing|Requirement already)\b")


def get_wheels(
    folder: Path, targets: list[tuple[str, str]], *, tests: bool, progress: Progress
) -> None:
    """Fill `folder` with the wheels for (platform, Python) pairs; files of before are kept if good.

    Raises:
        BundleError: pip does not run, or could not get everything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _drop_foreign(folder, targets)
    pip = require_pip()
    for name, python in targets:
        for lock in LOCKS if tests else LOCKS[:1]:
            for full, lines in needed(PLATFORMS[name], python, lock):
                title = f"wheels for {name}, Python {full.removesuffix('.99')}"
                download(pip, folder, name, full, lines, title, progress)
    _drop_foreign(folder, targets)


def download(
    pip: tuple[list[str], dict[str, str]],
    folder: Path,
    name: str,
    full: str,
    lines: list[str],
    title: str,
    progress: Progress,
) -> None:
    """Get the wheels of `lines` for platform `name` and Python `full` into `folder`."""
    command, environment = pip
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            *[*command, "download", "--disable-pip-version-check", "--progress-bar", "off"],
            *["--no-deps", "--require-hashes", "--only-binary", ":all:"],
            *["--requirement", str(wanted), "--dest", str(folder)],
            *["--implementation", "cp", "--python-version", full],
            *[part for tag in PLATFORMS[name].tags() for part in ("--platform", tag)],
        ]
        said: list[str] = []
        done = 0
        progress(title, 0, len(lines))
        with reading(command, environment, _TIMEOUT_S, errors_too=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line.rstrip())
                if _ONE_PACKAGE.match(line):
                    done += 1
                    progress(title, min(done, len(lines)), len(lines))
    if process.returncode:
        raise pip_refused(f"the {title}", said)


def pip_refused(what: str, said: list[str]) -> BundleError:
    """Why pip could not get `what`, from the lines that it said."""
    full = [line for line in said if "Errno 28" in line or "No space left" in line]
    errors = [line for line in said if "ERROR" in line and "Ignored the following" not in line]
    why = "\n".join(line[:300] for line in (full[-1:] or (errors or said)[-3:]))
    look = "Free some disk space, also where temporary files go," if full else "Look at the network"
    return BundleError(
        f"pip could not get {what}:\n{why}",
        f"{look} and run the same command again: what is there is kept.",
    )


def require_pip() -> tuple[list[str], dict[str, str]]:
    """As `pip_program`. BundleError if there is none."""
    if (pip := pip_program()) is None:
        raise BundleError(
            "This Python has no pip, which gets the wheels.",
            f"Run `{sys.executable} -m ensurepip`, or leave the wheels out with --no-wheels.",
        )
    return pip


def _drop_foreign(folder: Path, targets: list[tuple[str, str]]) -> None:
    """Remove what the locks do not allow, and what none of the targets needs."""
    hashes = locked_hashes()
    chosen = [(PLATFORMS[name], python) for name, python in targets]
    for path in folder.iterdir():
        if not fits(path.name, chosen) or sha256_of(path) not in hashes:
            path.unlink()
