"""Drivers that sensors take from elsewhere: pinned, fetched by HTTP, bundled, deployed."""

from __future__ import annotations

import json
import re

import pytest
from bundle_project import BundleProject
from official_set import OfficialSet

from workshop_helpers import paths
from workshop_helpers.bundle.make import Wanted, make_bundle
from workshop_helpers.bundle.manifest import verify_bundle
from workshop_helpers.bundle.serve import BundleServer
from workshop_helpers.errors import BundleError, ModuleError, ModuleFetchError
from workshop_helpers.model import deploy as deploying
from workshop_helpers.modules import drivers, official

SOURCE = b"class BMI270:\n    def __init__(self, bus, address):\n        raise OSError(5)\n"


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A site that has one driver, one official module, and an empty cache."""
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WORKSHOP_MIRROR", raising=False)
    monkeypatch.setattr(official, "_silent", {})
    there = OfficialSet(tmp_path, monkeypatch)
    there.add("emlearn_trees", "x64", b"x64" * 99)
    there.path = there.add_driver("bmi270", SOURCE)
    yield there
    there.site.close()


def test_the_list_of_drivers_is_pinned():
    data = json.loads(drivers.drivers_file().read_bytes())
    assert re.fullmatch(r"[0-9a-f]{40}", data["commit"])
    known = drivers.drivers()
    assert set(known) == {"bmi270"}
    for name, locked in known.items():
        assert data["commit"] in locked.url and locked.url.endswith(f"/{name}.py")
        assert drivers.mip_name(name).endswith(f"/{name}.py@{data['commit']}")
        assert drivers.mip_name(name).startswith("github:micropython/micropython-lib/")
        source = paths.DEVICE_SCRIPTS / "sensors" / f"{name}.py"
        assert name in deploying._imports(source)


def test_a_driver_comes_from_the_site_once(there):
    assert drivers.fetch_driver("bmi270") == SOURCE
    assert drivers.fetch_driver("bmi270") == SOURCE
    assert there.site.asked == ["/" + there.path]
    assert drivers.driver_mpy("bmi270")[:2] == b"M\x06"


def test_another_file_is_refused(there, tmp_path):
    there.site.files[there.path] = SOURCE.replace(b"5", b"6")
    with pytest.raises(ModuleFetchError, match=r"bmi270 is needed .* SHA-256") as caught:
        drivers.fetch_driver("bmi270")
    assert "WORKSHOP_MIRROR" in caught.value.mend and "mip install github:" in caught.value.mend
    there.site.files.clear()
    with pytest.raises(ModuleFetchError, match="404"):
        drivers.fetch_driver("bmi270")


def test_a_damaged_list_is_an_error(there):
    for text in ("{", '{"drivers": {"../x": {}}}', '{"drivers": 3}'):
        drivers.drivers_file().write_text(text)
        with pytest.raises(ModuleError, match="list of drivers"):
            drivers.drivers()


def test_a_bundle_has_the_drivers_and_is_a_mirror_for_them(there, tmp_path, monkeypatch):
    project = BundleProject(tmp_path / "project")
    monkeypatch.setattr(paths, "ROOT", project.folder)
    folder = tmp_path / "bundle"
    manifest = make_bundle(folder, Wanted(platforms=()))
    assert {"drivers/bmi270.py", "drivers/README.txt"} <= manifest.files.keys()
    assert "MIT" in (folder / "drivers" / "README.txt").read_text()
    assert verify_bundle(folder).ok
    there.site.files.clear()
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "another"))
    assert drivers.fetch_driver("bmi270", str(folder)) == SOURCE
    with BundleServer(folder, port=0) as server:
        monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "a third"))
        monkeypatch.setenv("WORKSHOP_MIRROR", server.urls[0])
        assert drivers.fetch_driver("bmi270") == SOURCE
    # A file that agrees with the manifest, and not with what the workshop pins.
    there.add_driver("bmi270", SOURCE + b"#")
    assert "drivers.json" in verify_bundle(folder).faults["drivers/bmi270.py"]
    # Without official modules there are none, and nobody is asked.
    monkeypatch.delenv("WORKSHOP_MIRROR")
    manifest = make_bundle(folder, Wanted(boards=(), platforms=()))
    assert not any(name.startswith("drivers/") for name in manifest.files)


def test_a_bundle_without_its_drivers_is_none(there, tmp_path, monkeypatch):
    project = BundleProject(tmp_path / "project")
    monkeypatch.setattr(paths, "ROOT", project.folder)
    del there.site.files[there.path]
    with pytest.raises(BundleError, match="bmi270") as caught:
        make_bundle(tmp_path / "bundle", Wanted(platforms=()))
    assert "--no-official" in caught.value.mend


def test_deploy_brings_a_sensor_and_its_driver(there, board, small_model):
    report = board.deploy(
        small_model, app="har_live", sensor="bmi270", rate_hz=100, i2c_id=1, scl=15, sda=14
    )
    on_board = (*report.sent, *report.skipped)
    for path in ("bmi270.mpy", "sensors/bmi270.py", "i2c_sensor.py", "bosch_fifo.py"):
        assert f"/lib/{path}" in on_board
    board.exec("import bmi270")
    assert board.eval("bmi270.__file__") == "/lib/bmi270.mpy"
    board.exec("import sensors.bmi270")
    report = board.deploy(small_model, app="har_live", sensor="replay")
    assert "/lib/bmi270.mpy" not in (*report.sent, *report.skipped)
