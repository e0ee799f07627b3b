"""Checks, solutions, sources and the look of notebook files, without running a notebook."""

from __future__ import annotations

import json

import nbformat
import pytest

from workshop_helpers.course import check, checks, display, show_source, solution
from workshop_helpers.course.checks import Verdict, check_for
from workshop_helpers.course.exercises import mismatches
from workshop_helpers.course.hygiene import link_problems, problems_of
from workshop_helpers.course.solutions import read_solutions
from workshop_helpers.errors import BoardGoneError, CourseError, DeviceError


# --- checks -----------------------------------------------------------------------------------
@pytest.fixture
def exercise():
    """Registers a check function as exercise 98.1, and forgets it afterwards."""

    def register(function):
        return check_for("98.1")(function)

    yield register
    checks._CHECKS.pop("98.1", None)
    checks._SKILLS.pop("98.1", None)


def test_feedback_is_shown_and_returned(capsys):
    verdict = check("10.1", 30, 15)
    assert verdict.passed and bool(verdict)
    assert capsys.readouterr().out.startswith("✔ 10.1: ")
    verdict = check("10.1", 30, 30)
    assert not verdict
    assert capsys.readouterr().out == f"✘ 10.1: {verdict.feedback}\n"


@pytest.mark.parametrize("values", [(None, None), ("three", 1), (object(), []), (), (1, 2, 3)])
def test_no_answer_makes_a_check_raise(values):
    assert not check("10.1", *values)


def test_a_check_that_stumbles_says_so(exercise):
    exercise(lambda x: Verdict(len(x) > 1, "ok"))
    assert "still None" in check("98.1", None).feedback
    assert "TypeError" in check("98.1", 5).feedback


def test_an_error_of_the_learners_program_is_feedback_but_a_lost_board_is_not(exercise):
    def look(error):
        raise error

    exercise(look)
    assert check("98.1", DeviceError("it raised NameError")).feedback == "it raised NameError"
    with pytest.raises(BoardGoneError):
        check("98.1", BoardGoneError("unplugged"))


@pytest.mark.parametrize("number", ["10.99", "77.1", "ten", "10", "../x", None, 10.1])
def test_unknown_exercises_are_named(number):
    with pytest.raises(CourseError):
        check(number, 1)
    with pytest.raises(CourseError):
        solution(number)


def test_one_check_an_exercise(exercise):
    def one(x):
        return Verdict(True, "")

    def two(x):
        return Verdict(True, "")

    exercise(one)
    with pytest.raises(CourseError, match="two checks"):
        exercise(two)


def test_verdicts_go_to_the_log(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CHECK_LOG", str(tmp_path / "log"))
    check("10.1", 30, 15)
    check("10.1", 1, 1)
    lines = [json.loads(row) for row in (tmp_path / "log").read_text("utf-8").splitlines()]
    assert [(row["exercise"], row["passed"]) for row in lines] == [("10.1", True), ("10.1", False)]


def test_code_in_a_line_is_set_as_code_and_nothing_else_is_markup(monkeypatch):
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    display.show_line("✘", "`while True:` <b>", good=False)
    assert shown[0]["text/html"].endswith("<code>while True:</code> &lt;b&gt;</div>")
    display.show_line("✘", "one\ntwo", good=False)
    assert shown[1]["text/html"].endswith("one<br>two</div>")


# --- solutions and sources --------------------------------------------------------------------
def test_a_solution_is_the_file_that_is_tested(capsys):
    solution("10.2")
    assert "def smooth(labels, n):" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ["x = 1\n# %% 10.1\ny = 2", "# %% 10.1\nx = 1\n# %% 10.1\nx = 2", "# %% 10.1\n", "# %%\nx"],
)
def test_solution_files_with_mistakes(tmp_path, text):
    (tmp_path / "10_x.py").write_text(text)
    with pytest.raises(CourseError):
        read_solutions(tmp_path / "10_x.py")


def test_source_of_a_file_a_function_a_method_and_lines(capsys):
    def shown(*args, **options):
        show_source(*args, **options)
        return capsys.readouterr().out

    assert "def main(config)" in shown("apps/har_live.py")
    method = shown("lib/motion_features.py", function="MotionFeatures.compute")
    assert method.splitlines()[1].startswith("def compute(") and "class " not in method
    assert len(shown("apps/har_live.py", lines=(1, 3)).splitlines()) == 4
    part = shown("lib/motion_features.py", lines=("def compute(", "def compute("))
    assert part.splitlines()[1].startswith("def compute(") and len(part.splitlines()) == 2


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("apps/nothing.py", {}),
        ("../../etc/passwd", {}),
        ("apps/har_live.py", {"function": "no_such"}),
        ("apps/har_live.py", {"lines": (5, 100_000)}),
        ("apps/har_live.py", {"lines": (0, 2)}),
        ("apps/har_live.py", {"lines": ("import", "no such text")}),
    ],
)
def test_source_that_is_not_there(path, options):
    with pytest.raises(CourseError):
        show_source(path, **options)


