"""The notebook runner, on small notebooks made here: what must fail does fail."""

from __future__ import annotations

import os

import nbformat
import pytest

from workshop_helpers.course.files import read_notebook
from workshop_helpers.course.notebooks import find_notebooks
from workshop_helpers.course.runner import run_notebook
from workshop_helpers.course.times import read_times, table_of
from workshop_helpers.errors import CourseError


@pytest.fixture
def make(tmp_path):
    """make("x = 1", ("1 / 0", "raises-exception"), solutions=...) -> a notebook file."""

    def make(*cells, name="00_try_it.ipynb", solutions=None):
        notebook = nbformat.v4.new_notebook(metadata={"language_info": {"name": "python"}})
        for cell in cells:
            source, *tags = (cell,) if isinstance(cell, str) else cell
            metadata = {"tags": tags} if tags else {}
            notebook.cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
        path = tmp_path / name
        nbformat.write(notebook, path)
        if solutions is not None:
            folder = tmp_path / "solutions"
            folder.mkdir(exist_ok=True)
            (folder / f"{path.stem}.py").write_text(solutions, encoding="utf-8")
        return path

    return make


@pytest.fixture
def run(tmp_path):
    def run(path, variant="as_shipped", **options):
        return run_notebook(path, variant, out_dir=tmp_path / "out", **options)

    return run


def printed(run_of_it):
    cells = read_notebook(run_of_it.executed)["cells"]
    return "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))


def test_keeps_what_it_ran(make, run):
    done = run(make("print('here I am')"))
    assert (done.code_cells, done.variant) == (1, "as_shipped")
    assert "here I am" in printed(done)
    assert "here I am" in done.html.read_text(encoding="utf-8")


def test_runs_this_python_beside_the_notebook_on_a_virtual_board(make, run, monkeypatch):
    import sys

    monkeypatch.delenv("WORKSHOP_PORT", raising=False)
    path = make("import os, sys; print(sys.prefix, os.getcwd(), os.environ['WORKSHOP_PORT'])")
    assert printed(run(path)).split() == [sys.prefix, str(path.parent), "virtual"]


def test_says_how_long_each_run_took(make, run, tmp_path):
    done = run(make("import time; time.sleep(0.3)"))
    times = read_times(tmp_path / "out")
    assert times == {"00_try_it": {"as_shipped": round(done.seconds, 1)}} and done.seconds > 0.3
    assert table_of(times) == f"  00_try_it: {done.seconds:.1f} s"
    (tmp_path / "out" / "times.json").write_text('{"00_try_it": 5}')
    assert read_times(tmp_path / "out") == {}


def test_nobodys_progress_and_work_are_touched(make, run, tmp_path):
    show = "import os; print(os.environ['WORKSHOP_PROGRESS'], os.environ['WORKSHOP_WORK'])"
    progress, work = printed(run(make(show))).split()
    assert not {progress, work} & {os.environ["WORKSHOP_PROGRESS"], os.environ["WORKSHOP_WORK"]}
    assert printed(run(make(show), work=tmp_path / "kept")).split()[1] == str(tmp_path / "kept")


def test_a_failing_cell_fails_and_says_where(make, run, tmp_path):
    path = make("x = 1", "# now it comes\ny = x / 0", "print('never')")
    with pytest.raises(CourseError) as caught:
        run(path)
    text = str(caught.value)
    assert "00_try_it.ipynb, cell 2 (# now it comes): ZeroDivisionError: division by zero" in text
    kept = read_notebook(tmp_path / "out" / "00_try_it.as_shipped.ipynb")
    assert kept["cells"][1]["outputs"][0]["ename"] == "ZeroDivisionError"


def test_a_cell_that_must_raise_raises(make, run):
    ours = "from workshop_helpers.course import check; check('99.9')"
    done = run(make((ours, "raises-exception"), "print('went on')"))
    assert "went on" in printed(done)
    with pytest.raises(CourseError, match="raised ZeroDivisionError"):  # a slip, not a lesson
        run(make(("1 / 0", "raises-exception")))


def test_a_cell_that_must_raise_and_does_not_fails(make, run):
    with pytest.raises(CourseError, match=r"cell 1 \(x = 1\): is tagged raises-exception"):
        run(make(("x = 1", "raises-exception")))


def test_a_cell_that_hangs_fails(make, run):
    with pytest.raises(CourseError, match=r"cell 1 \(import time\): took longer than 2 s"):
        run(make("import time\ntime.sleep(60)"), cell_timeout_s=2)


def test_a_kernel_that_dies_fails(make, run):
    with pytest.raises(CourseError, match=r"cell 1 .*DeadKernelError"):
        run(make("import os\nos._exit(1)"))


def test_parameters_override_those_of_the_notebook(make, run):
    path = make(("seconds = 60\nname = 'a'", "parameters"), "print(seconds, name)", "1 / seconds")
    assert "2 a" in printed(run(path, parameters={"seconds": 2}))
    with pytest.raises(CourseError, match=r"cell 3 \(1 / seconds\)"):  # counted as in the file
        run(path, parameters={"seconds": 0})


def test_parameters_must_be_declared_and_literal(make, run):
    path = make(("seconds = 60", "parameters"))
    with pytest.raises(CourseError, match="no parameter minutes"):
        run(path, parameters={"minutes": 1})
    with pytest.raises(CourseError, match="not a literal"):
        run(path, parameters={"seconds": object()})


def test_a_run_of_nothing_is_a_failure(make, run, tmp_path):
    with pytest.raises(CourseError, match="no code cell"):
        run(make())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CourseError, match="There is no notebook"):
        find_notebooks(empty)


# --- exercises: 00.1 is a real one, whose check wants 328350 ------------------------------------
IMPORT = "from workshop_helpers.course import check"
STUB = ('# Exercise 00.1: compute it\nanswer = None\ncheck("00.1", answer)', "exercise")


def test_stub_and_solution_come_out_as_they_should(make, run):
    path = make(IMPORT, STUB, solutions='# %% 00.1\nanswer = 328350\ncheck("00.1", answer)\n')
    for variant, passes in (("as_shipped", False), ("with_solutions", True)):
        done = run(path, variant)
        assert (done.variant, done.checks) == (variant, {"00.1": passes})


def test_a_wrong_solution_fails(make, run):
    path = make(IMPORT, STUB, solutions='# %% 00.1\ncheck("00.1", 1)\n')
    with pytest.raises(CourseError, match=r"solution of exercise 00\.1 does not pass"):
        run(path, "with_solutions")


def test_a_missing_solution_fails(make, run):
    with pytest.raises(CourseError, match=r"exercise 00\.1 has no solution"):
        run(make(IMPORT, STUB), "with_solutions")


def test_a_stub_that_passes_fails(make, run):
    solved = ('# Exercise 00.1: compute it\ncheck("00.1", 328350)', "exercise")
    with pytest.raises(CourseError, match="passes before anybody solved it"):
        run(make(IMPORT, solved))


def test_an_exercise_without_check_call_fails(make, run):
    with pytest.raises(CourseError, match="was never checked"):
        run(make(("# Exercise 00.1: compute it\nanswer = None", "exercise")))


def test_an_exercise_without_its_first_line_fails(make, run):
    with pytest.raises(CourseError, match="an exercise starts with"):
        run(make(("answer = None", "exercise")))
