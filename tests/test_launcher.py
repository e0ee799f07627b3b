"""workshop.py without a network: what it says, what it notices, what it refuses to touch."""

from __future__ import annotations

import ast
import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from http_site import Site, send

import workshop

SOURCE = Path(workshop.__file__)
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX paths")


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, str(SOURCE), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


# --- what an old Python sees ------------------------------------------------------------------
def test_python_3_6_can_read_it():
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_it_needs_nothing_but_the_standard_library():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
    assert names and {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("version", "fits"),
    [((3, 6), False), ((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False)],
)
def test_which_pythons_fit(version, fits):
    assert workshop.supported((*version, 0)) is fits
    text = workshop.python_message((*version, 0))
    assert f"Python {version[0]}.{version[1]}" in text and "What to do: " in text


# --- help -------------------------------------------------------------------------------------
@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_makes_no_environment(tmp_path, arguments):
    venv = tmp_path / "venv"
    result = run(*arguments, WORKSHOP_VENV=str(venv))
    assert result.returncode == 0
    assert all(f"\n  {name} " in result.stdout for name in workshop.COMMANDS)
    assert not venv.exists()


def test_help_lists_what_the_command_line_offers():
    from workshop_helpers.cli import app

    commands = {c.name or c.callback.__name__ for c in app.registered_commands}
    assert set(workshop.COMMANDS) == commands | {group.name for group in app.registered_groups}


def test_a_mistyped_command_costs_no_installation(tmp_path):
    result = run("dmeo", WORKSHOP_VENV=str(tmp_path / "venv"))
    assert result.returncode == 2
    assert "did you mean demo?" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_costs_no_installation(tmp_path, flag):
    import tomllib

    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    result = run(flag, WORKSHOP_VENV=str(tmp_path / "venv"))
    assert result.stdout.strip() == "workshop " + project["project"]["version"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "tools"), [(["test"], True), (["test", "--help"], False), (["demo"], False)]
)
def test_who_gets_the_test_tools(monkeypatch, arguments, tools):
    asked = []
    monkeypatch.setattr(workshop, "set_up", lambda venv, tests, thorough: asked.append(tests))
    monkeypatch.setattr(workshop, "hand_over", lambda venv, arguments: 0)
    monkeypatch.delenv("WORKSHOP_BUNDLE", raising=False)
    assert workshop.main(arguments) == 0 and asked == [tools]


# --- what is noticed --------------------------------------------------------------------------
@pytest.fixture
def venv(tmp_path):
    """A real, empty environment with a stamp."""
    path = str(tmp_path / "venv")
    workshop.make_venv(path)
    workshop.write_stamp(path, {"venv": path, "python": workshop.venv_python(path), "steps": {}})
    return path


def why(venv):
    return workshop.why_rebuild(venv, workshop.read_stamp(venv), workshop.venv_python(venv))


def test_a_whole_environment_is_kept(venv):
    assert why(venv) is None
    assert workshop.venv_python(venv) == "{}.{}.{}".format(*sys.version_info[:3])


def test_none_at_all(tmp_path):
    assert why(str(tmp_path / "nothing")) == "there is none yet"
    assert why(str(tmp_path)) == "there is none yet"  # an empty folder


@POSIX
def test_a_python_that_is_gone(venv):
    python = workshop.in_venv(venv, "python")
    os.remove(python)
    assert why(venv) == "its Python does not run any more"
    os.symlink("/nowhere/python3", python)
    assert why(venv) == "its Python does not run any more"


def test_a_python_that_became_another(venv):
    stamp = {**workshop.read_stamp(venv), "python": "3.99.0"}
    assert "made with Python 3.99.0" in workshop.why_rebuild(venv, stamp, "3.12.1")
    assert "for Python 3.10.2" in workshop.why_rebuild(venv, stamp, "3.10.2")
    assert workshop.why_rebuild(venv, {**stamp, "python": "3.12.0"}, "3.12.9") is None


@POSIX
def test_a_folder_that_was_moved(venv, tmp_path):
    moved = str(tmp_path / "moved")
    os.rename(venv, moved)
    assert why(moved) == "its folder was moved"


def test_a_stamp_without_a_python_is_no_fault(venv):
    workshop.write_stamp(venv, {**workshop.read_stamp(venv), "python": None})
    assert why(venv) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_a_damaged_stamp_counts_as_none(venv, text):
    Path(venv, workshop.STAMP).write_text(text)
    assert workshop.read_stamp(venv) == {}
    assert why(venv) is None
    missing = workshop.missing_steps(venv, {}, with_tests=True)
    assert list(missing) == ["requirements.lock", "requirements-test.lock", "project"]


