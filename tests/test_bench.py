"""Benchmarks that can be asked for by name, and the rows of the one for streams."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workshop_helpers.course.notebooks import find_notebooks
from workshop_helpers.errors import SetupError
from workshop_helpers.paths import ROOT
from workshop_helpers.testing import run_benchmark


def loaded(name):
    path = ROOT / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"bench_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bench():
    return loaded("stream")


def test_the_course_is_measured_against_what_it_promises() -> None:
    course = loaded("course")
    first, second, *_, seventh = find_notebooks()[:7]
    rows = course.rows_of({first: 60.0, seventh: 120.0})
    assert [row["name"] for row in rows[:2]] == [first.stem, seventh.stem]
    assert rows[0]["ratio"] == pytest.approx(60 / (course.stated_minutes(first) * 60))
    assert (rows[2]["value"], rows[2]["limit"]) == (180.0, 1800)
    assert len(course.rows_of({second: 1.0})) == 1  # not as far as the first model


def test_an_unknown_benchmark_is_an_error_that_names_the_others() -> None:
    with pytest.raises(SetupError, match=r"modules, .*stream"):
        run_benchmark("streem", [])


def test_the_readme_names_every_benchmark() -> None:
    rows = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = [row for row in rows if row.startswith("| `bench NAME`")]
    there = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert set(re.findall(r"`(\w+)`", row)) == there


def test_a_benchmark_gets_what_follows_its_name() -> None:
    command = [sys.executable, "-m", "workshop_helpers.cli", "bench", "stream", "--seconds", "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 2 and "--seconds: invalid float" in done.stderr


def test_a_paced_line_loses_nothing(bench) -> None:
    rate, samples, lost = bench.throughput(230400, 1.0)
    assert rate["limit"] == 23040 and 0 < samples["ratio"] < rate["ratio"]
    assert rate["ratio"] == pytest.approx(rate["value"] / 23040)
    assert (lost["value"], lost["limit"], lost["ratio"]) == (0, None, None)


def test_boards_that_stream_at_once_lose_nothing(bench) -> None:
    ended, _, lost = bench.many_boards(3, 1.0)
    assert ended["ratio"] == 1 and lost["value"] == 0


def test_latency_is_positive_and_in_order(bench) -> None:
    median, late = bench.latency(1.0)
    assert 0 < median["value"] <= late["value"]


def test_views_are_optional(bench, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(bench, "HERE", tmp_path)
    assert bench.views() == []
    (tmp_path / "stream_views.py").write_text("def rows():\n    yield 'x', 5.0, 'm', 10.0\n")
    assert bench.views() == [{"name": "x", "value": 5.0, "unit": "m", "limit": 10.0, "ratio": 0.5}]


def test_modules_are_timed_on_a_board(board, tmp_path: Path) -> None:
    result = loaded("modules").measure("emlearn_iir_q15", tmp_path, board.info.arch, None, board)
    *cases, size = result
    assert len(cases) == 9 and all(result[case]["ours"] > 0 for case in cases)
    assert "plain" in result[size] and not board.exists("/bench")
