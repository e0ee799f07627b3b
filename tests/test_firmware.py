"""Flashing: files by their headers, refusals, esptool against the practice chip, UF2 drives."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import sys
import threading
import time

import pytest
from typer.testing import CliRunner

from workshop_helpers.board import PortRecord, catalogue
from workshop_helpers.cli import app
from workshop_helpers.errors import (
    FirmwareFileError,
    FlashingError,
    FlashToolError,
    NoBoardError,
    NoBootLoaderError,
    OldFirmwareError,
    WrongChipError,
)
from workshop_helpers.firmware import PracticeChip, flash, practice_firmware
from workshop_helpers.firmware.flash import detect
from workshop_helpers.firmware.image import check_image, parse_image, read_image, same_chip
from workshop_helpers.firmware.loader import Loader, slip, unslip
from workshop_helpers.firmware.sources import find_firmware, newest
from workshop_helpers.firmware.tools import esptool_environment
from workshop_helpers.firmware.uf2 import copy_to_drive, find_drives, mount_points, wait_for_drive

C3, PICO = catalogue.find("esp32-c3"), catalogue.find("pico")


def uf2(family=0xE48BFF56, text=b"MicroPython v1.27.0 on 2025-12-09", blocks=3):
    content = text.ljust(256 * blocks, b"\0")
    made = b""
    for n in range(blocks):
        part = content[256 * n : 256 * n + 256]
        head = struct.pack(
            "<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * n, 256, n, blocks, family
        )
        made += head + part.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    return made


# --- files --------------------------------------------------------------------------------------
def test_an_espressif_image_says_its_chip_and_version():
    image = parse_image("a.bin", practice_firmware("ESP32-S3", "1.26.1"))
    assert (image.kind, image.chip, image.version) == ("esp", "ESP32-S3", (1, 26, 1))
    assert "ESP32-S3" in repr(image) and "1.26.1" in image._repr_html_()


def test_a_uf2_file_says_its_family_and_version_across_blocks():
    text = bytes(250) + b"MicroPython v1.25.0 on 2025-04-15"
    image = parse_image("a.uf2", uf2(text=text))
    assert (image.kind, image.chip, image.version) == ("uf2", "RP2040", (1, 25, 0))


def test_hex_and_dfu_are_known():
    row = b"MicroPython v1.24.1"
    line = b":%02X000000%s00\n" % (len(row), row.hex().upper().encode())
    assert parse_image("a.hex", line).version == (1, 24, 1)
    assert parse_image("a.dfu", b"DfuSe" + bytes(100)).kind == "dfu"


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"\xe9", uf2()[:-5]])
def test_what_is_no_firmware_is_refused(data, tmp_path):
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(FirmwareFileError):
        read_image(tmp_path / "x.bin")
    with pytest.raises(FirmwareFileError):
        read_image(tmp_path / "nothing.bin")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ESP32-D0WD-V3 (revision v3.0)", "ESP32", True),
        ("esp32s3", "ESP32-S3", True),
        ("ESP32-S3", "ESP32", False),
        ("ESP32-C6", "ESP32-C3", False),
        ("RP2040", "RP2350", False),
    ],
)
def test_names_of_chips(one, other, same):
    assert same_chip(one, other) is same


def test_the_wrong_chip_the_wrong_kind_and_the_too_old_are_refused():
    good = parse_image("a.bin", practice_firmware("ESP32-C3"))
    check_image(good, C3)
    with pytest.raises(WrongChipError):
        check_image(parse_image("a.bin", practice_firmware("ESP32")), C3)
    with pytest.raises(WrongChipError, match=r"answers is an ESP32-S3"):
        check_image(good, C3, "ESP32-S3")
    with pytest.raises(WrongChipError):
        check_image(parse_image("a.uf2", uf2(0xE48BFF59)), PICO)
    with pytest.raises(FirmwareFileError):
        check_image(parse_image("a.hex", b":0100000000FF\n"), PICO)
    with pytest.raises(OldFirmwareError) as error:
        check_image(parse_image("a.bin", practice_firmware("ESP32-C3", "1.23.0")), C3)
    assert "1.24" in error.value.mend


# --- which file ---------------------------------------------------------------------------------
def test_the_newest_of_this_board_and_variant(tmp_path):
    for name in (
        "ESP32_GENERIC_C3-20241025-v1.24.0.bin",
        "ESP32_GENERIC_C3-20251209-v1.27.0.bin",
        "ESP32_GENERIC_C3-20250415-v1.9.0.bin",
        "ESP32_GENERIC_S3-20251209-v1.28.0.bin",
        "ESP32_GENERIC_S3-SPIRAM_OCT-20251209-v1.27.0.bin",
        "ESP32_GENERIC_C3-20251209-v1.29.0.elf",
    ):
        (tmp_path / name).touch()
    found = newest(C3, tmp_path)
    assert found is not None and found.name.endswith("-v1.27.0.bin")
    watch = newest(catalogue.find("t-watch-s3"), tmp_path)
    assert watch is not None and "SPIRAM_OCT" in watch.name
    assert newest(PICO, tmp_path) is None


def test_a_bundle_is_looked_into_and_else_the_page_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKSHOP_BUNDLE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FirmwareFileError) as error:
        find_firmware(PICO)
    assert "https://micropython.org/download/RPI_PICO/" in error.value.mend
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "RPI_PICO-20251209-v1.27.0.uf2").touch()
    assert find_firmware(PICO).name == "RPI_PICO-20251209-v1.27.0.uf2"


# --- the loader's protocol ----------------------------------------------------------------------
def command(op, data=b"", checksum=0):
    return slip(struct.pack("<BBHI", 0, op, len(data), checksum) + data)


def answer(loader, *frames):
    return [unslip(reply[1:-1]) for frame in frames for reply in loader.feed(frame)]


def test_slip_is_undone():
    packet = bytes(range(256))
    assert unslip(slip(packet)[1:-1]) == packet and slip(packet).count(b"\xc0") == 2


def test_a_sync_is_answered_eight_times_however_it_arrives():
    loader = Loader("ESP32", bytearray(4096))
    frame = command(8, b"\x07\x07\x12\x20" + b"\x55" * 32)
    replies = [reply for byte in frame for reply in loader.feed(bytes([byte]))]
    assert len(replies) == 8


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (command(0x03, struct.pack("<IIII", 4, 0, 0, 0) + b"abcd", 0), 7),  # checksum
        (command(0x02, struct.pack("<IIII", 8192, 8, 1024, 0)), 8),  # outside of the flash
        (command(0xD0), 5),  # only the stub knows it
        (command(0x14), 5),  # an ESP32 does not know it
        (command(0x0A, b"\0"), 5),  # too short
    ],
)
def test_what_a_chip_refuses(frame, code):
    flash_before = bytearray(b"old!" * 1024)
    loader = Loader("ESP32", flash_before)
    (reply,) = answer(loader, frame)
    assert reply[8:10] == bytes([1, code])
    assert loader.flash == b"old!" * 1024


# --- esptool itself, against the practice chip ----------------------------------------------------
@pytest.fixture(scope="module")
def esptool():
    """esptool is fetched once; without a network these tests can't run."""
    try:
        esptool_environment()
    except FlashToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def c3_file(tmp_path):
    path = tmp_path / "ESP32_GENERIC_C3-20251209-v1.27.0.bin"
    path.write_bytes(practice_firmware("ESP32-C3"))
    return path


