"""The doctor sees what is missing, says which port was asked for, and speaks as it goes."""

from __future__ import annotations

import importlib.metadata
import json
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from workshop_helpers import doctor as module
from workshop_helpers.cli import app
from workshop_helpers.doctor import (
    Check,
    check_packages,
    check_ports,
    doctor,
    examine,
    files_gone,
    write_report,
)
from workshop_helpers.errors import SetupError
from workshop_helpers.health.system import Finding


def test_all_is_well_on_a_virtual_board(board):
    report = doctor(board)
    assert [c.name for c in report.checks][:4] == [
        "Python",
        "packages",
        "mpy-cross",
        "serial ports",
    ]
    assert report.checks[-1].name == "first inference" and report.checks[-1].ok
    assert "✔ Python" in repr(report) and "<table>" in report._repr_html_()


# --- packages ---------------------------------------------------------------------------------
@pytest.fixture
def package(tmp_path):
    """An installed package of our own."""
    info = tmp_path / "mine-1.dist-info"
    info.mkdir()
    (tmp_path / "mine").mkdir()
    for name in ("mine/__init__.py", "mine/other, too.py", "mine-1.dist-info/METADATA"):
        (tmp_path / name).write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (info / "RECORD").write_text(
        'mine/__init__.py,sha256=x,1\n"mine/other, too.py",,\nmine/__pycache__/a.pyc,,\n'
        "mine-1.dist-info/METADATA,,\nmine-1.dist-info/RECORD,,\n"
    )
    return importlib.metadata.PathDistribution(info)


def test_files_that_are_gone_are_counted(package, tmp_path):
    assert files_gone(package) == 0
    (tmp_path / "mine" / "other, too.py").unlink()
    assert files_gone(package) == 1


def test_a_half_deleted_package_is_named(package, tmp_path, monkeypatch):
    lock = tmp_path / "requirements.lock"
    lock.write_text("mine==1\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_packages().ok
    (tmp_path / "mine" / "__init__.py").unlink()
    check = check_packages()
    assert not check.ok and "mine lacks 1 of its files" in check.found and check.mend
    lock.write_text("mine==2\nnot-there-at-all==1\n")
    assert "mine 1, locked ==2, not-there-at-all missing" in check_packages().found


# --- ports ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "variable", "says"),
    [
        (None, None, "; the virtual board stands in"),
        ("COM7", None, "; asked for COM7"),
        (None, "COM8", "; asked for COM8"),
        ("COM7", "COM8", "; asked for COM7"),
        ("virtual", None, "; asked for the virtual board"),
        ("a\x1b[2Jb", None, "; asked for a\\x1b[2Jb"),
    ],
)
def test_the_port_that_was_asked_for(asked, variable, says, monkeypatch):
    monkeypatch.setattr(module, "list_ports", list)
    monkeypatch.delenv("WORKSHOP_PORT", raising=False)
    if variable:
        monkeypatch.setenv("WORKSHOP_PORT", variable)
    assert check_ports(asked).found == "no board on USB" + says


def test_a_board_that_is_connected_is_named(board):
    assert check_ports(board).found.endswith(f"; connected to {board.port}")


# --- as it goes -------------------------------------------------------------------------------
def test_nothing_is_looked_at_before_it_is_asked_for(monkeypatch):
    looked = []
    monkeypatch.setattr(module, "check_packages", lambda: looked.append(1) or Check("p", True, ""))
    checks = examine("virtual")
    assert next(checks).name == "Python" and looked == []
    assert next(checks).name == "p" and looked == [1]
    checks.close()


def test_the_command_prints_a_line_a_check():
    result = CliRunner().invoke(app, ["doctor", "--port", "no such port"])
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert lines[0].startswith("✔ Python") and {line[0] for line in lines} <= set("✔✘ ")
    assert [line[0] for line in lines[-2:]] == ["✘", " "]


def test_the_command_can_answer_in_json():
    result = CliRunner().invoke(app, ["doctor", "--port", "no such port", "--json"])
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["ok"] is False and answer["checks"][-1]["mend"]


def test_what_was_found_is_never_markup():
    console = Console(record=True, width=200)
    console.print(Check("x", False, "[bold]y[/]", "[red]z"))
    assert console.export_text() == "✘ x: [bold]y[/]\n    [red]z\n"


def test_a_report_to_paste_holds_nothing_private(tmp_path, monkeypatch):
    monkeypatch.setenv("USERNAME", "grace-hopper")
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "grace-hopper"))
    file = tmp_path / "report.txt"
    command = ["doctor", "--port", "/dev/cu.usbmodemF412FA9C2B40", "--report", str(file)]
    result = CliRunner().invoke(app, command)
    text = file.read_text(encoding="utf-8")
    assert result.exit_code == 1 and "✘ board" in text and "✔ Python" in text
    assert "grace" not in text and "F412FA9C2B40" not in text


def test_a_report_that_can_not_be_written_says_so(tmp_path):
    with pytest.raises(SetupError, match="can't be written"):
        write_report(module.DoctorReport([]), tmp_path)


def test_what_keeps_boards_away_is_said(monkeypatch):
    found = [
        Finding("PORT_PERMISSION", "Not \x1b[2J.", "do this"),
        Finding("WSL", "w", "x"),
    ]
    monkeypatch.setattr("workshop_helpers.health.gather.findings", lambda ports: found)
    wrong, fine = module.check_system()
    assert (wrong.ok, fine.ok) == (False, True) and "\\x1b" in wrong.found and fine.mend == "x"


def test_a_full_disk_matters(monkeypatch):
    assert module.check_disk().ok
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    check = module.check_disk()
    assert not check.ok and check.mend
