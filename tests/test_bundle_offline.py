"""workshop.py --bundle with the network really cut off: in a namespace of its own if we may."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundle_project import CUT_OFF, BundleProject

import workshop
from workshop_helpers import paths
from workshop_helpers.bundle.make import Wanted, make_bundle
from workshop_helpers.bundle.requirements import this_platform
from workshop_helpers.bundle.serve import BundleServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="not tried on Windows yet"),
]


@functools.cache
def cut() -> tuple[str, ...]:
    """What to put before a command so that it has no network at all; () if we may not."""
    for command in (("unshare", "-n"), ("unshare", "-rn")):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "true"], capture_output=True, timeout=30)
            if done.returncode == 0:
                return command
    return ()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A small project and a bundle of it with wheels."""
    folder = tmp_path_factory.mktemp("a room")
    project = BundleProject(folder / "project of mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "ROOT", project.folder)
        for name, value in project.only_own_wheels.items():
            patch.setenv(name, value)
        project.bundle = folder / "the bundle"
        make_bundle(project.bundle, Wanted(boards=()))
    return project


@pytest.fixture
def fresh(room):
    """No environment yet, and the bundle whole."""
    kept = {path: path.read_bytes() for path in room.bundle.rglob("*") if path.is_file()}
    shutil.rmtree(room.venv, ignore_errors=True)
    yield room
    for path, data in kept.items():
        path.write_bytes(data)


def refused(result, *says):
    assert result.returncode in (1, 2), result.stderr
    assert all(text in result.stderr for text in says), result.stderr
    assert "What to do" in result.stderr or "needs a" in result.stderr


def test_without_the_bundle_there_is_no_way(fresh):
    """That the network is really cut off: the same command, and nowhere to go."""
    result = fresh.run("doctor", before=cut(), **CUT_OFF)
    refused(result, "network did not deliver")


@pytest.mark.parametrize("how", ["folder", "variable", "equals sign"])
def test_from_a_folder(fresh, how):
    place = str(fresh.bundle)
    arguments = {"folder": ("--bundle", place), "equals sign": (f"--bundle={place}",)}.get(how, ())
    variable = {"WORKSHOP_BUNDLE": place} if how == "variable" else {}
    result = fresh.run(*arguments, "doctor", "--x", before=cut(), **CUT_OFF, **variable)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [
        ["doctor", "--x"],
        {"WORKSHOP_MIRROR": place, "WORKSHOP_BUNDLE": place},
    ]
    assert "checking the bundle" in result.stderr and "from the bundle" in result.stderr
    again = fresh.run("doctor", *arguments, before=cut(), **CUT_OFF, **variable)
    assert again.returncode == 0 and again.stderr == ""


def test_from_an_address(fresh):
    """The one place that may be reached is the bundle's; the proxies lead nowhere."""
    with BundleServer(fresh.bundle, port=0) as server:
        url = server.urls[0]
        result = fresh.run("--bundle", url, "doctor", **CUT_OFF)
    assert result.returncode == 0, result.stderr
    place = url.rstrip("/")
    known = {"WORKSHOP_MIRROR": place, "WORKSHOP_BUNDLE": place}
    assert json.loads(result.stdout) == [["doctor"], known]
    refused(fresh_run_without(fresh, url), "is not a whole bundle")


def fresh_run_without(fresh, url):
    shutil.rmtree(fresh.venv)
    return fresh.run("--bundle", url, "doctor", **CUT_OFF)  # its server is gone


def test_the_project_from_the_bundle(fresh, tmp_path):
    """What an attendee does: unpack, run."""
    shutil.unpack_archive(fresh.bundle / "workshop.zip", tmp_path)
    environment = {**os.environ, **CUT_OFF, "PATH": os.defpath}
    environment["WORKSHOP_VENV"] = str(tmp_path / "venv")
    started = [sys.executable, "workshop.py", "--bundle", str(fresh.bundle), "doctor"]
    result = subprocess.run(
        [*cut(), *started],
        cwd=tmp_path / "workshop",
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stderr


# --- refused ----------------------------------------------------------------------------------
def test_a_damaged_wheel(fresh):
    (wheel,) = (fresh.bundle / "wheels").iterdir()
    data = wheel.read_bytes()
    wheel.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    refused(fresh.run("--bundle", str(fresh.bundle), "doctor"), wheel.name, "is damaged")
    wheel.unlink()
    refused(fresh.run("--bundle", str(fresh.bundle), "doctor"), "not whole")


def test_a_wheel_and_manifest_changed_together(fresh):
    """The lock beside workshop.py is what counts: the installer refuses."""
    import hashlib

    (wheel,) = (fresh.bundle / "wheels").iterdir()
    data = wheel.read_bytes() + b"\0"
    wheel.write_bytes(data)
    path = fresh.bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][f"wheels/{wheel.name}"]["sha256"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(manifest))
    result = fresh.run("--bundle", str(fresh.bundle), "doctor", **CUT_OFF)
    refused(result, "not what the lock file expects")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lock_sha256": "0" * 64}, "another state of the workshop"),
        ({"wheels": []}, "It has: none"),
        ({"wheels": [{"platform": "amiga-68k", "python": "3.11"}]}, "amiga-68k with Python 3.11"),
        ({"format": 2}, "its format"),
        ({"files": None}, "is not a whole bundle"),
    ],
)
def test_one_for_somebody_else(fresh, change, says):
    path = fresh.bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    refused(fresh.run("--bundle", str(fresh.bundle), "doctor"), says)


def test_without_what_the_tests_need(fresh):
    (fresh.folder / "requirements-test.lock").write_text("# something\n")
    refused(fresh.run("--bundle", str(fresh.bundle), "test"), "--tests")


def test_no_bundle_at_all(fresh, tmp_path):
    refused(fresh.run("--bundle"), "--bundle needs a folder or an address")
    refused(fresh.run("--bundle", str(tmp_path), "doctor"), "is not a whole bundle")
    assert not Path(fresh.venv, "bin", "workshop").exists()


# --- how the launcher sees wheels -------------------------------------------------------------
def test_an_address_as_people_type_it(monkeypatch):
    monkeypatch.setattr(workshop, "BUNDLE", [])
    assert workshop.take_bundle(["--bundle", "http://laptop:8765/my bündle%20/", "x"]) == ["x"]
    assert workshop.BUNDLE == ["http://laptop:8765/my%20b%C3%BCndle%20"]


def test_one_name_for_a_platform():
    assert workshop.platform_name() == this_platform()


@pytest.mark.parametrize(
    ("wheel", "here"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-manylinux1_x86_64.whl", True),
        ("a-1-cp39-abi3-manylinux_2_17_x86_64.whl", True),
        ("a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.whl", False),
        ("a-1-cp312-cp312-macosx_11_0_arm64.whl", False),
        ("a-1-cp312-cp312-win_amd64.whl", False),
    ],
)
def test_which_wheels_are_read(wheel, here):
    assert workshop.may_run_here(wheel, "linux-x86_64", "3.12") is here
