"""The table of failures: each row is provoked, and what then comes is what the table says."""

from __future__ import annotations

import ast
import contextlib
import inspect
import re
import subprocess
import sys
from functools import partial

import provoke_board
import provoke_laptop
import provoke_models
import pytest
from test_modules_install import SMOKE, VIPER

from workshop_helpers import errors, paths
from workshop_helpers.board.virtual import Faults, VirtualBoard
from workshop_helpers.errors import WorkshopError
from workshop_helpers.failures import load_rows, meaning_of
from workshop_helpers.failures.page import page, write_page
from workshop_helpers.model import convert, measure
from workshop_helpers.paths import ROOT


def takes_lab(function) -> bool:
    return [*inspect.signature(function).parameters] == ["lab"]


ROWS = load_rows()
PROVOCATIONS = {
    f"{module.__name__}.{name}": function
    for module in (provoke_board, provoke_laptop, provoke_models)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and takes_lab(function)
}
MET_BY_PEOPLE = range(1, 31)  # the rows of the list that the table began with


def codes_in_errors() -> set[str]:
    return {
        value.code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, WorkshopError)
    }


class Lab:
    """What provoking takes: boards, a model, a folder. Each is made when it is asked for."""

    def __init__(self, request):
        self._request = request
        self._stack = contextlib.ExitStack()

    def __getattr__(self, name):
        return self._request.getfixturevalue(name)

    def faulty(self, *specs, **options):
        """A virtual board with faults by name; ended with the test."""
        virtual = VirtualBoard(faults=Faults.named(*specs, seed=1), **options)
        return self._stack.enter_context(virtual)

    def measure(self, board):
        """Time a small model on a board."""
        X, Y = provoke_models.X, provoke_models.Y
        tree = provoke_models.DecisionTreeClassifier(max_depth=3).fit(X, Y)
        return measure(convert(tree, X), board, X[:4])

    def module(self, viper, smoke="    return thing.__file__, None\n"):
        """A native module `thing` of the test's own."""
        folder = self.tmp_path / "sources"
        (folder / "smoke").mkdir(parents=True, exist_ok=True)
        (folder / "upstream.json").write_bytes(
            (ROOT / "native_modules" / "upstream.json").read_bytes()
        )
        (folder / "thing.py").write_text(viper + VIPER)
        (folder / "thing_ref.py").write_text("x = 1\n")
        (folder / "smoke" / "thing.py").write_text(SMOKE + smoke)
        self.monkeypatch.setattr(paths, "NATIVE_MODULES", folder)
        self.monkeypatch.setenv("WORKSHOP_CACHE", str(self.tmp_path / "cache"))


@pytest.fixture
def lab(request):
    lab = Lab(request)
    with lab._stack:
        yield lab


def provoked(row, lab) -> list:
    """What the row's function raises or returns."""
    try:
        found = PROVOCATIONS[row.test](lab)
    except WorkshopError as error:
        return [error]
    return found if isinstance(found, list) else [found]


# --- the table ----------------------------------------------------------------------------------
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_provoked(row, lab):
    """Its code comes, each of its mends comes, and no mend that it does not name."""
    found = provoked(row, lab)
    assert found and {one.code for one in found} == {row.code}, found
    said = [one.mend for one in found]
    for mend in said:
        assert any(fits(mend, known.do) for known in row.mends), mend
    for known in row.mends:
        assert any(fits(mend, known.do) for mend in said), f"never said: {known.do}"
    assert all(isinstance(one.what if hasattr(one, "what") else one.found, str) for one in found)


def fits(said: str, known: str) -> bool:
    """Whether a mend is one of the table: `{...}` stands for whatever belongs there."""
    pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(known))
    return re.fullmatch(pattern, said, re.DOTALL) is not None


def test_each_code_and_each_failure_met_by_people_has_its_row():
    assert codes_in_errors() - {row.code for row in ROWS} == {"WORKSHOP"}  # the root of them all
    assert sorted(number for row in ROWS for number in row.numbers) == list(MET_BY_PEOPLE)
    assert len({row.name for row in ROWS}) == len(ROWS) >= 30
    for row in ROWS:
        assert meaning_of(row.code).endswith("."), row.code
        assert row.seen and row.found_by.endswith("."), row.name


def test_no_mend_of_the_table_fits_everything():
    for row in ROWS:
        for mend in row.mends:
            assert len(re.sub(r"\{\w+\}", "", mend.do)) >= 10, mend


def test_each_row_has_a_test_and_each_test_a_row():
    assert {row.test for row in ROWS} == set(PROVOCATIONS)
    assert all(row.test.endswith(f".{row.name}") for row in ROWS)


def test_nothing_raises_the_root_itself():
    """Whoever meets an error is to find its entry: the root has none."""
    raised = []
    for path in (ROOT / "workshop_helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "WorkshopError":
                raised.append(f"{path.name}:{node.lineno}")
    assert raised == []


def test_each_code_that_a_check_or_finding_names_has_its_row():
    named = set()
    for folder in ("doctor", "health"):
        for path in (ROOT / "workshop_helpers" / folder).glob("*.py"):
            if path.name != "private.py":  # which names variables, and finds nothing
                text = path.read_text(encoding="utf-8")
                named |= set(re.findall(r'"([A-Z]{2,}(?:_[A-Z]+)*)"', text))
    named -= {"WORKSHOP_PORT", "WORKSHOP_BUNDLE", "RECORD", "BUSID"}
    assert {"WIDGETS", "BRLTTY"} <= named
    assert named <= {row.code for row in ROWS} | {"CP", "CH", "FTDI", "PL"}, named


def test_a_mend_is_not_anything():
    assert fits("sudo usermod -aG dialout $USER", "sudo usermod -aG {group} $USER")
    assert not fits("reboot", "sudo usermod -aG {group} $USER") and not fits("ab", "a")


# --- the page -----------------------------------------------------------------------------------
def test_the_page_is_what_the_table_says():
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == page(), (
        "run `workshop docs errors`"
    )


def test_each_code_has_an_anchor_on_the_page():
    headings = re.findall(r"^## (\w+)$", page(), re.MULTILINE)
    assert headings == sorted({row.code.lower() for row in ROWS})
    assert len(headings) == page().count("\n## ") - 1  # and the index
    for code in codes_in_errors() - {"WORKSHOP"}:
        assert errors.page_of(code).partition("#")[2] in headings


def test_the_page_can_be_written_and_checked(tmp_path):
    write = partial(write_page, tmp_path / "errors.md")
    assert not write(check=True) and not (tmp_path / "errors.md").exists()
    assert write() and write(check=True)
    (tmp_path / "errors.md").write_text("old")
    assert not write(check=True)


def test_an_error_in_a_terminal_names_its_entry():
    command = [sys.executable, "-m", "workshop_helpers.cli", "flash", "--board", "pico-9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "docs/errors.md#unknown_board]" in done.stderr
