"""Firmware fetched by mpflash, with a program of the same options in its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workshop_helpers.board.catalogue import find
from workshop_helpers.bundle import firmware as for_a_bundle
from workshop_helpers.errors import BundleError, FirmwareFileError
from workshop_helpers.firmware import find_firmware, mpflash

# As mpflash does: a folder a port, files named by board, date and version.
STAND_IN = """
import os, pathlib, sys
assert sys.argv[1:5] == ["download", "--version", "stable", "--board"], sys.argv
board = sys.argv[5]
if board == "NONE":
    sys.exit("no such board in the index")
folder = pathlib.Path(os.environ["MPFLASH_FIRMWARE"], "port")
folder.mkdir()
for version in ("20250101-v1.24.0", "20251209-v1.27.0"):
    (folder / f"{board}-{version}.uf2").write_bytes(version.encode())
(folder / "notes.txt").write_text("no firmware")
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    script = tmp_path / "mpflash.py"
    script.write_text(STAND_IN, encoding="utf-8")
    monkeypatch.setattr(mpflash, "program", lambda: [sys.executable, str(script)])
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    for name in ("WORKSHOP_BUNDLE", "WORKSHOP_MIRROR"):
        monkeypatch.delenv(name, raising=False)


def test_the_newest_is_fetched_once_and_kept(installed, tmp_path, monkeypatch):
    found = find_firmware(find("pico"))
    assert (
        found.name == "RPI_PICO-20251209-v1.27.0.uf2" and found.read_bytes() == b"20251209-v1.27.0"
    )
    assert found.is_relative_to(tmp_path / "cache")
    monkeypatch.setattr(mpflash, "program", lambda: None)
    assert find_firmware(find("pico")) == found


def test_what_it_says_is_passed_on(installed, tmp_path):
    with pytest.raises(FirmwareFileError, match="no such board in the index"):
        mpflash.download("NONE", tmp_path)
    # A board whose files have another suffix: mpflash brought something, and nothing that fits.
    with pytest.raises(FirmwareFileError, match=r"org/download/ESP32_GENERIC_C3"):
        find_firmware(find("esp32-c3"))


def test_a_bundle_takes_all_of_it(installed, tmp_path):
    folder = tmp_path / "firmware"
    folder.mkdir()
    for_a_bundle.gather(folder, [], ["RPI_PICO"], lambda *step: None)
    assert sorted(path.suffix for path in folder.iterdir()) == [".uf2", ".uf2"]
    with pytest.raises(BundleError, match="no such board") as error:
        for_a_bundle.gather(folder, [], ["NONE"], lambda *step: None)
    assert "--firmware" in error.value.mend


def test_without_it_the_page_is_named(installed, monkeypatch):
    monkeypatch.setattr(mpflash, "program", lambda: None)
    with pytest.raises(FirmwareFileError) as error:
        find_firmware(find("pico"))
    assert error.value.mend and "micropython.org/download/RPI_PICO" in error.value.mend


def test_one_that_does_not_start_is_said(installed, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(mpflash, "program", lambda: [str(tmp_path / "nothing")])
    with pytest.raises(FirmwareFileError, match="does not run"):
        mpflash.download("RPI_PICO", tmp_path)
