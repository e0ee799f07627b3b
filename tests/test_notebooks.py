"""The course's own notebooks: their files, and what they do when run from top to bottom."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from workshop_helpers.course import catch_up
from workshop_helpers.course.files import read_notebook
from workshop_helpers.course.hygiene import link_problems, problems_of
from workshop_helpers.course.notebooks import find_notebooks
from workshop_helpers.course.parameters import declared_parameters
from workshop_helpers.course.runner import VARIANTS, run_notebook
from workshop_helpers.paths import ROOT

NOTEBOOKS = find_notebooks()
# Cells that may be longer than the others: {(file, cell id): why}.
LONG_CELLS: dict[tuple[str, str], str] = {}
# Live cells are bounded by these; unattended, short is enough.
QUICK = {"seconds": 4}
_ran: list[tuple[str, str]] = []


def test_the_readme_lists_the_notebooks_that_there_are():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d\d) \| \[.*?\]\(notebooks/(.*?)\)", text, re.MULTILINE)
    assert listed == [(path.name[:2], path.name) for path in NOTEBOOKS]
    assert link_problems(text, ROOT / "README.md") == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_file_is_as_it_should_be(path):
    long_cells = [cell for name, cell in LONG_CELLS if name == path.name]
    assert problems_of(path, long_cells) == []


@pytest.mark.parametrize(("path", "after"), list(pairwise(NOTEBOOKS)), ids=lambda path: path.stem)
def test_each_leads_to_the_next(path, after):
    ending = read_notebook(path)["cells"][-1]["source"].partition("## What comes next")[2]
    assert f"]({after.name})" in ending


def test_every_exception_is_still_needed():
    there = {(path.name, cell["id"]) for path in NOTEBOOKS for cell in read_notebook(path)["cells"]}
    assert set(LONG_CELLS) <= there


@pytest.fixture
def run(tmp_path):
    """Runs a notebook, its live cells short."""

    def run(path, variant, **options):
        declared = declared_parameters(read_notebook(path))
        parameters = {name: value for name, value in QUICK.items() if name in declared}
        done = run_notebook(path, variant, parameters=parameters, **options)
        assert done.code_cells > 0
        assert done.executed.exists()
        _ran.append((path.stem, variant))

    return run


@pytest.mark.notebook
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_with_its_solutions_on_a_fresh_board(path, run):
    run(path, "with_solutions")


@pytest.mark.notebook
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_as_shipped_after_catching_up(path, run, own_board, tmp_path, monkeypatch):
    work = tmp_path / "my_work"
    monkeypatch.setenv("WORKSHOP_WORK", str(work))
    board = own_board()
    catch_up(path.name, board)
    with board.released() as port:
        run(path, "as_shipped", port=port, work=work)


@pytest.mark.notebook
def test_every_notebook_has_run_twice(request):
    mine = [item for item in request.session.items if item.path == request.node.path]
    chosen = [item for item in mine if item.name.startswith("test_runs_")]
    assert len(_ran) == len(chosen) > 0
    config = request.config
    selected = config.option.keyword or config.option.markexpr or "::" in "".join(config.args)
    if not selected:  # then all of them were to run
        assert len(_ran) == len(VARIANTS) * len(NOTEBOOKS)
