"""Time predictions: `emlearn_trees.py FOLDER_OF_MODULE MODEL.csv ROWS.json` prints nanoseconds.

Runs on any MicroPython with a file system. The best of some rounds, as everything that disturbs a
measurement makes it longer. A row is predicted many times in a row, since clocks are coarse.
"""

import json
import sys
import time
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_trees

REPEATS = 50
ROUNDS = 8


def main(path, rows_path):
    with open(rows_path) as file:
        rows = [array("h", row) for row in json.load(file)]
    counts = {"r": 0, "n": 0, "l": 0}
    with open(path) as file:
        for line in file:
            if line[0] in counts:
                counts[line[0]] += 1
    model = emlearn_trees.new(counts["r"], counts["n"], counts["l"])
    with open(path) as file:
        emlearn_trees.load_model(model, file)
    out = array("f", [0] * model.outputs())
    features = array("h", rows[0])
    best = None
    for _ in range(ROUNDS):
        total = 0
        for row in rows:
            for i in range(len(row)):
                features[i] = row[i]
            start = time.ticks_us()
            for _ in range(REPEATS):
                model.predict(features, out)
            total += time.ticks_diff(time.ticks_us(), start)
        best = total if best is None else min(best, total)
    print(1000 * best // (REPEATS * len(rows)))


main(*sys.argv[2:])
