"""The doctor sees what is missing, says which port was asked for, and speaks as it goes."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from http_site import Site
from rich.console import Console
from typer.testing import CliRunner

from workshop_helpers import doctor as whole
from workshop_helpers.bundle.make import Wanted, make_bundle
from workshop_helpers.cli import app
from workshop_helpers.doctor import (
    Check,
    DoctorReport,
    doctor,
    examine,
    laptop,
    ports,
    write_report,
)
from workshop_helpers.doctor.laptop import check_bundle, check_disk, check_packages, files_gone
from workshop_helpers.doctor.ports import check_ports, check_system
from workshop_helpers.doctor.widgets import FrontEnd, find_front_end, widget_faults
from workshop_helpers.errors import SetupError
from workshop_helpers.health.system import Finding


def test_all_is_well_on_a_virtual_board(board):
    report = doctor(board)
    names = [c.name for c in report.checks if c.name != "this computer" and c.name[:5] != "port "]
    assert names == [
        *("Python", "packages", "widgets", "mpy-cross", "serial ports", "disk and cache", "board"),
        *("native code", "heap", "flash", "modules", "first inference"),
    ]
    assert report.checks[-1].ok
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


def test_files_that_are_cut_are_counted(package, tmp_path):
    (tmp_path / "mine" / "__init__.py").write_text("")  # a full disk, a power cut
    assert files_gone(package) == 1


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_a_half_deleted_package_is_named(package, tmp_path, monkeypatch):
    lock = tmp_path / "requirements.lock"
    lock.write_text("mine==1\n")
    monkeypatch.setattr(laptop, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_packages().ok
    (tmp_path / "mine" / "__init__.py").unlink()
    check = check_packages()
    assert not check.ok and "mine lacks 1 of its files" in check.found and check.mend
    lock.write_text("mine==2\nnot-there-at-all==1\n")
    assert "mine 1, locked ==2, not-there-at-all missing" in check_packages().found
    (tmp_path / "mine-1.dist-info" / "METADATA").write_text("Name: mine\n")
    assert "mine of no known version, locked ==2" in check_packages().found


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
    monkeypatch.setattr(ports, "list_ports", list)
    monkeypatch.delenv("WORKSHOP_PORT", raising=False)
    if variable:
        monkeypatch.setenv("WORKSHOP_PORT", variable)
    [check] = check_ports(asked)
    assert check.found == "no board on USB" + says


def test_a_board_that_is_connected_is_named(board):
    assert next(check_ports(board)).found.endswith(f"; connected to {board.port}")


# --- as it goes -------------------------------------------------------------------------------
def test_nothing_is_looked_at_before_it_is_asked_for(monkeypatch):
    looked = []
    monkeypatch.setattr(whole, "check_packages", lambda: looked.append(1) or Check("p", True, ""))
    checks = examine("virtual")
    assert next(checks).name == "Python" and looked == []
    assert next(checks).name == "p" and looked == [1]
    checks.close()


def test_the_command_prints_a_line_a_check():
    result = CliRunner().invoke(app, ["doctor", "--port", "no such port"])
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert lines[0].startswith("✔ Python") and {line[0] for line in lines} <= set("✔!✘ ")
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
        write_report(DoctorReport([]), tmp_path)


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_found_is_said_though_the_report_can_not_be_written(tmp_path, as_json):
    command = ["doctor", "--port", "no such port", "--report", str(tmp_path)]
    result = CliRunner().invoke(app, [*command, *["--json"][: int(as_json)]])
    assert result.exit_code == 1
    if as_json:
        *_, board, report = json.loads(result.stdout)["checks"]
        assert (board["code"], report["name"], report["code"]) == ("NO_BOARD", "report", "SETUP")
    else:
        assert "✘ board" in result.stdout and "✘ report" in result.stdout


def test_what_keeps_boards_away_is_said(monkeypatch):
    found = [
        Finding("PORT_PERMISSION", "Not \x1b[2J.", "do this"),
        Finding("WSL", "w", "x", matters=False),
    ]
    monkeypatch.setattr("workshop_helpers.health.gather.findings", lambda **about: found)
    wrong, fine = check_system()
    assert (wrong.ok, fine.ok) == (False, True) and "\\x1b" in wrong.found and fine.mend == "x"
    assert (wrong.sign, fine.sign) == ("✘", "!")
    assert wrong.lines[1].endswith("do this  [PORT_PERMISSION: docs/errors.md#port_permission]")


def test_who_asks_for_a_port_wants_a_board(monkeypatch, board):
    asked = []
    monkeypatch.setattr(
        "workshop_helpers.health.gather.findings", lambda **k: asked.append(k) or []
    )
    monkeypatch.delenv("WORKSHOP_PORT", raising=False)
    for which in (None, "virtual", board, "COM5"):
        list(check_system(which))
    assert [a["board_wanted"] for a in asked] == [False, False, not board.is_virtual, True]


def test_a_full_disk_matters(monkeypatch):
    assert check_disk().ok
    monkeypatch.setattr(laptop.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    check = check_disk()
    assert not check.ok and check.mend


# --- widgets ----------------------------------------------------------------------------------
def test_the_widgets_here_match():
    assert whole.check_widgets().ok


GOOD = {"anywidget": "0.11.0", "ipympl": "0.10.0", "jupyterlab_widgets": "3.0.17"}


def ends(**changed):
    versions = {"anywidget": "0.11.0", "ipympl": "0.12.0", "jupyterlab_widgets": "5.0.16"}
    return {k: FrontEnd(v, Path("x"), True) for k, v in versions.items()} | changed


@pytest.mark.parametrize(
    ("packages", "front", "says"),
    [
        (GOOD, ends(anywidget=None), "extension anywidget is missing"),
        (GOOD, ends(ipympl=FrontEnd("0.12.0", Path("x"), False)), "jupyter-matplotlib is cut"),
        (GOOD, ends(ipympl=FrontEnd("0.11.7", Path("old"), True)), "finds 0.11.7 in old"),
        (GOOD, ends(anywidget=FrontEnd("0.9.18", Path("x"), True)), "needs version 0.11.0"),
        (GOOD | {"ipympl": None}, ends(ipympl=None), "ipympl is missing"),
        (GOOD, ends(jupyterlab_widgets=FrontEnd("4.0.0", Path("x"), True)), "needs version 5"),
    ],
)
def test_widgets_that_disagree(packages, front, says):
    assert widget_faults(GOOD, ends(), "^0.12") == []
    [fault] = widget_faults(packages, front, "^0.12")
    assert says in fault


def test_the_first_extension_wins_as_in_jupyterlab(tmp_path):
    for folder, version in (("user", "1.0"), ("env", "2.0")):
        place = tmp_path / folder / "anywidget"
        place.mkdir(parents=True)
        about = {"version": version, "jupyterlab": {"_build": {"load": "entry.js"}}}
        (place / "package.json").write_text(json.dumps(about))
    folders = [tmp_path / "user", tmp_path / "env"]
    assert find_front_end("anywidget", folders) == FrontEnd("1.0", folders[0] / "anywidget", False)
    (folders[0] / "anywidget" / "entry.js").touch()
    assert find_front_end("anywidget", folders).whole
    assert find_front_end("nothing", folders) is None
    (folders[0] / "anywidget" / "package.json").write_text("{")
    assert not find_front_end("anywidget", folders).whole


# --- bundle -----------------------------------------------------------------------------------
def test_a_bundle_that_is_set_is_verified(tmp_path, monkeypatch):
    make_bundle(tmp_path / "b", Wanted(boards=(), platforms=()))
    monkeypatch.setenv("WORKSHOP_BUNDLE", str(tmp_path / "b"))
    [check] = check_bundle()
    assert check.ok and "all whole" in check.found
    victim = tmp_path / "b" / "workshop.zip"
    victim.write_bytes(victim.read_bytes() + b"x")
    [check] = check_bundle()
    assert not check.ok and check.code == "BUNDLE" and victim.name in check.found
    monkeypatch.delenv("WORKSHOP_BUNDLE")
    monkeypatch.delenv("WORKSHOP_MIRROR", raising=False)
    assert list(check_bundle()) == []
    monkeypatch.setenv("WORKSHOP_MIRROR", str(tmp_path))
    assert next(check_bundle()).found.endswith("a folder of modules")
    monkeypatch.setenv("WORKSHOP_MIRROR", "http://127.0.0.1:9")
    [check] = check_bundle()
    assert check.sign == "!" and check.code == "MODULE_FETCH" and "127.0.0.1:9" in check.found


def test_a_login_in_a_bundles_address_gets_the_mend_that_fits(monkeypatch):
    monkeypatch.setenv("WORKSHOP_BUNDLE", "http://ada:pw@192.0.2.1/")
    [check] = check_bundle()
    assert check.sign == "!" and "ada" not in check.found
    assert check.mend == "Give an address without them."


def test_a_bundle_that_is_served_is_asked(monkeypatch):
    with contextlib.closing(Site()) as site:
        monkeypatch.setenv("WORKSHOP_BUNDLE", site.url)
        [check] = check_bundle()
    assert check.sign == "✔" and site.url in check.found