def test_only_what_changed_is_done_again(venv):
    steps = workshop.wanted_steps(venv, with_tests=True)
    Path(workshop.in_venv(venv, "workshop")).touch()
    assert workshop.missing_steps(venv, {"steps": steps}, with_tests=True) == {}
    changed = {**steps, "requirements-test.lock": "0"}
    assert list(workshop.missing_steps(venv, {"steps": changed}, True)) == [
        "requirements-test.lock"
    ]
    assert workshop.missing_steps(venv, {"steps": changed}, with_tests=False) == {}
    os.remove(workshop.in_venv(venv, "workshop"))
    assert list(workshop.missing_steps(venv, {"steps": steps}, False)) == ["project"]


def site_of(venv):
    (site,) = workshop.site_packages(venv)
    return Path(site)


def package_in(venv, name, *files):
    """A package as pip leaves it."""
    info = site_of(venv) / f"{name}-1.dist-info"
    info.mkdir()
    (site_of(venv) / name).mkdir()
    for file in files:
        (site_of(venv) / name / file).touch()
    rows = [f"{name}/{file},sha256=x,0" for file in files]
    rows += [f"{name}/__pycache__/a.pyc,,", f"{info.name}/RECORD,,"]
    (info / "RECORD").write_text("\n".join(rows))


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("spam", ["spam"]),
        ("spam/b.py", ["spam"]),
        ("eggs-1.dist-info", ["eggs-1.dist-info"]),
        ("alone.py", ["alone.py"]),
        ("spam/__pycache__", []),
        ("pip", []),
    ],
)
def test_what_was_deleted_is_noticed_and_forgotten(venv, path, says):
    site = site_of(venv)
    package_in(venv, "spam", "__init__.py", "b.py")
    package_in(venv, "eggs", "__init__.py")
    for folder in ("spam/__pycache__", "pip"):
        (site / folder).mkdir()
        (site / folder / "x").touch()
    (site / "alone.py").touch()
    stamp = {"contents": workshop.contents(venv)}
    assert workshop.lost(venv, stamp) == []
    remove(site / path)
    assert workshop.lost(venv, stamp) == says
    workshop.drop_half_installed(venv)
    whole = {p.name for p in site.glob("*.dist-info")}
    assert whole == {"spam-1.dist-info", "eggs-1.dist-info"} - (
        {"spam-1.dist-info"} if says == ["spam"] else set(says)
    )


@POSIX
def test_a_file_that_was_cut_is_noticed_and_its_package_forgotten(venv):
    site = site_of(venv)
    package_in(venv, "spam", "__init__.py", "b.py")
    record = site / "spam-1.dist-info" / "RECORD"
    stamp = {"contents": workshop.contents(venv)}
    (site / "spam" / "b.py").write_text("x = 1\n")
    record.write_text("spam/__init__.py,,\nspam/b.py,sha256=x,6\nspam/c.pyc,,9\nRECORD,,odd\n")
    (site / "RECORD").touch()
    assert workshop.lost(venv, stamp, thorough=True) == []
    (site / "spam" / "b.py").write_text("x = ")
    assert workshop.lost(venv, stamp, thorough=True) == ["spam"]


@pytest.mark.parametrize("stamp", [{}, {"contents": 7}, {"contents": {}}])
def test_an_older_stamp_says_nothing_of_what_is_lost(venv, stamp):
    assert workshop.lost(venv, stamp) == []


def test_what_is_lost_is_said_in_one_line():
    names = ["a", "a-1.dist-info", "b", "c", "d"]
    assert workshop.lost_line(names) == "a, b, c and 1 more"
    assert workshop.lost_line(["a-1.dist-info"]) == "a-1.dist-info"


def test_line_ends_are_no_change(tmp_path):
    (tmp_path / "a").write_bytes(b"x\ny\n")
    (tmp_path / "b").write_bytes(b"x\r\ny\r\n")
    assert workshop.digest(str(tmp_path / "a")) == workshop.digest(str(tmp_path / "b"))


# --- what is not touched ----------------------------------------------------------------------
def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("doctor", WORKSHOP_VENV=str(tmp_path))
    assert result.returncode == 1
    assert "is not a Python environment" in result.stderr and "What to do" in result.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_removal_that_was_cut_short_is_finished(tmp_path):
    (tmp_path / workshop.MARKER).touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "half").touch()
    workshop.make_venv(str(tmp_path))
    assert workshop.venv_python(str(tmp_path))
    assert not (tmp_path / "bin" / "half").exists()


