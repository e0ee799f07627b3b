"""Wrong answers to the exercises of notebook 10, and what each check has to say about them."""

from dataclasses import replace

import numpy as np


def _four_classes(board):
    """The forest as it is before the exercise, and as one that calls everything Other."""
    from sklearn.ensemble import RandomForestClassifier

    from workshop_helpers import datasets
    from workshop_helpers.features import motion_features

    data = datasets.load("basic_motions")
    known = motion_features(data.part("train"))
    forest = RandomForestClassifier(3, random_state=1).fit(known.X, known.y)
    return forest, known, np.zeros((5, known.X.shape[1]), np.int16)


def _all_other(board):
    forest, known, drier = _four_classes(board)
    labels = np.where(np.arange(len(known.y)) % 2 == 0, "Other", known.y)
    return forest.fit(known.X, labels), known, drier


def _own_unknown(board):
    forest, known, _ = _four_classes(board)
    return forest, known, replace(known, y=np.full(len(known.y), "swinging"))


def _own_spoils(board):
    forest, known, _ = _four_classes(board)
    mine = replace(known, y=np.full(len(known.y), "swinging"))
    rows, labels = np.vstack([known.X, *[mine.X] * 9]), np.concatenate([known.y, *[mine.y] * 9])
    return forest.fit(rows, labels), known, mine


WRONG = {
    "10.1": [
        ((None, None), "my_window and my_hop"),
        ((3.0, 1.5), "whole numbers"),
        ((3, 1), "counted in samples"),
        ((20, 10), "2 s, not 3 s"),
        ((30, 30), "do not overlap"),
        ((30, 10), "overlap by 67%, not by 50 %"),
    ],
    "10.2": [
        ((lambda labels, n: labels,), "should vanish"),
        ((lambda labels, n: labels[1:],), "came out"),
        ((lambda labels, n: 1 / 0,), "raised ZeroDivisionError"),
    ],
    "10.3": [
        (_four_classes, 'no class "Other" yet'),
        (_all_other, "Other"),
    ],
    "10.4": [
        (_own_unknown, "does not know 'swinging' yet"),
        (_own_spoils, "spoils the old ones"),
    ],
}
