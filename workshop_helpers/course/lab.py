"""JupyterLab on the course's notebooks, without the questions it asks at a first start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ..paths import NOTEBOOKS, ROOT

# Starts the one kernel there is, asks neither for news nor for updates, shows Markdown as a page.
SETTINGS = Path(__file__).with_name("jupyter_config")


def open_lab(browser: bool = True) -> int:
    """Run JupyterLab until it is ended; its exit code."""
    # From the project's folder, or links from a notebook to docs/ would lead out of what it shows.
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    command.append(f"--LabApp.default_url=/lab/tree/{NOTEBOOKS.relative_to(ROOT).as_posix()}")
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container the only user is root
    try:
        return subprocess.call(command, env=lab_environment())
    except KeyboardInterrupt:
        return 0  # Ctrl-C is how one leaves it


def lab_environment() -> dict[str, str]:
    """This process's environment, with our settings behind the user's own."""
    theirs = os.environ.get("JUPYTER_CONFIG_PATH", "")
    path = os.pathsep.join(filter(None, (theirs, str(SETTINGS))))
    return dict(os.environ, JUPYTER_CONFIG_PATH=path)
