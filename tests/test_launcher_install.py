"""workshop.py for real, in a small project of its own whose lock holds one package of ours.

Needs a package index (as pip is configured), and skips without one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop_helpers.paths import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="not tried on Windows yet"),
]

PYPROJECT = """
[build-system]
requires = ["flit_core>=3.9,<5"]
build-backend = "flit_core.buildapi"
[project]
name = "tiny-workshop"
version = "1"
description = "stands in for the project"
[project.scripts]
workshop = "workshop_helpers.cli:main"
[tool.flit.module]
name = "workshop_helpers"
"""
CLI = """
import json, sys
def main():
    print(json.dumps([sys.prefix, sys.argv[1:]]))
    raise SystemExit(7 if "--seven" in sys.argv else 0)
"""
UNREACHABLE = {  # a port nobody listens on
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_RETRIES": "0",
    "PIP_CONFIG_FILE": os.devnull,
}


def entry(lock: str, name: str) -> str:
    """One package's lines of a lock."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = re.search(rf"^{name}==.*\n(?:    --hash.*\n)+", text, re.MULTILINE)
    assert found, f"{name} is not in {lock}"
    return found[0]


class Project:
    """A copy of the launcher beside a project that installs quickly."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.venv = folder, folder / "environment"
        package = folder / "workshop_helpers"
        package.mkdir(parents=True)
        shutil.copy(ROOT / "workshop.py", folder)
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "requirements.lock").write_text(entry("requirements.lock", "flit-core"))
        (folder / "requirements-test.lock").write_text(entry("requirements-test.lock", "iniconfig"))
        (package / "__init__.py").write_text("")
        (package / "cli.py").write_text(CLI)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        # The path without uv: what is tried here is pip, which everybody has.
        mine = {"WORKSHOP_VENV": str(self.venv), "PATH": os.defpath, **environment}
        return subprocess.Popen(
            [sys.executable, str(self.folder / "workshop.py"), *arguments],
            env={**os.environ, **mine},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=110)
        if "network did not deliver" in err and environment != UNREACHABLE:
            pytest.skip("no package index reachable; connect, or set PIP_FIND_LINKS to wheels")
        return process.returncode, out, err

    def installed(self, name: str) -> bool:
        return any(self.venv.glob(f"lib/python*/site-packages/{name}-*.dist-info/RECORD"))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Set up once, by two launchers at the same time."""
    project = Project(tmp_path_factory.mktemp("project of mine"))
    both = [project.start("doctor", "--port", "x"), project.start("board")]
    project.first = [(*process.communicate(timeout=110), process.returncode) for process in both]
    if any("network did not deliver" in err for _, err, _ in project.first):
        pytest.skip("no package index reachable; connect, or set PIP_FIND_LINKS to wheels")
    return project


def test_two_at_once_share_one_set_up(project):
    assert [code for _, _, code in project.first] == [0, 0], project.first
    answers = [json.loads(out) for out, _, _ in project.first]
    assert answers == [
        [str(project.venv), ["doctor", "--port", "x"]],
        [str(project.venv), ["board"]],
    ]
    said = "".join(err for _, err, _ in project.first)
    assert said.count("making the environment") == 1
    assert said.count("waiting for it") <= 1


def test_the_next_run_says_nothing_and_passes_the_exit_code_on(project):
    code, out, err = project.run("doctor", "--seven")
    assert (code, err) == (7, "")
    assert json.loads(out)[1] == ["doctor", "--seven"]


def test_tests_need_more_and_get_it(project):
    assert not project.installed("iniconfig")
    code, _, err = project.run("test")
    assert code == 0 and "what the tests need" in err and "making" not in err
    assert project.installed("iniconfig")
    assert project.run("test")[2] == ""


def test_what_somebody_deleted_is_put_back(project):
    (package,) = project.venv.glob("lib/python*/site-packages/flit_core")
    shutil.rmtree(package)
    code, _, err = project.run("doctor")
    assert code == 0, err
    assert "missing or damaged" in err and ": flit_core; putting it back" in err
    assert (package / "buildapi.py").exists() and project.installed("iniconfig")
    assert project.run("doctor")[2] == ""


def test_the_demo_puts_back_what_is_gone_from_anywhere(project):
    """As the doctor says: a front end of JupyterLab's is in no folder that is looked at always."""
    (licence,) = project.venv.glob("lib/python*/site-packages/flit_core-*/licenses/LICENSE")
    licence.unlink()
    assert project.run("doctor")[2] == "" and not licence.exists()
    code, _, err = project.run("demo")
    assert code == 0 and ": flit_core; putting it back" in err, err
    assert licence.exists() and project.run("demo")[2] == ""


def test_changed_metadata_is_installed_without_network(project):
    path = project.folder / "pyproject.toml"
    path.write_text(PYPROJECT.replace('version = "1"', 'version = "2"'))
    code, _, err = project.run("doctor", **UNREACHABLE)
    assert code == 0, err
    assert "installing the workshop itself" in err and "what the workshop needs" not in err
    assert any(project.venv.glob("lib/python*/site-packages/tiny_workshop-2.dist-info"))


def test_no_network_is_said_and_the_next_run_goes_on(project):
    (record,) = project.venv.glob("lib/python*/site-packages/flit_core-*.dist-info/RECORD")
    record.unlink()  # as if killed in the middle of it
    lock = project.folder / "requirements.lock"
    lock.write_text("# changed\n" + lock.read_text())
    code, out, err = project.run("doctor", **UNREACHABLE)
    assert code == 1 and out == ""
    assert "the network did not deliver everything" in err and "run the same command again" in err
    code, _, err = project.run("doctor")
    assert code == 0, err
    assert "making the environment" not in err
    assert project.installed("flit_core")


def test_a_file_that_is_not_the_locked_one_is_refused(project):
    lock = project.folder / "requirements.lock"
    good = lock.read_text()
    version = re.search(r"flit-core==(\S+)", good)[1]
    try:
        lock.write_text(f"flit-core=={version} --hash=sha256:{'0' * 64}\niniconfig==2.0.0\n")
        code, _, err = project.run("doctor")
        assert code == 1 and "lacks a hash" in err
        lock.write_text(f"flit-core==3.9.0 --hash=sha256:{'0' * 64}\n")
        code, _, err = project.run("doctor")
        assert code == 1 and "not what the lock file expects" in err
    finally:
        lock.write_text(good)
    assert project.run("doctor")[0] == 0


def test_a_python_that_is_gone_is_mended(project):
    for python in (project.venv / "bin").glob("python*"):
        python.unlink()
    code, out, err = project.run("doctor")
    assert code == 0, err
    assert "its Python does not run any more" in err
    assert json.loads(out)[0] == str(project.venv)
