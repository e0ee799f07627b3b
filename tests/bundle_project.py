"""A project that sets up in seconds without an index: its one package is repacked from here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = """
[build-system]
requires = ["flit_core>=3.9,<5"]
build-backend = "flit_core.buildapi"
[project]
name = "tiny-workshop"
version = "1"
description = "stands in for the project"
[project.scripts]
workshop = "workshop_helpers.cli:main"
[tool.flit.module]
name = "workshop_helpers"
"""
CLI = """
import json, os, sys
def main():
    keys = ("WORKSHOP_MIRROR", "WORKSHOP_BUNDLE")
    print(json.dumps([sys.argv[1:], {key: os.environ.get(key) for key in keys}]))
"""
NOWHERE = "http://127.0.0.1:9"  # nobody listens
CUT_OFF = {  # for where there is no network namespace
    **{f"{name}_proxy": NOWHERE for name in ("http", "https", "all")},
    "no_proxy": "",
    "PIP_INDEX_URL": NOWHERE,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_RETRIES": "0",
    "PIP_CONFIG_FILE": os.devnull,
}


class BundleProject:
    """The launcher beside a lock of one package, whose wheel is in `wheels`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.venv = folder, folder / "environment"
        self.wheels = folder.parent / "own wheels"
        self.wheels.mkdir()
        self.wheel = repack("flit_core", self.wheels)
        package = folder / "workshop_helpers"
        package.mkdir(parents=True)
        shutil.copy(ROOT / "workshop.py", folder)
        (folder / "pyproject.toml").write_text(PYPROJECT)
        version = distribution("flit_core").version
        sha256 = hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        lock = f"flit-core=={version} \\\n    --hash=sha256:{sha256}\n"
        (folder / "requirements.lock").write_text(lock)
        (folder / "requirements-test.lock").write_text("")
        (package / "__init__.py").write_text("")
        (package / "cli.py").write_text(CLI)

    @property
    def only_own_wheels(self) -> dict[str, str]:
        """Settings with which pip finds the wheel, and nothing else."""
        # pip splits the list at spaces.
        return {**CUT_OFF, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri()}

    def run(self, *arguments: str, before: tuple[str, ...] = (), **environment: str):
        # The path without uv: what is tried here is pip, which everybody has.
        mine = {"WORKSHOP_VENV": str(self.venv), "PATH": os.defpath, **environment}
        return subprocess.run(
            [*before, sys.executable, str(self.folder / "workshop.py"), *arguments],
            env={**os.environ, **mine},
            capture_output=True,
            text=True,
            timeout=110,
            stdin=subprocess.DEVNULL,
        )


def repack(name: str, folder: Path) -> Path:
    """An installed pure package as a wheel again; its RECORD is the list of its files."""
    package = distribution(name)
    wheel = folder / f"{name}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in package.files or []:
            inside = ".." not in file.parts and "__pycache__" not in file.parts
            if inside and file.name not in ("INSTALLER", "REQUESTED", "direct_url.json"):
                archive.write(str(file.locate()), file.as_posix())
    return wheel
