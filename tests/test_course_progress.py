"""What a learner has shown: kept in a file, summed up in words, printed as a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from workshop_helpers.cli import app
from workshop_helpers.course import check, checks, record
from workshop_helpers.course.checks import Verdict, check_for
from workshop_helpers.course.notebooks import find_notebooks
from workshop_helpers.course.record import Tried, note, read_record
from workshop_helpers.errors import CourseError


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """The progress file of this test's learner, not there yet."""
    path = tmp_path / "data" / "progress.json"
    monkeypatch.setenv("WORKSHOP_PROGRESS", str(path))
    monkeypatch.setattr(record, "_unsaved", {})
    monkeypatch.setattr(record, "_said", set())
    monkeypatch.setattr(checks, "_last", [])
    return path


@pytest.fixture
def two_exercises():
    """98.1 and 98.2 pass for True, fail for anything else."""
    for number, skill in (("98.1", "count"), ("98.2", "add")):
        check_for(number, skill=skill)(lambda x: Verdict(x is True, ""))
    yield
    for number in ("98.1", "98.2"):
        checks._CHECKS.pop(number)
        checks._SKILLS.pop(number)


# --- the file ---------------------------------------------------------------------------------
def test_what_was_shown_once_stays_shown(file):
    for passed in (False, True, False):
        note("10.1", passed)
    assert read_record() == {"10.1": Tried(3, True)}
    assert json.loads(file.read_text()) == {
        "format": 1,
        "exercises": {"10.1": {"tries": 3, "passed": True}},
    }
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_answers_are_not_kept(file):
    check("00.1", "my secret answer")
    assert "00.1" in file.read_text() and "secret" not in file.read_text()


def test_another_kernel_goes_on_with_the_same_file(file):
    note("10.1", True)
    code = "from workshop_helpers.course import check; check('10.2', 'x')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
    assert read_record() == {"10.1": Tried(1, True), "10.2": Tried(1, False)}


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"format": 2, "exercises": {}}',
    b'{"format": 1, "exercises": []}',
    b'{"format": 1, "exercises": {"10.1": 5}}',
    b'{"format": 1, "exercises": {"10.1": {"tries": "3", "passed": true}}}',
    b'{"format": 1, "exercises": {"10.1": {"tries": 3}}}',
]


@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_file_is_kept_and_a_new_one_begun(file, capsys, data):
    file.parent.mkdir()
    file.write_bytes(data)
    kept = file.with_name("progress.damaged-1.json")
    note("10.1", True)
    assert f"damaged. It is kept as {kept}" in capsys.readouterr().out
    assert kept.read_bytes() == data and read_record() == {"10.1": Tried(1, True)}
    file.write_bytes(data)  # and again: no backup is overwritten
    assert read_record() == {}
    assert kept.read_bytes() == data and file.with_name("progress.damaged-2.json").exists()


def test_a_file_that_cannot_be_written_costs_no_answer(file, capsys):
    file.mkdir(parents=True)  # a folder where the file should be
    for _ in range(2):
        assert check("10.1", 30, 15).passed
    assert capsys.readouterr().out.count("can't be kept in") == 1
    assert read_record() == {"10.1": Tried(2, True)}  # until the kernel ends
    file.rmdir()
    note("10.2", False)  # it can be again
    assert set(json.loads(file.read_text())["exercises"]) == {"10.1", "10.2"}


# --- the summary at a notebook's end ----------------------------------------------------------
def test_a_summary_in_words_of_skills(two_exercises, capsys):
    def said():
        out = capsys.readouterr().out.splitlines()
        return [row for row in out if not row.startswith(("✔ 98", "✘ 98"))]

    assert not check("98")
    assert said()[:3] == [
        "★ What you have shown you can do: 0 of 2",
        "· Not tried yet: count (98.1).",
        "· Not tried yet: add (98.2).",
    ]
    check("98.1", True)
    check("98.2", 3)
    assert not check()
    assert said()[:3] == [
        "★ What you have shown you can do: 1 of 2",
        "✔ You can count (98.1).",
        "✘ Tried, not there yet: add (98.2).",
    ]
    check("98.2", True)
    assert check(98).passed
    assert "workshop progress" in said()[-1]


def test_which_notebook_is_not_guessed():
    with pytest.raises(CourseError, match="not clear which notebook"):
        check()
    with pytest.raises(CourseError, match="Notebook 77 has no exercises"):
        check("77")
    with pytest.raises(CourseError, match="not the number"):
        check("seven")


# --- the command ------------------------------------------------------------------------------
def run(*arguments, **options):
    return CliRunner().invoke(app, ["progress", *arguments], **options)


def test_the_table_names_every_notebook(file):
    note("10.1", True)
    done = run(env={"COLUMNS": "160"})
    assert done.exit_code == 0 and "10.2: smooth" in done.output
    for path in find_notebooks():
        assert f" {path.name[:2]} " in done.output


def test_as_json(file):
    note("10.1", True)
    note("10.2", False)
    done = run("--json")
    found = json.loads(done.stdout)
    assert found["file"] == str(file)
    ten = next(row for row in found["notebooks"] if row["notebook"] == "10")
    assert (ten["passed"], ten["of"]) == (1, 4)
    assert [(e["exercise"], e["state"], e["tries"]) for e in ten["exercises"]] == [
        ("10.1", "passed", 1),
        ("10.2", "tried", 1),
        ("10.3", "not tried", 0),
        ("10.4", "not tried", 0),
    ]


def test_reset_asks_first(file):
    note("10.1", True)
    assert run("--reset", input="n\n").exit_code == 1 and file.exists()
    assert run("--reset", input="").exit_code == 1 and file.exists()  # nobody there to ask
    assert run("--reset", input="y\n").exit_code == 0 and not file.exists()
    assert "nothing to forget" in run("--reset", "--yes").output


def test_the_users_own_folder_is_the_default(monkeypatch):
    import platformdirs

    from workshop_helpers.paths import progress_file

    monkeypatch.delenv("WORKSHOP_PROGRESS")
    assert progress_file().parent == platformdirs.user_data_path("emlearn-workshop")
    assert os.path.isabs(progress_file())