@POSIX
def test_a_package_that_was_cut_short_is_forgotten(venv):
    site = next(Path(venv).glob("lib/python*/site-packages"))
    for name, files in (("half-1.dist-info", ["METADATA"]), ("whole-1.dist-info", ["RECORD"])):
        (site / name).mkdir()
        for file in files:
            (site / name / file).touch()
    workshop.drop_half_installed(venv)
    assert [path.name for path in site.glob("*-1.dist-info")] == ["whole-1.dist-info"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_that_can_not_be_written():
    result = run("doctor", WORKSHOP_VENV="/proc/nope/venv")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "can't be made at /proc/nope/venv" in result.stderr
    assert "What to do: let the variable WORKSHOP_VENV" in result.stderr


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied", "/a/.venv.lock"), "WORKSHOP_VENV"),
        (PermissionError(13, "Permission denied", "/a"), "WORKSHOP_VENV"),
        (FileNotFoundError(2, "No such file", "/a/requirements.lock"), "get the workshop's files"),
        (OSError(28, "No space left on device", "/a/.venv/x"), "free about 1 GB"),
        (OSError(5, "Input/output error"), "get the workshop's files"),
        (subprocess.TimeoutExpired("python", 300), "did not end within 300 s"),
    ],
)
def test_what_the_system_refuses_has_a_mend(error, says):
    text = workshop.what_stopped(error, "/a/.venv")
    assert "What to do: " in text and says in text


@pytest.mark.parametrize(("windows", "command"), [(False, "python3 "), (True, "; py ")])
def test_another_folder_is_named_as_the_systems_terminal_takes_it(monkeypatch, windows, command):
    monkeypatch.setattr(workshop, "WINDOWS", windows)
    text = workshop.what_stopped(PermissionError(13, "Permission denied", "/a"), "/a/.venv")
    assert f"{command}workshop.py demo" in text and ("$env:" in text) == windows


# --- one at a time ----------------------------------------------------------------------------
HOLD = """
import sys, time, workshop
with workshop.only_one(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_one_waits_and_a_dead_one_holds_nothing(tmp_path, monkeypatch, capsys):
    venv = str(tmp_path / "venv")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, venv], cwd=SOURCE.parent, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline().strip() == b"held"
        monkeypatch.setattr(workshop, "LOCK_WAIT_S", 0.5)
        with pytest.raises(workshop.Stop, match="another workshop"), workshop.only_one(venv):
            pass
        assert "waiting for it" in capsys.readouterr().err
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    monkeypatch.setattr(workshop, "LOCK_WAIT_S", 30)
    with workshop.only_one(venv):
        pass


# --- why an installation failed ---------------------------------------------------------------
@pytest.mark.parametrize(
    ("log", "says"),
    [
        ("NewConnectionError: ... [Errno -3] Temporary failure in name resolution", "network"),
        ("ReadTimeoutError: Read timed out.\nERROR: No matching distribution found", "network"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "a download is",
        ),
        ("ERROR: Hashes are required in --require-hashes mode", "lacks a hash"),
        ("ERROR: No matching distribution found for numpy==9", "no wheel"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("something else", "read the end of its log"),
    ],
)
def test_every_failure_has_a_remedy(tmp_path, log, says):
    (tmp_path / "log").write_text("2030-01-01T00:00:00,000 " + log)
    text = workshop.explain(str(tmp_path / "log"))
    assert says in text and "What to do: " in text and str(tmp_path / "log") in text


def test_no_pip_to_give_names_the_package(venv, monkeypatch):
    real = subprocess.run

    def without_ensurepip(command, **options):  # as Debian's Python without python3-venv
        if "ensurepip" in command:
            command = [command[0], "-I", "-m", "no_such_module"]
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", without_ensurepip)
    version = "{}.{}".format(*sys.version_info[:2])
    with pytest.raises(workshop.Stop, match=f"apt install python{version}-venv"):
        workshop.have_pip(venv)


@POSIX
def test_a_long_installation_shows_that_it_lives(venv, monkeypatch, capsys):
    monkeypatch.setattr(workshop, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert workshop.run(venv, ["sleep", "1"]) == 0
    assert "still at it" in capsys.readouterr().err
    assert workshop.run(venv, ["false"]) != 0


def test_a_folder_without_locks_is_used_all_the_same(tmp_path, monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl")

    def flock(file, flags):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with workshop.only_one(str(tmp_path / "venv")):
        assert "waiting" not in capsys.readouterr().err


def test_an_address_that_serves_no_bundle_is_said():
    site = Site()
    site.files["manifest.json"] = lambda handler: send(handler, b"{", says_bytes=99)
    try:
        for place in (site.url, "http://127.0.0.1:80x", "http://[::1"):
            with pytest.raises(workshop.Stop, match="is not a whole bundle"):
                workshop.read_manifest(place)
    finally:
        site.close()


PIP_SAYS = """\
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Requirement already satisfied: six==1 in /somewhere (from -r /x/requirements.lock (line 1))
Processing /mnt/wheels/rich-14.0-py3-none-any.whl (from -r /x/requirements.lock (line 5))
Collecting numpy==2.4 (from -r /x/requirements.lock (line 7))
  Downloading numpy-2.4-cp313-cp313-manylinux_2_28_x86_64.whl (16.6 MB)
