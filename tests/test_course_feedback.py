"""Every exercise of every notebook says what is wrong with a wrong answer.

The answers are in `wrong_answers_NN.py`: exercise -> (values, what the feedback matches); values
are a tuple, or a function of a fresh board that makes one.
"""

from __future__ import annotations

import importlib
import importlib.util
import re

import pytest

from workshop_helpers.course import check
from workshop_helpers.course.exercises import exercises_of
from workshop_helpers.course.files import read_notebook
from workshop_helpers.course.notebooks import find_notebooks

EXERCISES = {
    exercise: path.name[:2]
    for path in find_notebooks()
    for exercise in exercises_of(read_notebook(path), path.name)
}
# What every check says by itself when it has nothing to say about the answer.
GENERAL = re.compile(
    r"Something is still None|Your answer can't be used as it is|Write it like this: check\("
)


def wrong_answers(number):
    name = f"wrong_answers_{number}"
    if importlib.util.find_spec(name) is None:
        return {}
    return importlib.import_module(name).WRONG


CASES = [
    pytest.param(exercise, values, wanted, id=f"{exercise}-{wanted[:30]}")
    for number in sorted(set(EXERCISES.values()))
    for exercise, answers in wrong_answers(number).items()
    for values, wanted in answers
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_there_is_a_wrong_answer_to_try(exercise):
    assert wrong_answers(EXERCISES[exercise]).get(exercise), f"tests/wrong_answers_NN: {exercise}"


@pytest.mark.parametrize(("exercise", "values", "wanted"), CASES)
def test_a_wrong_answer_is_told_what_is_wrong(exercise, values, wanted, request):
    if callable(values):
        values = values(request.getfixturevalue("own_board")())
    verdict = check(exercise, *values)
    assert not verdict.passed
    assert re.search(wanted, verdict.feedback), verdict.feedback
    assert not GENERAL.search(verdict.feedback)
