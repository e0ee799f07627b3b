"""Predictions with hard voting on real rows. See benchmarks/modules.py."""

import json
from array import array

REPEATS = 20


def cases(module, folder):
    with open(folder + "/rows.json") as file:
        rows = [array("h", row) for row in json.load(file)]
    with open(folder + "/forests.json") as file:
        forests = json.load(file)
    for trees, leaves in forests:
        path = "%s/%d_%d.csv" % (folder, trees, leaves)
        model = load(module, path)
        features = array("h", rows[0])
        out = array("f", [0] * model.outputs())
        label = "%d x (%d trees of %d leaves)" % (REPEATS * len(rows), trees, leaves)
        yield label, predict_all, model, rows, features, out


def predict_all(model, rows, features, out):
    # Like a program that fills one buffer again and again, with little time spent on filling it.
    for row in rows:
        features[:] = row
        for _ in range(REPEATS):
            model.predict(features, out)


def load(module, path):
    """The way that the C module has, too."""
    counts = {"r": 0, "n": 0, "l": 0}
    with open(path) as file:
        for line in file:
            if line[0] in counts:
                counts[line[0]] += 1
    model = module.new(counts["r"], counts["n"], counts["l"])
    with open(path) as file:
        module.load_model(model, file)
    return model
