"""Runs cases of emlearn_neighbors, emlearn_kmeans or emlearn_arrayutils. Runs on both Pythons.

    micropython array_modules_driver.py NAME FOLDER_OF_MODULE CASES.json

The cases are a list of what the function called NAME below takes. Prints one line of JSON a case:
its answer, or {"error": ...}. Arrays travel as [typecode, hex of their bytes].
"""

import binascii
import json
import sys
from array import array


def unpacked(data):
    typecode, text = data
    data = binascii.unhexlify(text)
    return data if typecode == "bytes" else array(typecode, data)


def packed(data):
    return binascii.hexlify(bytes(data)).decode()


def emlearn_neighbors(module, k, items, labels, queries, ranks):
    """[label, [result of each rank]] of each query."""
    model = module.new(len(items), len(items[0]), k)
    for i in range(len(items)):
        assert model.additem(array("h", items[i]), labels[i]) == i
    out = array("h", items[0])
    for i in range(len(items)):
        model.getitem(i, out)
        assert list(out) == items[i]
    found = []
    for query in queries:
        label = model.predict(array("h", query))
        found.append([label, [model.getresult(rank) for rank in ranks]])
    return found


def emlearn_kmeans(module, values, centroids, features, options):
    """[nearest centroid of the first value, assignments, centroids]."""
    values = unpacked(values)
    centroids = unpacked(centroids)
    nearest = module.euclidean_argmin(centroids, values[:features])
    assignments = module.cluster(values, centroids, features, **options)
    return [nearest, packed(assignments), packed(centroids)]


def emlearn_arrayutils(module, values, typecode, limits):
    values = unpacked(values)
    out = array(typecode, [0] * len(values))
    # As bytes, since MicroPython reads some decimal numbers a bit off.
    module.linear_map(values, out, *unpacked(limits))
    return packed(out)


def main(name, folder, path):
    sys.path.insert(0, folder)
    module = __import__(name)
    with open(path) as file:
        cases = json.load(file)
    for case in cases:
        try:
            answer = globals()[name](module, *case)
        except ValueError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer))


main(*sys.argv[1:])
