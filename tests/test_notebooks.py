"""The course's own notebooks: their files, and what they do when run from top to bottom."""

from __future__ import annotations

import pytest

from workshop_helpers.course.files import read_notebook
from workshop_helpers.course.hygiene import problems_of
from workshop_helpers.course.parameters import declared_parameters
from workshop_helpers.course.runner import VARIANTS, find_notebooks, run_notebook

NOTEBOOKS = find_notebooks()
AT_LEAST = 2
# Cells that may be longer than the others: {(file, cell id): why}.
LONG_CELLS: dict[tuple[str, str], str] = {}
# Live cells are bounded by these; unattended, short is enough.
QUICK = {"seconds": 4}


def test_there_are_notebooks_to_test():
    assert len(NOTEBOOKS) >= AT_LEAST


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_file_is_as_it_should_be(path):
    long_cells = [cell for name, cell in LONG_CELLS if name == path.name]
    assert problems_of(path, long_cells) == []


def test_every_exception_is_still_needed():
    there = {(path.name, cell["id"]) for path in NOTEBOOKS for cell in read_notebook(path)["cells"]}
    assert set(LONG_CELLS) <= there


@pytest.mark.notebook
@pytest.mark.timeout(600)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path, variant):
    declared = declared_parameters(read_notebook(path))
    parameters = {name: value for name, value in QUICK.items() if name in declared}
    run = run_notebook(path, variant, parameters=parameters)
    assert run.code_cells > 0
    assert run.executed.exists()
