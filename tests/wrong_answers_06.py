"""Wrong answers to the exercises of notebook 06, and what each check has to say about them."""

import math

AND_OF_ONE = ["f,2", "c,2", "l,0", "l,1", "r,0", "n,0,0,-1,-2"]


def _xor(board):
    from xor_model import xor_model

    return xor_model(), board


def _dials(trees=10, shuffled=False):
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    from workshop_helpers import convert

    X = np.random.default_rng(1).uniform(-1, 1, (400, 2))
    y = np.array(["none", "one", "both"])[(X > 0).sum(axis=1)]
    if shuffled:
        np.random.default_rng(2).shuffle(y)
    forest = RandomForestClassifier(trees, random_state=1).fit(X, y)
    return convert(forest, X, name="dials")


def _another_on_the_board(board):
    board.deploy(_dials(trees=3))
    return _dials(), board


WRONG = {
    "06.1": [
        ((lambda values, scale: [int(v) for v in values],), "multiply by the scale"),
        ((lambda values, scale: [int(v * scale) for v in values],), "cuts towards zero"),
        ((lambda values, scale: [round(v * scale) for v in values],), "gave"),
        ((lambda values, scale: [math.floor(v * scale) for v in values],), "clip there"),
        ((lambda values, scale: None,), "raised TypeError"),
    ],
    "06.2": [
        ((AND_OF_ONE,), "left = 9000, right = -9000 your tree answers 1"),
        (("f,2\nc,2",), "list of text"),
        (([*AND_OF_ONE, "n,5,0,-1,-2"],), "would refuse this file"),
        ((["f,3", *AND_OF_ONE[1:]],), "2 features"),
    ],
    "06.3": [
        ((None, None), "still None"),
        (lambda board: (_xor(board)[0].estimator, board), "convert makes a DeviceModel"),
        (_xor, "knows off, on"),
        (lambda board: (_dials(shuffled=True), board), "right at"),
        (lambda board: (_dials(), board), "not on the board"),
        (_another_on_the_board, "another model"),
    ],
}