Collecting scikit-learn==1.8 (from -r /x/requirements.lock (line 9))
"""


def test_what_pip_writes_becomes_one_line(venv, tmp_path):
    log = tmp_path / "out"
    log.write_text("Look")
    following = workshop.Following(venv, str(log), total=5)
    assert str(following) == ""
    log.write_text(PIP_SAYS + "Coll")
    assert str(following) == "getting 4 of 4: scikit-learn"
    package_in(venv, "old")
    log.write_text(PIP_SAYS + "Collecting zzz\nInstalling collected packages: numpy, x, zzz\n")
    assert str(following) == "installing 0 of 3"
    package_in(venv, "numpy")
    assert str(following) == "installing 1 of 3"


def test_what_uv_writes_becomes_one_line(venv, tmp_path):
    (tmp_path / "out").write_text("Resolved 125 packages in 3ms\nDownloading scipy (35.0MiB)\n")
    assert str(workshop.Following(venv, str(tmp_path / "out"), 125)) == "getting scipy"


def test_a_wheel_in_a_folder_of_windows_is_named(venv, tmp_path):
    (tmp_path / "out").write_text("Processing c:\\wheels\\six-1-py3-none-any.whl\n")
    assert str(workshop.Following(venv, str(tmp_path / "out"), 9)) == "getting 1 of 9: six"


def test_a_wheel_in_a_folder_with_spaces_is_named(venv, tmp_path):
    (tmp_path / "out").write_text(
        "Processing /media/a b-2 ü/wheels/six-1-py3-none-any.whl (from -r requirements.lock)\n"
    )
    assert str(workshop.Following(venv, str(tmp_path / "out"), 9)) == "getting 1 of 9: six"


def test_the_packages_of_a_lock_are_counted():
    assert workshop.packages_in("requirements.lock") > 100
    assert workshop.packages_in("project") == 0


@POSIX
def test_a_terminal_gets_one_line_that_is_wiped_again(venv):
    import pty

    code = (
        "import sys, workshop; workshop.REWRITE_S = 0.05; "
        "script = 'for i in 1 2 3; do echo Collecting p$i==1; sleep 0.3; done'; "
        "sys.exit(workshop.run(sys.argv[1], ['sh', '-c', script], 3))"
    )
    terminal, end = pty.openpty()
    try:
        command = [sys.executable, "-c", code, venv]
        subprocess.run(command, cwd=SOURCE.parent, stderr=end, timeout=60, check=True)
        said = os.read(terminal, 1 << 16).decode()
    finally:
        os.close(terminal)
        os.close(end)
    assert "getting 2 of 3: p2" in said and "\n" not in said
    assert said.endswith("\r") and said.split("\r")[-2].strip() == ""


def test_looking_at_a_finished_environment_installs_nothing(venv, monkeypatch):
    Path(workshop.in_venv(venv, "workshop")).touch()
    stamp = {**workshop.read_stamp(venv), "steps": workshop.wanted_steps(venv, True)}
    workshop.write_stamp(venv, stamp)
    before = sorted((p, p.stat().st_mtime_ns) for p in Path(venv).rglob("*") if p.is_file())
    time.sleep(0.01)
    workshop.set_up(venv, with_tests=True)
    after = sorted((p, p.stat().st_mtime_ns) for p in Path(venv).rglob("*") if p.is_file())
    assert after == before
