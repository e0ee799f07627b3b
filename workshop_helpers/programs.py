"""Other programs that the workshop runs: to their end, or read while they run. pip among them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def run(
    command: list[str], environment: dict[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with nothing to read. Raises OSError, TimeoutExpired."""
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
    )


@contextmanager
def reading(
    command: list[str], environment: dict[str, str], timeout_s: float, *, errors_too: bool
) -> Iterator[subprocess.Popen[str]]:
    """A program whose `stdout` (and stderr with `errors_too`) is to be read to its end.

    It is ended after `timeout_s`, and when the reader goes away. Raises OSError.
    """
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors_too else subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
    )
    watch = threading.Timer(timeout_s, process.kill)
    watch.start()
    try:
        yield process
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    finally:
        watch.cancel()
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def pip_program() -> tuple[list[str], dict[str, str]] | None:
    """A command that runs pip, and its environment; None if this Python has none.

    uv makes environments without one: then it is the wheel that Python brings along, which runs
    without being installed.
    """
    environment = dict(os.environ, PIP_NO_INPUT="1", PIP_NO_COLOR="1", PYTHONNOUSERSITE="1")
    command = [sys.executable, "-m", "pip"]
    for wheel in [None, *_wheels_of_ensurepip()]:
        if wheel is not None:
            environment["PYTHONPATH"] = str(wheel)
        with suppress(OSError, subprocess.TimeoutExpired):
            if run([*command, "--version"], environment, 60).returncode == 0:
                return command, environment
    return None


def _wheels_of_ensurepip() -> list[Path]:
    try:
        import ensurepip
    except ImportError:
        return []
    return sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
