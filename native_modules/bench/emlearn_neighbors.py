"""Predictions from digits, and from points in few dimensions. See benchmarks/modules.py."""

import json
from array import array


def cases(module, folder):
    seed = 1
    points = []
    for _ in range(101):
        seed = seed * 1103515245 + 12345 & 0x3FFFFFFF
        points.append([seed >> 8 & 0x3FF, seed >> 12 & 0x3FF, seed >> 16 & 0x3FF])
    labels = [i % 3 for i in range(100)]
    for n in (10, 100):
        yield from predictions(module, points[100:], points[:n], labels[:n], 3)
    # No item can be given up early.
    rows = [[(7 * i + 31 * j) % 100 for j in range(64)] for i in range(100)]
    yield from predictions(module, [[50] * 64], rows, labels, 3)
    with open(folder + "/digits.json") as file:
        queries, rows, labels = json.load(file)
    yield from predictions(module, queries, rows, labels, 1)
    yield from predictions(module, queries, rows, labels, 5)


def predictions(module, queries, rows, labels, k):
    model = module.new(len(rows), len(rows[0]), k)
    for i in range(len(rows)):
        model.additem(array("h", rows[i]), labels[i])
    queries = [array("h", query) for query in queries]
    query = array("h", queries[0])
    label = "%d items of %d, k = %d" % (len(rows), len(rows[0]), k)
    if len(queries) == 1:
        yield label, model.predict, query
    else:
        yield "%d x (%s)" % (len(queries), label), predict_all, model, queries, query


def predict_all(model, queries, query):
    for q in queries:
        query[:] = q
        model.predict(query)
