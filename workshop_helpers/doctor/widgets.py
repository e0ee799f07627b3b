"""What draws in a notebook: the Python packages, and their other halves in JupyterLab."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .report import Check

# Python package -> its extension of JupyterLab, and the major version that belongs to it; None: the
# same version as the package, "^": what the package itself names.
EXTENSIONS: dict[str, tuple[str, str | None]] = {
    "anywidget": ("anywidget", None),
    "ipympl": ("jupyter-matplotlib", "^"),
    "jupyterlab_widgets": ("@jupyter-widgets/jupyterlab-manager", "5"),
}
_MEND = "Run `python3 workshop.py demo`, which mends .venv; then restart JupyterLab."


@dataclass(frozen=True)
class FrontEnd:
    """An extension as it is installed: its version, where, and whether its script is there."""

    version: str
    folder: Path
    whole: bool


def check_widgets() -> Check:
    """Are the widgets' front ends there, whole, and of the packages' versions?"""
    from jupyter_core.paths import jupyter_path

    packages = {name: _version(name) for name in (*EXTENSIONS, "ipywidgets", "jupyterlab")}
    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    front = {package: find_front_end(name, folders) for package, (name, _) in EXTENSIONS.items()}
    faults = widget_faults(packages, front, _wanted_by_ipympl())
    found = ", ".join(f"{name} {version}" for name, version in packages.items())
    facts = {
        "packages": packages,
        "extensions": {EXTENSIONS[p][0]: end and end.version for p, end in front.items()},
    }
    if faults:
        return Check("widgets", False, "; ".join(faults), _MEND, "WIDGETS", facts)
    return Check("widgets", True, f"{found}; their front ends match", facts=facts)


def widget_faults(
    packages: Mapping[str, str | None], front: Mapping[str, FrontEnd | None], ipympl_wants: str
) -> list[str]:
    """What is wrong, a sentence each.

    Args:
        packages: name -> version, None for what is missing.
        front: package of EXTENSIONS -> its extension, None for what is missing.
        ipympl_wants: the version of its extension that ipympl names, as "^0.12".
    """
    faults = [f"{name} is missing" for name, version in packages.items() if version is None]
    for package, (name, kind) in EXTENSIONS.items():
        end, version = front.get(package), packages.get(package)
        if version is None:
            continue
        if end is None or not end.whole:
            faults.append(f"JupyterLab's extension {name} is {'cut' if end else 'missing'}")
            continue
        wanted = {None: version, "^": ipympl_wants.lstrip("^")}.get(kind, kind)
        parts = str(wanted).split(".")
        if end.version.split(".")[: len(parts)] != parts:
            faults.append(
                f"{package} {version} needs version {wanted} of {name}, but JupyterLab finds "
                f"{end.version} in {end.folder}"
            )
    return faults


def find_front_end(name: str, folders: Iterable[Path]) -> FrontEnd | None:
    """The extension that JupyterLab takes: the first one in its folders."""
    for folder in folders:
        path = folder / name
        try:
            about = json.loads((path / "package.json").read_text(encoding="utf-8"))
            script = path / about["jupyterlab"]["_build"]["load"]
            return FrontEnd(str(about["version"]), path, script.is_file())
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            return FrontEnd("unknown", path, False)
    return None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _wanted_by_ipympl() -> str:
    try:
        from ipympl._version import js_semver
    except ImportError:
        return "0"
    return str(js_semver)
