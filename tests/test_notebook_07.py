"""Notebook 07's careless conversions and planted bugs."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from workshop_helpers import convert, verify
from workshop_helpers.course.broken import HOP, WINDOW, broken_deployment
from workshop_helpers.course.checks_07 import (
    device_threshold,
    power_of_two,
    right_file,
    sensor_gain,
    window_and_hop,
)
from workshop_helpers.course.conversions import (
    agreement_without_scaling,
    with_truncated_thresholds,
)
from workshop_helpers.course.figures_07 import journey_figure
from workshop_helpers.errors import CourseError


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(5, max_leaf_nodes=30, random_state=1).fit(X[:900], y[:900])
    return convert(forest, X[:900], name="digits"), X[900:]


def test_truncated_thresholds_part_from_scikit_learn_where_exact_ones_do_not(digits):
    model, X = digits
    assert verify(model, X).agreement == 1
    assert verify(with_truncated_thresholds(model), X).agreement < 0.95


def test_unscaled_features_lose_what_scaled_ones_keep(digits):
    model, X = digits
    y = model.estimator.predict(X)
    unit = RandomForestClassifier(5, random_state=1).fit(X / 16, y)
    converted = convert(unit, X / 16, name="unit")
    assert verify(converted, X / 16).agreement > 0.99
    assert agreement_without_scaling(converted, X / 16) < 0.6


def test_careless_conversion_wants_a_forest_with_its_estimator(digits):
    model, X = digits
    with pytest.raises(CourseError):
        agreement_without_scaling(replace(model, estimator=None), X)


def test_right_answers_pass():
    assert device_threshold(lambda t, s: math.floor(t * s) + 1)
    assert power_of_two(lambda largest: 2.0 ** math.floor(math.log2(32767 / largest)))
    assert window_and_hop(WINDOW, HOP)


def test_each_planted_bug_is_there_and_can_be_mended(board):
    left = broken_deployment(board)
    try:
        assert "hop 5, this app has 10" in left.try_out().refusal
        wrong_file = left.try_out(hop=HOP, gain=2)
        assert wrong_file.accuracy is not None and wrong_file.accuracy < 0.6
        verdict = right_file(left)
        assert not verdict and "another model" in verdict.feedback

        board.deploy(left.model, app="har_live")
        assert right_file(left)
        weak, mended = left.try_out(hop=HOP), left.try_out(hop=HOP, gain=2)
        assert weak.accuracy is not None and mended.accuracy is not None
        assert weak.accuracy < 0.7 < 0.95 < mended.accuracy
    finally:
        for path in ("/models/watch", "/recordings"):
            board.rm(path, recursive=True)

    assert sensor_gain(2, left)
    assert np.all(left.recorded.std(axis=(0, 1)) < left.training.std(axis=(0, 1)))


def test_no_words_of_the_journey_lie_on_others():
    picture = journey_figure(0.37, 0.385, scale=32768, feature="phenols")
    picture._repr_png_()  # which makes small text larger
    boxes = [text.get_window_extent() for text in picture.axes[0].texts if text.get_text()]
    assert len(boxes) == 13 and not any(a.overlaps(b) for a, b in combinations(boxes, 2))