@pytest.mark.usefixtures("esptool")
@pytest.mark.parametrize(("board", "chip"), [("esp32-c3", "ESP32-C3"), ("esp32", "ESP32")])
def test_esptool_erases_writes_and_verifies(board, chip, tmp_path):
    data = practice_firmware(chip)
    (tmp_path / "f.bin").write_bytes(data)
    steps = []
    with PracticeChip(chip, waiting=True) as practice:
        practice.flash[0x300000:0x300003] = b"old"
        done = flash(board, practice, tmp_path / "f.bin", progress=lambda n, of: steps.append(n))
        start = catalogue.find(board).flash_offset
        assert practice.flash[start : start + len(data)] == data
        assert practice.flash[0x300000:0x300003] == b"\xff\xff\xff"
        practice.press_reset()
        assert "MicroPython v1.27.0 is in flash" in practice.boot_log
    assert done.chip == chip and done.version == "1.27.0" and "MD5" in done.checked
    assert steps == sorted(steps) and steps[-1] >= len(data) > steps[0]


@pytest.mark.usefixtures("esptool")
def test_files_can_be_kept(c3_file):
    with PracticeChip(waiting=True) as practice:
        practice.flash[0x300000:0x300003] = b"old"
        flash("esp32-c3", practice, c3_file, erase=False, progress=False)
        assert practice.flash[0x300000:0x300003] == b"old"


