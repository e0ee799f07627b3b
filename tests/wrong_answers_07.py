"""Wrong answers to the exercises of notebook 07."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

from workshop_helpers.course.broken import broken_deployment


def largest_power(largest):
    return 2.0 ** math.floor(math.log2(32767 / largest))


@functools.cache
def _left_behind(board):
    return broken_deployment(board)


def _gone(board):
    left = broken_deployment(board)
    board.rm("/models/watch/model.csv")
    return (left,)


def _gain(gain):
    return lambda board: (gain, replace(_left_behind(board)))


WRONG = {
    "07.1": [
        ((lambda t, s: int(t * s),), "sends it left"),
        ((lambda t, s: math.ceil(t * s),), "wrong when t is one"),
        ((lambda t, s: int(t * s) + 1,), "not -2"),
        ((lambda t, s: math.floor(t * s) + 1.0,), "needs an int"),
        ((lambda t, s: None,), "returns nothing"),
        ((lambda t, s: t.nothing,), "AttributeError"),
    ],
    "07.2": [
        ((lambda largest: 32767 / largest,), "no power of two"),
        ((lambda largest: 65536.0,), "overflow"),
        ((lambda largest: largest_power(largest) / 2,), "give away"),
        ((lambda largest: "many",), "positive number"),
        ((lambda largest: largest.nothing,), "AttributeError"),
    ],
    "07.3": [
        (lambda board: (broken_deployment(board),), "another model"),
        (_gone, "is gone from the board"),
    ],
    "07.4": [
        ((20, 10), "overlap by 50%, the model was trained with 75%"),
        ((10, 5), "window has 10 samples"),
        ((20.0, 5), "whole numbers"),
    ],
    "07.5": [
        (_gain(0.5), "other way round"),
        (_gain(1), "times as strong"),
        (_gain(2.3), "is near"),
        (_gain("two"), "positive number"),
    ],
}
