"""What keeps a board away is recognised in what systems print; a report holds nothing private."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop_helpers.board import holder, permission
from workshop_helpers.board.holder import from_lsof
from workshop_helpers.board.permission import permission_error
from workshop_helpers.health import gather, system
from workshop_helpers.health.private import own_names, without_private

RECORDINGS = Path(__file__).with_name("recordings")


def recorded(name: str) -> str:
    return (RECORDINGS / name).read_text(encoding="utf-8")


# --- systems ----------------------------------------------------------------------------------
def test_brltty_is_recognised():
    found = system.brltty("bash", recorded("linux_dmesg_brltty.txt"))
    assert found and found.code == "BRLTTY" and "ch341" in found.what and "brltty" in found.mend
    assert system.brltty("bash\nbrltty")
    assert system.brltty("bash\nnotbrltty", "usb 1-2: ch341-uart converter now attached") is None


def test_brltty_matters_when_it_took_a_board():
    log = recorded("linux_dmesg_brltty.txt")
    assert system.brltty("bash", log).matters
    assert not system.brltty("bash", log, boards=1).matters  # another one is there
    assert not system.brltty("brltty").matters  # it runs, and took nothing that is known
    again = log + "[ 900.1] usb 1-2: ch341-uart converter now attached to ttyUSB0\n"
    assert system.brltty("bash", again) is None


def test_modem_manager_is_recognised():
    found = system.modem_manager("bash\nModemManager")
    assert found and "systemctl stop ModemManager" in found.mend
    assert system.modem_manager("bash") is None
    assert not found.matters and system.modem_manager("ModemManager", board_wanted=True).matters
    assert not system.modem_manager("ModemManager", boards=1, board_wanted=True).matters


def test_wsl_names_the_commands():
    version, listed = recorded("wsl_proc_version.txt"), recorded("windows_usbipd_list.txt")
    found = system.wsl(version, listed)
    assert found and "usbipd bind --busid 1-4; usbipd attach --wsl --busid 1-4" in found.mend
    shared = system.wsl(
        version, listed.replace("(COM5)                 Not shared", "(COM5)  Shared")
    )
    assert shared and "bind" not in shared.mend
    none = system.wsl(version, None)
    assert none and "winget install usbipd" in none.mend
    assert system.wsl(version, listed, boards=1) is None
    assert found.matters and not none.matters and system.wsl(version, board_wanted=True).matters
    assert system.wsl("Linux version 6.8.0-45-generic (buildd@host)", listed) is None
    assert [d.bus_id for d in system.usbipd_devices(listed)] == ["1-2", "1-4", "2-1"]


def test_the_owning_group_gives_the_command():
    found = permission_error("/dev/ttyUSB0", "dialout")
    assert found.mend.startswith("sudo usermod -aG dialout $USER")
    assert "uucp" in permission_error("/dev/ttyUSB0", "uucp").mend
    assert "chmod" in permission_error("/dev/ttyUSB0", "root").mend
    assert "log out and in again" in permission_error("/dev/x", "dialout", member=True).mend
    elsewhere = permission_error("/dev/cu.usbmodem1", None, linux=False)
    assert "sudo" not in elsewhere.mend and elsewhere.what == "You may not open /dev/cu.usbmodem1."


def test_who_was_added_to_the_group_must_log_in_again(monkeypatch):
    grp, pwd = pytest.importorskip("grp"), pytest.importorskip("pwd")
    entry = SimpleNamespace(gr_gid=12345, gr_mem=["ada"])
    monkeypatch.setattr(grp, "getgrnam", lambda name: entry)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="ada"))
    assert permission._is_member("dialout")
    entry.gr_mem = []
    assert not permission._is_member("dialout") and not permission._is_member(None)
    entry.gr_mem, entry.gr_gid = ["ada"], permission.os.getegid()
    assert not permission._is_member("dialout")


def test_macos_names_who_holds_a_port():
    assert from_lsof(recorded("macos_lsof.txt")) == (4711, "Python")
    assert from_lsof("") is None


def test_windows_without_a_driver():
    text = (RECORDINGS / "windows_pnputil.txt").read_bytes().decode()
    found = system.windows_problem(text)
    assert found and "CP210x" in found.what
    assert system.windows_problem(text.replace("28 (0x1C)", "10 (0x0A)")) is None
    assert system.windows_problem("No devices were found on the system.") is None


def test_this_system_can_be_asked():
    assert all(one.code and one.what and one.mend for one in gather.findings(0))


# --- nothing private --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("cache at /home/" "ada/.cache/x", "ada"),
        ("cache at /Users/" "Ada Lovelace/Library", "Lovelace"),
        (r"C:\Users\Ada Lovelace\AppData", "Lovelace"),
        (r"c:\\users\\ada\\x", "ada"),
        ("C:/Users" "/ada/x", "ada"),
        (r"\\server01\ada$\x", "server01"),
        ("run by ada on babbage", "ada"),
        ("ADA's laptop Babbage.local", "Babbage"),
        ("ssid = 'My Home'", "My Home"),
        ('{"wifi_password": "hunter2 x"}', "hunter2"),
        ("MQTT_PASS: hunter2", "hunter2"),
        ("mqtt://ada:hunter2@broker:1883", "hunter2"),
        ("ada@example.org", "example"),
        ("USB VID:PID=303A:1001 SER=F412FA9C2B40 LOCATION=1-2", "F412FA9C2B40"),
        ("SER=short1", "short1"),
        ("/dev/serial/by-id/usb-MicroPython_Board_e6614103e7452f2f-if00", "e6614103e7452f2f"),
        ("/dev/cu.usbmodem14201", "14201"),
        ("/dev/cu.usbserial-A50285BI", "A50285BI"),
        ("mac f4:12:fa:9c:2b:40", "f4:12"),
        ("F4-12-FA-9C-2B-40", "F4-12"),
        ("socket://192.168.1.20:5000", "192.168"),
        ("http://[fe80:1:2:3:4:5:6:7]/", "fe80"),
    ],
)  # fmt: skip
def test_what_is_private_goes(text, private):
    cleaned = without_private(text, ["ada", "babbage"])
    assert private.lower() not in cleaned.lower()


@pytest.mark.parametrize(
    "text",
    ["Python 3.11.7 on Linux x86_64", "/dev/ttyACM0", "COM5", "socket://127.0.0.1:5000", ".mpy 6.3",
     "emlearn_trees sha256:0123456789ab", "Canada, 239 as locked", "262144 bytes", "ESP32-S3"],
)  # fmt: skip
def test_what_helps_stays(text):
    assert without_private(text, ["ada", "babbage"]) == text


def test_this_user_is_known(monkeypatch):
    monkeypatch.setenv("USERNAME", "grace-hopper")
    assert "grace-hopper" in own_names() and "root" not in own_names()
    assert "grace" not in without_private("made by Grace-Hopper")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_process_that_ends_meanwhile_does_not_hide_the_holder(tmp_path, monkeypatch):
    port = tmp_path / "tty"
    port.touch()
    for number, name in ((1, "gone"), (2, "screen")):
        process = tmp_path / "proc" / str(number)
        process.mkdir(parents=True)
        (process / "fd").mkdir()
        (process / "comm").write_text(f"{name}\n")
    (tmp_path / "proc" / "2" / "fd" / "0").symlink_to(tmp_path / "other")
    (tmp_path / "proc" / "2" / "fd" / "3").symlink_to(port.resolve())

    def but_not_one(really):
        def look(path):
            if str(path).endswith(os.path.join("1", "fd")):
                raise FileNotFoundError(2, "gone")
            return really(path)

        return look

    monkeypatch.setattr(os, "scandir", but_not_one(os.scandir))
    monkeypatch.setattr(os, "listdir", but_not_one(os.listdir))
    assert holder._from_proc(str(port), tmp_path / "proc") == (2, "screen")
    assert holder._from_proc(str(tmp_path / "none"), tmp_path / "proc") is None
