"""Times one prediction of a small forest, with whatever `emlearn_trees` is installed.

Runs under: MicroPython; needs emlearn_trees in /lib.
Memory: 16 trees of 15 nodes, about 3 KB.
"""

import time
from array import array

TREES = 16
DEPTH = 4
FEATURES = 8


def forest():
    """Full binary trees, made by rule: what they predict means nothing."""
    import emlearn_trees

    inner = 2**DEPTH - 1
    model = emlearn_trees.new(TREES, TREES * inner, 2)
    model.addleaf(0)
    model.addleaf(1)
    for tree in range(TREES):
        model.addroot(tree * inner)
        for node in range(inner):
            below = 2 * node + 1 >= inner
            left, right = (-1, -2) if below else (node + 1, node + 2)
            model.addnode(left, right, (tree + node) % FEATURES, 100 * node - 700)
    model.setdata(FEATURES, 2)
    return model


def us_per_prediction(repeats=200):
    """Median of five batches, in microseconds."""
    model = forest()
    features = array("h", [37 * i - 150 for i in range(FEATURES)])
    out = array("f", [0.0, 0.0])
    model.predict(features, out)
    batches = []
    for _ in range(5):
        start = time.ticks_us()
        for _ in range(repeats):
            model.predict(features, out)
        batches.append(time.ticks_diff(time.ticks_us(), start) / repeats)
    return sorted(batches)[2]
