"""`workshop test`: any failure shows in the exit code, and so does finding nothing."""

from __future__ import annotations

import pytest

from workshop_helpers import testing
from workshop_helpers.errors import SetupError

PYPROJECT = """
[tool.mypy]
strict = true
files = ["good.py"]
[tool.pytest.ini_options]
testpaths = ["tests"]
"""
FOR_NEWEST = f"mypy for {testing.NEWEST}"
GOING = """from asyncio import get_event_loop_policy  # deprecated since 3.14


def policy() -> str:
    return repr(get_event_loop_policy())
"""


@pytest.fixture
def small(tmp_path, tmp_path_factory, monkeypatch):
    """A project of two files, in which all is well."""
    # One for all: most of a run is reading what is known of Python's library.
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy_cache"))
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "good.py").write_text("def two() -> int:\n    return 2\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_good.py").write_text("def test_two():\n    assert 1 + 1 == 2\n")
    monkeypatch.setattr(testing, "ROOT", tmp_path)
    return tmp_path


def test_all_is_well(small, capsys):
    assert testing.run_tests([]) == 0
    assert capsys.readouterr().out.endswith("all passed\n")


@pytest.mark.parametrize(
    ("file", "text", "failed"),
    [
        ("good.py", "import os\n", "ruff check"),
        ("good.py", "def two() -> int:\n  return 2\n", "ruff format"),
        ("good.py", 'def two() -> int:\n    return "2"\n', f"mypy, {FOR_NEWEST}"),
        ("good.py", GOING, FOR_NEWEST),
        ("tests/test_good.py", "def test_two():\n    assert 1 + 1 == 3\n", "pytest"),
        ("tests/test_good.py", "", "pytest"),  # nothing to run is a failure as well
    ],
)
def test_one_thing_fails(small, capsys, file, text, failed):
    (small / file).write_text(text)
    assert testing.run_tests([]) == 1
    out = capsys.readouterr().out
    assert out.endswith(f"failed: {failed}\n")
    assert ("it found no test" in out) is (text == "")


def test_arguments_go_to_pytest_alone(small):
    (small / "good.py").write_text("import os\n")  # lint would fail
    assert testing.run_tests(["-k", "two"]) == 0
    assert testing.run_tests(["-k", "no_such_test"]) == testing.NOTHING_COLLECTED


def test_missing_tools_are_named(monkeypatch):
    monkeypatch.setattr(testing, "NEEDED", ("pytest", "no_such_tool"))
    with pytest.raises(SetupError, match="no_such_tool"):
        testing.run_tests([])
