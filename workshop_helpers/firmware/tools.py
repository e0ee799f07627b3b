"""Programs that write boards: esptool, found or installed once beside the environment, and others.

esptool, for Espressif chips, is not among the workshop's packages because it comes as source only
(no wheel), and the launcher installs nothing but wheels. `requirements-flash.lock` holds it and
what it needs on top, each by SHA-256. It is put in a folder of its own in the cache, so that the
environment stays as locked.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..board.catalogue import KnownBoard
from ..errors import FlashToolError
from ..paths import ROOT, cache_dir
from ..programs import pip_program, run

LOCK = ROOT / "requirements-flash.lock"
_TIMEOUT_S = 600.0
_DONE = "whole"


def esptool_environment(say: Callable[[str], None] = lambda text: None) -> dict[str, str]:
    """The environment variables with which this Python finds esptool; installs it if need be.

    Raises:
        FlashToolError: it is not there and can't be had.
    """
    environment = dict(os.environ, PYTHONIOENCODING="utf-8")
    if importlib.util.find_spec("esptool") is not None:
        return environment
    folder = esptool_folder()
    if not (folder / _DONE).exists():
        say("getting esptool, which writes Espressif chips (once, 8 MB)")
        _install(folder)
    environment["PYTHONPATH"] = str(folder)
    return environment


def esptool_folder() -> Path:
    """Where it is or would be; another lock or another Python is another folder."""
    digest = hashlib.sha256(LOCK.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:12]
    python = "{}{}".format(*sys.version_info[:2])
    return cache_dir() / "tools" / f"esptool-{digest}-py{python}"


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        part = Path(name) / "part"
        text = LOCK.read_text(encoding="utf-8")
        entries = [e for e in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M) if e[0] != "#"]
        source = [entry for entry in entries if entry.startswith("esptool==")]
        wheels = [entry for entry in entries if entry not in source]
        # setuptools, which builds the one that is source, is among the wheels.
        _pip(part, wheels, ["--only-binary", ":all:"])
        _pip(part, source, ["--no-build-isolation"])
        (part / _DONE).touch()
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)


def from_bundle() -> list[str]:
    """Arguments with which pip takes the files from the bundle in use; [] if it holds none."""
    for name in ("WORKSHOP_BUNDLE", "WORKSHOP_MIRROR"):
        place = os.environ.get(name, "")
        if place and "://" not in place and (folder := Path(place) / "flash").is_dir():
            return ["--no-index", "--find-links", str(folder.resolve())]
        if name == "WORKSHOP_BUNDLE" and "://" in place:
            return ["--no-index", "--find-links", place.rstrip("/") + "/flash/"]
    return []


def _pip(folder: Path, entries: list[str], options: list[str]) -> None:
    wanted = folder.with_name("wanted.txt")
    wanted.write_text("".join(entries), encoding="utf-8")
    if (pip := pip_program()) is None:
        raise _missing("this Python has no pip")
    command, environment = pip
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(folder), environment.get("PYTHONPATH")))
    )
    command += ["install", "--target", str(folder), "--no-deps", "--require-hashes", "--upgrade"]
    command += from_bundle()
    command += ["--disable-pip-version-check", "--quiet", *options, "--requirement", str(wanted)]
    try:
        done = run(command, environment, _TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _missing(str(error)) from None
    if done.returncode:
        raise _missing("; ".join(done.stderr.strip().splitlines()[-2:])[:300])


def _missing(why: str) -> FlashToolError:
    return FlashToolError(
        f"esptool, which writes Espressif chips, is not here and can't be got: {why}",
        "Connect to the network once and run this again, or use a bundle: it holds esptool.",
    )


def refuse_by_hand(board: KnownBoard) -> None:
    """Raises FlashToolError for a board that another program writes."""
    tools = {
        "dfu": f"dfu-util -w -a 0 -D {board.firmware}-….dfu",
        "stlink": f"st-flash --reset --format ihex write {board.firmware}-….hex",
        "teensy": f"teensy_loader_cli --mcu=imxrt1062 -v -w {board.firmware}-….hex",
        "bossac": "bossac -e -w --offset=0x16000 -i -d -U -R, as on its download page",
    }
    if tool := tools.get(board.flash_method):
        raise FlashToolError(
            f"A {board.title} is not written by this command, but by another program.",
            f"{' '.join(board.boot_steps)} Then: {tool}. See {board.download_page}",
        )
