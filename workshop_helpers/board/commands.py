"""Commands to type in a terminal, as they work in this one: PATH may lack the environment."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from ..paths import ROOT


def command_line(words: list[str]) -> str:
    """Words as one line for this system's terminal."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def repl_command(port: str) -> str:
    """The command that opens the prompt of the board at `port`."""
    return command_line([*_program("mpremote", "mpremote"), "connect", port, "repl"])


def workshop_command(*arguments: str) -> str:
    """A `workshop` command: by its name if PATH has this one, else through the launcher."""
    words = _program("workshop", "workshop_helpers.cli")
    launcher = ROOT / "workshop.py"
    if words != ["workshop"] and launcher.is_file():
        python = "py" if sys.platform == "win32" else "python3"
        words = [python, launcher.name if Path.cwd() == ROOT else str(launcher)]
    return command_line([*words, *arguments])


def _program(name: str, module: str) -> list[str]:
    """A program of this environment: its name if that finds it, else where it is."""
    here = Path(sys.executable).parent
    beside = shutil.which(name, path=str(here))
    if beside is None:
        return [sys.executable, "-m", module]
    found = shutil.which(name)
    return [name] if found and Path(found).parent.resolve() == here.resolve() else [beside]
