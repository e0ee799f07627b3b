"""Predictions of real rows by networks of both sizes of weights. See benchmarks/modules.py."""

import json
from array import array

REPEATS = 10


def cases(module, folder):
    with open(folder + "/models.json") as file:
        models = json.load(file)
    for label, name, rows in models:
        model = module.load("%s/%s.bin" % (folder, name))
        rows = [array("h", row) for row in rows]
        features = array("h", rows[0])
        out = array("f", [0] * model.outputs())
        yield "%d x %s" % (REPEATS * len(rows), label), predict_all, model, rows, features, out


def predict_all(model, rows, features, out):
    # Like a program that fills one buffer again and again, with little time spent on filling it.
    for row in rows:
        features[:] = row
        for _ in range(REPEATS):
            model.predict(features, out)