@pytest.mark.usefixtures("esptool")
def test_another_chip_than_the_board_has_is_refused_before_erasing(c3_file):
    with PracticeChip("ESP32", waiting=True) as practice:
        practice.flash[:4] = b"keep"
        with pytest.raises(WrongChipError, match="an ESP32, but"):
            flash("esp32-c3", practice, c3_file, progress=False)
        assert practice.flash[:4] == b"keep"


@pytest.mark.usefixtures("esptool")
def test_a_chip_that_runs_its_program_does_not_answer(c3_file):
    with PracticeChip() as practice:
        with pytest.raises(NoBootLoaderError) as error:
            flash("esp32-c3", practice, c3_file, progress=False)
        assert C3.boot_steps[0] in error.value.mend
        practice.hold_boot()
        practice.press_reset()
        practice.release_boot()
        assert practice.waiting and "waiting for download" in practice.boot_log
        assert detect(practice) == "ESP32-C3"
        practice.press_reset()
        assert not practice.waiting and "no program in flash" in practice.boot_log


@pytest.mark.usefixtures("esptool")
def test_a_port_that_is_not_there(c3_file):
    with pytest.raises(NoBoardError):
        flash("esp32-c3", "/dev/no-such-port", c3_file, progress=False)
    with pytest.raises(NoBoardError):
        flash("esp32-c3", None, c3_file)


@pytest.mark.usefixtures("esptool")
def test_a_board_unplugged_in_the_middle(c3_file):
    with PracticeChip(waiting=True) as practice, pytest.raises(FlashingError):
        flash("esp32-c3", practice, c3_file, progress=lambda n, of: practice.close())


def test_a_worker_that_ends_too_early_has_not_written(c3_file, tmp_path, monkeypatch):
    worker = tmp_path / "worker.py"
    worker.write_text("""print('{"event": "chip", "chip": "ESP32-C3"}')""")
    module = sys.modules[flash.__module__]  # the package has the function under its name
    monkeypatch.setattr(module, "_WORKER", worker)
    monkeypatch.setattr(module, "esptool_environment", lambda say: dict(os.environ))
    with PracticeChip(waiting=True) as practice, pytest.raises(FlashingError, match="without a"):
        flash("esp32-c3", practice, c3_file, progress=False)


# --- UF2 drives -----------------------------------------------------------------------------------
@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "media" / "RPI-RP2"
    folder.mkdir(parents=True)
    (folder / "INFO_UF2.TXT").write_text(
        "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
    )
    return folder


def test_a_drive_is_found_by_what_is_on_it(drive):
    (found,) = find_drives(drive.parent.iterdir())
    assert (found.model, found.board_id) == ("Raspberry Pi RP2", "RPI-RP2")
    assert wait_for_drive(PICO, 1, drive.parent.iterdir).path == drive
    with pytest.raises(WrongChipError):
        wait_for_drive(catalogue.find("pico-2"), 0, drive.parent.iterdir)
    said = []
    with pytest.raises(NoBootLoaderError, match="RPI-RP2"):
        wait_for_drive(PICO, 0, list, said.append)
    assert not said
    with pytest.raises(NoBootLoaderError, match="RPI-RP2"):
        wait_for_drive(PICO, 0.3, list, said.append)
    assert len(said) == 1 and "Hold BOOTSEL" in said[0]