# --- notebook files ---------------------------------------------------------------------------
GOOD = [
    (
        "markdown",
        "# Try it\n**You will do:** a\n**You will learn:** b\n**You need:** c\n**Minutes:** 5",
    ),
    ("code", "x = 1"),
    ("exercise", '# Exercise 00.1: one\ncheck("00.1", None)'),
    ("exercise", '# Exercise 00.2: two\ncheck("00.2", None)'),
    ("code", 'check("00")'),
    ("markdown", "## Recap\nx\n## If it failed\ny\n## What comes next\nz"),
]
SOLUTIONS = '# %% 00.1\ncheck("00.1", 1)\n# %% 00.2\ncheck("00.2", 2)\n'


def write(folder, cells, solutions=SOLUTIONS, metadata=None):
    notebook = nbformat.v4.new_notebook(metadata=metadata or {"language_info": {"name": "python"}})
    for kind, source in cells:
        if kind == "markdown":
            notebook.cells.append(nbformat.v4.new_markdown_cell(source))
        else:
            tags = {} if kind == "code" else {"tags": kind.split()}
            notebook.cells.append(nbformat.v4.new_code_cell(source, metadata=tags))
    (folder / "solutions").mkdir(exist_ok=True)
    (folder / "solutions" / "00_x.py").write_text(solutions)
    path = folder / "00_x.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_good_notebook_has_no_problems(tmp_path):
    assert problems_of(write(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("place", "cell", "complaint"),
    [
        (1, ("code", "\n".join("x = 1" for _ in range(13))), "has 13 lines"),
        (1, ("code", ""), "is empty"),
        (1, ("skip-me", "x = 1"), "unknown tags"),
        (1, ("markdown", "[next](11_nowhere.ipynb)"), "there is no 11_nowhere.ipynb"),
        (1, ("markdown", "![](00_x.ipynb)"), "no text for those who can't see it"),
        (0, ("markdown", "Hello"), "does not start with a title"),
        (0, ("markdown", "# T\n**You will do:** a"), "lacks '**You need:**'"),
        (1, ("markdown", "[more](#Nowhere)"), "there is no heading for #Nowhere"),
        (1, ("markdown", "[more](http://example.org)"), "is not an https address"),
        (5, ("markdown", "## Recap\nx"), "does not end with the headings"),
        (4, ("code", 'check("01")'), 'does not end with check("00")'),
        (4, ("code", "board.close()"), 'does not end with check("00")'),
        (2, ("code", "x = 1"), "solution 00.1 has no exercise"),
        (3, ("exercise", "# Exercise 00.3: three\nx"), "exercise 00.3 has no check"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, place, cell, complaint):
    cells = [*GOOD]
    cells[place] = cell
    assert any(complaint in problem for problem in problems_of(write(tmp_path, cells)))


def test_outputs_counts_and_kernels_are_found(tmp_path):
    path = write(tmp_path, GOOD, metadata={"kernelspec": {"name": "python3", "display_name": "x"}})
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].execution_count = 3
    nbformat.write(notebook, path)
    problems = problems_of(path)
    assert [text for text in problems if "strip_notebooks" in text] == problems
    assert len(problems) == 2


def test_solutions_and_exercises_belong_together(tmp_path):
    path = write(tmp_path, GOOD, solutions="# %% 00.2\nx = 1\n# %% 00.7\nx = 1\n")
    assert mismatches(path) == ["exercise 00.1 has no solution", "solution 00.7 has no exercise"]


def test_an_exercise_without_a_skill_is_named(tmp_path, monkeypatch):
    path = write(tmp_path, GOOD)
    problems_of(path)  # which loads the checks
    monkeypatch.setitem(checks._SKILLS, "00.2", "")
    assert problems_of(path) == ["exercise 00.2 has no skill: check_for('00.2', skill='...')"]


@pytest.mark.parametrize(
    ("link", "good"),
    [
        ("https://docs.micropython.org/en/latest/library/gc.html#gc.mem_free", True),
        ("https://example.org:8080/a?b=c", True),
        ("http://example.org", False),
        ("https://example", False),
        ("https://exa_mple.org", False),
        ("https://user@example.org", False),
        ("https://example.org:port", False),
        ("https:///path", False),
        ("ftp://example.org", False),
        ("file:///etc/hosts", False),
        ("#Try-it", True),
        ("00_x.ipynb#Recap", True),
        ("00_x.ipynb#recap", False),
    ],
)
def test_links_are_well_formed_and_lead_somewhere(tmp_path, link, good):
    path = write(tmp_path, GOOD)
    assert (link_problems(f"See [there]({link}).", path) == []) is good
