"""What emlearn_neighbors promises, apart from its arithmetic: `neighbors_api.py FOLDER_OF_MODULE`.

Runs on both Pythons.
"""

import gc
import sys
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_neighbors


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def h(*values):
    return array("h", values)


def test_builder():
    m = emlearn_neighbors.new(4, 3, 2)
    out = h(0, 0, 0)
    refused("0 items, want 2", m.predict, h(1, 2, 3))
    refused("result 0", m.getresult, 0)
    refused("item 0", m.getitem, 0, out)
    assert m.additem(h(-100, -100, -2), 0) == 0
    refused("1 items, want 2", m.predict, h(1, 2, 3))
    assert m.additem(h(-100, -100, -2), 0) == 1
    assert m.additem(h(100, 100, 2), 1) == 2
    assert m.predict(h(100, 100, 2)) == 0  # one vote each: the least label
    assert m.additem(h(100, 100, 2), 1) == 3
    assert m.getresult(2) == (1, 282, 0)  # what was found stays
    refused("result 3", m.getresult, 3)
    refused("max items", m.additem, h(0, 0, 0), 0)
    assert m.predict(h(100, 100, 2)) == 1
    assert [m.getresult(i) for i in (3, 0, 2, 1)] == [
        (1, 282, 0),
        (2, 0, 1),
        (0, 282, 0),
        (3, 0, 1),
    ]
    m.getitem(1, out)
    assert out == h(-100, -100, -2)
    for index in (-1, 4, 1.0, None):
        refused("item", m.getitem, index, out)
        refused("result", m.getresult, index)


def test_the_query_may_change_afterwards():
    m = emlearn_neighbors.new(3, 1, 1)
    for i in range(3):
        m.additem(h(10 * i), i)
    q = h(1)
    assert m.predict(q) == 0
    q[0] = 19
    assert [m.getresult(i)[:2] for i in range(3)] == [(0, 1), (1, 9), (2, 19)]
    assert m.predict(q) == 2


def test_labels_are_int16():
    m = emlearn_neighbors.new(9, 1, 1)
    for i, label in enumerate((-32768, -1, 10, 300, 32767)):
        m.additem(h(i), label)
        assert m.predict(h(i)) == label == m.getresult(0)[2]
    for label in (-32769, 32768, 1.0, "1", None):
        refused("label", m.additem, h(0), label)


def test_sizes():
    new = emlearn_neighbors.new
    for n in (0, -1, 32768, 1.0, None):
        refused("items", new, n, 1, 1)
        refused("features", new, 1, n, 1)
        refused("neighbors", new, 5, 1, n)
    refused("neighbors 3, want 1..2", new, 2, 1, 3)
    if sys.implementation.name == "micropython":
        for sizes in ((32767, 32767, 1), (32767, 8000, 1)):
            try:
                new(*sizes)
            except MemoryError:
                continue
            raise AssertionError("there was room")
        assert new(2, 2, 1).additem(h(1, 2), 3) == 0


def test_buffers():
    m = emlearn_neighbors.new(3, 2, 1)
    good = h(5, -8)
    m.additem(good, 1)
    for _ in range(2):  # before and after a good buffer was seen
        for f in (m.predict, lambda x: m.additem(x, 0), lambda x: m.getitem(0, x)):
            for bad in ([5, -8], b"1234", bytearray(4), None, memoryview(good), 5, (5, -8), "ab"):
                refused("want array 'h'", f, bad)
            for typecode in "bBHiIlLqQfd":
                refused("want array 'h'", f, array(typecode, [1, 1]))
            refused("want array 'h'", f, Own("h", (5, -8)))
            for n in (0, 1, 3):
                refused("want 2 features", f, h(*range(n)))
        assert m.predict(good) == 1
    good.append(1)
    refused("want 2 features", m.predict, good)


def test_predict_allocates_nothing():
    if sys.implementation.name != "micropython" or "plain" in sys.argv[1]:
        return
    m = emlearn_neighbors.new(20, 5, 3)
    for i in range(20):
        m.additem(h(i, -i, 7 * i, 0, 1), i)
    q = h(5, 4, 3, 2, 1)
    m.predict(q)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        m.predict(q)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before


def main():
    tests = [name for name in sorted(globals()) if name.startswith("test_")]
    for name in tests:
        globals()[name]()
    print("passed", len(tests))


main()
