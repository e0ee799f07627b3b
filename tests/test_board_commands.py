"""The commands that are printed to be typed work in the terminal that shows them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from workshop_helpers.board import Board
from workshop_helpers.board.commands import repl_command, workshop_command
from workshop_helpers.paths import ROOT

HERE = str(Path(sys.executable).parent)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="another way to quote")


@posix_only
@pytest.mark.parametrize("active", [True, False])
def test_the_prompts_command_runs(monkeypatch, active):
    path = os.environ["PATH"].split(os.pathsep)
    rest = [folder for folder in path if folder != HERE]
    monkeypatch.setenv("PATH", os.pathsep.join([HERE, *rest] if active else rest))
    words = shlex.split(repl_command("/dev/pts/8"))
    assert words[-3:] == ["connect", "/dev/pts/8", "repl"]
    assert words[0] == "mpremote" if active else Path(words[0]).is_file()
    said = subprocess.run([*words[:-3], "version"], capture_output=True, text=True, check=True)
    assert "mpremote" in said.stdout


@posix_only
@pytest.mark.parametrize("inside", [True, False])
def test_the_workshops_command_without_path(monkeypatch, tmp_path, inside):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(ROOT if inside else tmp_path)
    words = shlex.split(workshop_command("demo", "--port", "/dev/pts/8"))
    assert words[0] == "python3" and words[2:] == ["demo", "--port", "/dev/pts/8"]
    assert Path(words[1]).resolve() == ROOT / "workshop.py"
    assert inside == (words[1] == "workshop.py")


@posix_only
def test_the_workshops_command_in_an_active_environment(monkeypatch):
    monkeypatch.setenv("PATH", f"{HERE}:/usr/bin:/bin")
    assert workshop_command("demo") == "workshop demo"


def test_a_board_tells_the_command(virtual_board):
    with Board(virtual_board.port) as board:
        assert board.repl_hint() == repl_command(virtual_board.port)
