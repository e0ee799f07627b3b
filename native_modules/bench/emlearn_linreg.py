"""Predictions, steps and training on problems of some sizes. See benchmarks/modules.py."""

from array import array


def cases(module, folder):
    for features, rows in ((4, 50), (10, 100), (30, 300), (50, 20)):
        X = array("f", [i * i % 251 / 125 - 1 for i in range(features * rows)])
        y = array("f", [i * i % 127 / 63 for i in range(rows)])
        model = module.new(features, 0.01, 0.5, 0.01)
        size = "%d features" % features
        yield "predict, " + size, model.predict, X[:features]
        size += ", %d rows" % rows
        yield "step, " + size, model.step, X, y
        yield "score, " + size, model.score_mse, X, y
        yield "100 steps, " + size, train, module, model, X, y


def train(module, model, X, y):
    module.train(model, X, y, max_iterations=100, check_interval=50, tolerance=-1)
