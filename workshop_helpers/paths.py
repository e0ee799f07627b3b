"""Where things are: the project's own folders, and the per-user cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parents[1]
DEVICE_SCRIPTS = ROOT / "device_scripts"
NATIVE_MODULES = ROOT / "native_modules"
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"


def cache_dir() -> Path:
    """The per-user cache (`WORKSHOP_CACHE` or the system's cache folder), made if missing."""
    chosen = os.environ.get("WORKSHOP_CACHE")
    path = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("emlearn-workshop"))
    path.mkdir(parents=True, exist_ok=True)
    return path
