"""Drivers that a sensor takes from micropython-lib: device_scripts/sensors/drivers.json, as data.

Each is pinned by commit and SHA-256, and named as `mip` names it. It is had as official modules
are: from the cache, else from a mirror or bundle (`drivers/<name>.py` there), else from the site;
then compiled, for a board would need several times its size as heap to do that.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import ModuleError, ModuleFetchError
from .build import compile_plain
from .lock import LockedModule, locked_module
from .official import fetch


def drivers_file() -> Path:
    return paths.DEVICE_SCRIPTS / "sensors" / "drivers.json"


def drivers() -> dict[str, LockedModule]:
    """Each driver by its name; `url` is where the site has it.

    Raises:
        ModuleError: the list is missing or damaged.
    """
    data = _read()
    try:
        found = {}
        for name, entry in data["drivers"].items():
            locked = locked_module(name, "any", "6", entry["version"], "drivers/{module}.py", entry)
            url = data["url"].format(
                commit=data["commit"], folder=entry["folder"], module=locked.name
            )
            found[name] = replace(locked, url=url)
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(error) from None


def mip_name(name: str) -> str:
    """What `mip.install` takes for a driver, pinned."""
    data = _read()
    folder = data["drivers"][name]["folder"]
    return str(data["mip"].format(commit=data["commit"], folder=folder, module=name))


def driver_mpy(name: str, mirror: str | None = None) -> bytes:
    """A driver as bytecode for any board.

    Raises:
        ModuleFetchError: it can't be had, or what came is not the pinned file.
        ModuleError: it can't be compiled.
    """
    return compile_plain(name, fetch_driver(name, mirror))


def fetch_driver(name: str, mirror: str | None = None) -> bytes:
    """A driver's source, from the cache, a mirror or the site.

    Raises:
        ModuleFetchError: it can't be had, or what came is not the pinned file.
    """
    try:
        return fetch(drivers()[name], mirror).read_bytes()
    except ModuleFetchError as error:
        raise ModuleFetchError(
            f"The driver {name} is needed and can't be had. {error.what}",
            "Connect to the network once, or let WORKSHOP_MIRROR name a bundle; or, from a laptop "
            f"that has the network: mpremote mip install {mip_name(name)}",
            why=error.data.get("why"),
        ) from error


def notice() -> str:
    """Where the drivers are from, and under which licence."""
    data = _read()
    return (
        f"Drivers of micropython-lib, unchanged, at commit {data['commit']} of {data['project']}\n"
        f"Licence: {data['licence']}\n"
    )


def _read() -> Any:
    try:
        return json.loads(drivers_file().read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> ModuleError:
    return ModuleError(
        f"The list of drivers can't be read: {drivers_file().name}: {error!r}.",
        "Get the workshop's files again: `git checkout -- device_scripts`.",
    )
