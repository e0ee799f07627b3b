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
from workshop_helpers.paths import ROOT

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
    assert found and "CP210x" in found.what and found.matters
    reader = text.replace("VID_10C4", "VID_27C6")  # a fingerprint reader's
    other = system.windows_problem(reader)
    assert other and not other.matters and "27C6:EA60" in other.what
    assert system.windows_problem(reader + "\n" + text).matters
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
        ("http://[fe80::1]:8765/", "fe80"),
        ("it is fe80::1c2b:3aff:fe4d:5e6f%en0.", "1c2b"),
        ("or 2001:db8::5", "db8"),
        ("mac f412.fa9c.2b40", "f412"),
        ("joined the network 'My Home'", "My Home"),
        ("SSID \"My Home\"", "My Home"),
        ("http://graces-laptop:8765/: each file", "graces"),
        ("socket://graces-laptop.local:5000", "graces"),
        ("http://files.firm.example/x", "firm"),
        ("file://server01/x", "server01"),
        ("//server01/grace$/x", "server01"),
        (r"\\\\server01\\grace$\\x", "server01"),
        ("/media" "/grace/STICK/bundle", "grace"),
        ("/run/media" "/grace/STICK/bundle", "grace"),
        ("/Volumes/GRACES STICK/bundle", "GRACES"),
        ("C:\\Documents and Settings" r"\Grace H\x", "Grace"),
        ("/dev/cu.GracesiPhone-WirelessiAP", "Graces"),
        ("USB VID:PID=303A:1001 SER=1 LOCATION=20-1.2", "20-1"),
        ("usb 1-1.4: ch341-uart converter", "1-1.4"),
        ("graces-laptop.local: no computer of this name is known", "graces"),
        ("graces-laptop.fritz.box does not answer", "graces"),
        ("Authorization: Bearer hunter2", "hunter2"),
        ("MQTT_USER=hunter2", "hunter2"),
        ("username: hunter2", "hunter2"),
        ("login='hunter2'", "hunter2"),
        ("/mnt/c/Users" "/Grace H/x", "Grace"),
    ],
)  # fmt: skip
def test_what_is_private_goes(text, private):
    cleaned = without_private(text, ["ada", "babbage"])
    assert private.lower() not in cleaned.lower()


@pytest.mark.parametrize(
    "text",
    ["Python 3.11.7 on Linux x86_64", "/dev/ttyACM0", "COM5", "socket://127.0.0.1:5000", ".mpy 6.3",
     "emlearn_trees sha256:0123456789ab", "Canada, 239 as locked", "262144 bytes", "ESP32-S3",
     "emlearn_trees: official, SHA-256 0123456789ab", "at 12:30:45", "[::1]:80, ::1", "std::move",
     "http://localhost:8765/", "https://micropython.org/download/", "Write it as socket://host:port",
     "/lib/emlearn_trees.mpy", "usbipd bind --busid 1-4", "/dev/pts/0", "/dev/cu.usbmodem",
     "~/.local/share/jupyter", "you may not open it: ask its owner", "connect('virtual')"],
)  # fmt: skip
def test_what_helps_stays(text):
    assert without_private(text, ["ada", "babbage"]) == text


def test_this_user_is_known(monkeypatch):
    monkeypatch.setenv("USERNAME", "grace-hopper")
    assert "grace-hopper" in own_names() and "root" not in own_names()
    assert "grace" not in without_private("made by Grace-Hopper")


def test_an_account_that_an_output_logs_in_with_is_known(monkeypatch):
    monkeypatch.setenv("MQTT_USER", "marvin42")
    monkeypatch.setenv("BROKER_USERNAME", "trillian")
    cleaned = without_private("the broker knows no marvin42 or trillian; user, 42")
    assert cleaned == "the broker knows no ~ or ~; user, 42"


@pytest.mark.parametrize(
    "home",
    ["/home" "/O'Brien, P", "/srv/all/Jörg Müller", "C:\\Users" "\\O'Brien", "D:\\all\\ada (2)"],
)  # fmt: skip
def test_this_home_goes_whatever_it_is_called(monkeypatch, home):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, home)
    monkeypatch.setenv("USER", "board")  # a word of reports, which may stay where it stands alone
    for written in (home, home.replace("\\", "/"), home.replace("\\", "\\\\")):
        cleaned = without_private(f"the board's cache is {written}/.cache/x, whole")
        assert cleaned == "the board's cache is ~/.cache/x, whole"


def test_folders_and_addresses_that_were_set_go(monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", "/srv/secret project/cache/")
    monkeypatch.setenv("WORKSHOP_MIRROR", "ftp://somebody")
    monkeypatch.setenv("WORKSHOP_MODULES", "workshop")
    monkeypatch.setenv("WORKSHOP_PORT", "/dev/ttyACM0")
    text = f"/srv/secret project/cache/a; ftp://somebody; /dev/ttyACM0; {ROOT}/data; workshop"
    cleaned = "<WORKSHOP_CACHE>/a; <WORKSHOP_MIRROR>; /dev/ttyACM0; <workshop>/data; workshop"
    assert without_private(text) == cleaned


def test_a_computer_of_an_accented_name_goes_however_it_is_encoded(monkeypatch):
    monkeypatch.setenv("USERNAME", "rené")
    assert "ren" not in without_private("by rene\N{COMBINING ACUTE ACCENT} and René")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_process_that_ends_meanwhile_does_not_hide_the_holder(tmp_path, monkeypatch):
    port = tmp_path / "tty"
    port.touch()
    for number, name in ((1, "gone"), (2, "screen")):
        process = tmp_path / "proc" / str(number)
        process.mkdir(parents=True)
        (process / "fd").mkdir()
        (process / "comm").write_bytes(name.encode() + b"\xc3\n")  # cut in the middle of a letter
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
    assert holder._from_proc(str(port), tmp_path / "proc") == (2, "screen\N{REPLACEMENT CHARACTER}")
    assert holder._from_proc(str(tmp_path / "none"), tmp_path / "proc") is None
