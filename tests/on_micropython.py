"""Device scripts and the tests' own under MicroPython itself, with no board around it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop_helpers.paths import DEVICE_SCRIPTS, ROOT

MICROPYTHON = shutil.which("micropython", path=str(Path(sys.executable).parent))

needs_micropython = pytest.mark.skipif(
    MICROPYTHON is None, reason="no MicroPython wheel for this system"
)


def on_micropython(code: str, **options: object) -> str:
    """What a piece of code prints that finds the device scripts and the tests' own."""
    folders = [str(p) for p in (DEVICE_SCRIPTS, DEVICE_SCRIPTS / "lib", ROOT / "tests" / "device")]
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=2m", "-c", f"import sys\nsys.path[:0] = {folders}\n{code}"],
        capture_output=True,
        text=True,
        timeout=100,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
