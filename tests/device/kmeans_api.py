"""What emlearn_kmeans promises, apart from its arithmetic: `kmeans_api.py FOLDER_OF_MODULE`.

Runs on both Pythons.
"""

import gc
import sys
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_kmeans as km


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def test_argmin():
    for kind in (bytes, bytearray, lambda values: array("B", values)):
        assert km.euclidean_argmin(kind((5, 5, 9, 9, 5, 5)), kind((6, 5))) == (0, 1)
        assert km.euclidean_argmin(kind((0,) * 600 + (255,) * 2), kind((255, 255))) == (300, 0)
        assert km.euclidean_argmin(kind((0,) * 16384), kind((255,) * 16384)) == (0, 16384 * 65025)
        refused("channels 0", km.euclidean_argmin, kind((1, 2)), kind(()))
        refused("no vectors", km.euclidean_argmin, kind(()), kind((1, 2)))
        refused("multiple of 2", km.euclidean_argmin, kind((1, 2, 3)), kind((1, 2)))
        refused("channels 16385", km.euclidean_argmin, kind((1,) * 16385), kind((1,) * 16385))


def test_argmin_buffers():
    vectors = bytearray((1, 2, 3, 4))
    point = bytearray((3, 4))
    for _ in range(2):  # before and after good buffers were seen
        for bad in ([1, 2], None, 5, (1, 2), "ab", memoryview(b"12")):
            refused("point: want", km.euclidean_argmin, vectors, bad)
            refused("vectors: want", km.euclidean_argmin, bad, point)
        for typecode in "bhHiIlLqQfd":
            refused("point: want", km.euclidean_argmin, vectors, array(typecode, [1, 1]))
            refused("vectors: want", km.euclidean_argmin, array(typecode, [1, 1]), point)
        refused("point: want", km.euclidean_argmin, vectors, Own("B", point))
        refused("vectors: want", km.euclidean_argmin, Own("B", vectors), point)
        refused("values: want", km.cluster, Own("B", vectors), vectors, 1)
        assert km.euclidean_argmin(vectors, point) == (1, 0)
    vectors.append(9)  # buffers that were fine and have grown since
    refused("multiple of 2", km.euclidean_argmin, vectors, point)
    vectors.append(9)
    point[0] = 9
    point[1] = 8
    assert km.euclidean_argmin(vectors, point) == (2, 1)
    point.append(9)
    assert km.euclidean_argmin(vectors, point) == (1, 26)


def test_cluster():
    for kind in (bytearray, lambda values: array("B", values)):
        values = kind((0, 0, 0, 10, 5, 2, 200, 50, 100, 255, 255, 255))
        centroids = kind((0, 0, 0, 200, 200, 200))
        found = km.cluster(values, centroids, features=3)
        assert list(found) == [0, 0, 1, 1], found
        assert list(centroids) == [5, 2, 1, 227, 152, 177], centroids
    assert list(km.cluster(b"", bytearray(3), 3)) == []
    assert list(km.cluster(b"abc", bytearray(3), 3, max_iter=0)) == [255]


def test_cluster_iter():
    values = bytes((0, 10, 20, 100))
    centroids = bytearray((0, 20))
    assignments = bytearray(b"\xff" * 4)
    rounds = km.cluster_iter(values, centroids, assignments, 1)
    assert next(rounds) == 4
    assert list(assignments) == [0, 0, 1, 1] and list(centroids) == [0, 20]
    assert next(rounds) == 1
    assert list(assignments) == [0, 0, 0, 1] and list(centroids) == [5, 60]
    # The caller may change what was written; what is no cluster is left out.
    assignments[3] = 77
    assert next(rounds) == 1
    assert list(centroids) == [10, 60]
    assert next(rounds) == 0
    assert list(rounds) == []
    rounds = km.cluster_iter(values, centroids, assignments, 1, max_iter=1)
    assert list(rounds) == [0]
    rounds = km.cluster_iter(values, bytearray(2), assignments, 1, stop_changes=4)
    assert list(rounds) == [1]
    rounds = km.cluster_iter(values, centroids, assignments, 1, stop_changes=-1)
    next(rounds)
    assignments.append(0)
    refused("want 4 assignments", next, rounds)


def test_cluster_refusals():
    values = bytearray(12)

    def first(*arguments):
        return next(km.cluster_iter(*arguments))

    for n in (0, -1, 16385, 1.0, None, "1"):
        refused("features", first, values, bytearray(6), bytearray(4), n)
        if n != 16385:
            refused("features", km.cluster, values, bytearray(6), n)
    refused("values: want a multiple of 5", first, values, bytearray(5), bytearray(2), 5)
    refused("centroids: want a multiple of 3", first, values, bytearray(5), bytearray(4), 3)
    refused("0 clusters", first, values, bytearray(), bytearray(4), 3)
    refused("256 clusters", first, values, bytearray(3 * 256), bytearray(4), 3)
    for n in (0, 3, 5):
        refused("want 4 assignments", first, values, bytearray(3), bytearray(n), 3)
    refused("can't write", first, values, bytes(3), bytearray(4), 3)
    refused("can't write", first, values, bytearray(3), bytes(4), 3)
    for typecode in "bhHiIlLqQfd":
        bad = array(typecode, [1, 1, 1])
        refused("values: want a bytearray", first, bad, bytearray(3), bytearray(1), 3)
        refused("centroids: want a bytearray", first, values, bad, bytearray(4), 3)
        refused("assignments: want a bytearray", first, values, bytearray(3), bad, 3)
    assert first(values, bytearray(3 * 255), bytearray(b"\xff" * 4), 3) == 4


def test_steps_allocate_little():
    if sys.implementation.name != "micropython" or "plain" in sys.argv[1]:
        return
    values = bytearray(range(240))
    centroids = bytearray(values[:9])
    rounds = km.cluster_iter(values, centroids, bytearray(80), 3, max_iter=100, stop_changes=-1)
    next(rounds)
    next(rounds)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(50):
        next(rounds)
    after = gc.mem_alloc()
    gc.enable()
    assert (after - before) // 50 <= 256, after - before  # what the checks need


def main():
    tests = [name for name in sorted(globals()) if name.startswith("test_")]
    for name in tests:
        globals()[name]()
    print("passed", len(tests))


main()