@pytest.fixture
def restarting(drive):
    """A board that takes f.uf2 from its drive."""

    def restart():
        while not (drive / "f.uf2").exists():
            time.sleep(0.01)
        time.sleep(0.3)
        shutil.rmtree(drive)

    board = threading.Thread(target=restart)
    board.start()
    yield
    board.join(10)


@pytest.mark.usefixtures("restarting")
def test_copying_ends_when_the_drive_vanishes(drive):
    (found,) = find_drives([drive])
    steps = []
    copy_to_drive(found, uf2(), "f.uf2", lambda n, of: steps.append((n, of)))
    assert steps[-1][0] == steps[-1][1] == len(uf2())


@pytest.mark.usefixtures("restarting")
def test_a_port_may_take_its_time_to_come_back(drive, tmp_path, monkeypatch, virtual_board):
    (tmp_path / "f.uf2").write_bytes(uf2())
    other = PortRecord("/dev/other-board", vid=0x303A, pid=0x4001)
    mine = PortRecord(virtual_board.port, vid=0x2E8A, pid=0x0005)
    looks = iter([[other], [other]])
    monkeypatch.setattr("workshop_helpers.board.list_ports", lambda: next(looks, [other, mine]))
    monkeypatch.setattr("workshop_helpers.firmware.uf2.mount_points", lambda: [drive])
    done = flash(PICO, "virtual", tmp_path / "f.uf2", progress=False)  # as WORKSHOP_PORT may say
    assert f"answers at {virtual_board.port}" in done.checked


@pytest.mark.usefixtures("restarting")
def test_a_drive_that_fails_to_answer_has_vanished(drive, monkeypatch):
    (found,) = find_drives([drive])
    stat = os.stat

    def failing(path, **options):
        if str(path).endswith("INFO_UF2.TXT"):
            raise OSError(errno.EIO, "Input/output error")
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", failing)
    copy_to_drive(found, uf2(), "f.uf2", lambda n, of: None)


def test_a_drive_that_stays_took_nothing(drive):
    (found,) = find_drives([drive])
    with pytest.raises(FlashingError, match="still there"):
        copy_to_drive(found, uf2(), "f.uf2", lambda n, of: None, vanish_timeout_s=0.1)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_places_of_drives_are_asked_for_without_error(platform, monkeypatch):
    assert isinstance(mount_points(platform), list)

    def nobody():
        raise OSError("No username set in the environment")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert isinstance(mount_points(platform), list)


# --- the command ----------------------------------------------------------------------------------
def test_the_list_has_every_board():
    done = CliRunner().invoke(app, ["flash", "--list", "--json"])
    rows = json.loads(done.stdout)["boards"]
    assert len(rows) == len(catalogue.all_boards())
    assert {"esp32-c3-devkitm", "ESP32_GENERIC_C3"} <= {v for row in rows for v in row.values()}


@pytest.mark.usefixtures("esptool")
def test_the_command_writes_and_answers_in_json(c3_file):
    with PracticeChip(waiting=True) as practice:
        # Nothing runs on the practice chip, so the look afterwards finds nothing: said, exit 1.
        done = CliRunner().invoke(
            app,
            f"flash --yes --json --board esp32-c3 --port {practice.port} --firmware {c3_file}",
        )
        assert isinstance(done.exception, FlashingError)
        assert "no MicroPython answers" in str(done.exception)
        assert practice.flash[:4] == c3_file.read_bytes()[:4]


@pytest.mark.parametrize("board", ["teensy-41", "pyboard-v11", "nucleo-f446re"])
def test_boards_of_other_programs_are_explained(board):
    with pytest.raises(FlashToolError) as error:
        flash(board)
    assert catalogue.find(board).download_page in error.value.mend


def test_boards_of_other_programs_need_no_firmware_to_be_explained():
    done = CliRunner().invoke(app, ["flash", "--board", "teensy-41"])
    assert isinstance(done.exception, FlashToolError)


def test_nothing_is_erased_without_a_yes(c3_file):
    arguments = ["flash", "--board", "esp32-c3", "--port", "x", "--firmware", str(c3_file)]
    done = CliRunner().invoke(app, arguments)
    assert "--yes" in str(done.exception.mend)
