"""Wrong answers to the exercises of notebook 08."""

from __future__ import annotations

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from workshop_helpers import convert

X, y = load_digits(return_X_y=True)


def _model(trees, leaves, voting, columns=64):
    forest = RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=1)
    return convert(forest.fit(X[:900, :columns], y[:900]), X[:900, :columns], voting=voting)


HARD = _model(10, 60, "hard")
NODES, LEAVES = HARD.forest.capacities[1:]

WRONG = {
    "08.1": [
        ((None, HARD), "still None"),
        ((HARD.size_bytes, HARD), "size of the text file"),
        ((8 * NODES, HARD), "Add what the leaves"),
        ((8 * NODES + LEAVES, HARD), "12 bytes as well"),
        ((17, HARD), "Not 17"),
        (("many", HARD), "no number of bytes"),
    ],
    "08.2": [
        ((_model(30, 128, "soft"), X[900:], y[900:]), "bytes too many"),
        ((_model(3, 16, "hard"), X[900:], y[900:]), "should be right in"),
        ((_model(5, 60, "soft"), X[900:], y[900:]), "too large and not good enough"),
        ((_model(5, 60, "hard", columns=9), X[900:], y[900:]), "It takes 9 features"),
        (("a model", X, y), "Give the converted model"),
    ],
}
