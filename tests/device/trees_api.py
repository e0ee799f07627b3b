"""What emlearn_trees promises, apart from its arithmetic. Runs on both Pythons.

micropython trees_api.py FOLDER_OF_MODULE
"""

import sys
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_trees as trees

HARD = [
    "f,2",
    "c,3",
    "lb,0",
    "l,0",
    "l,1",
    "l,2",
    "r,0",
    "r,-2",
    "r,1",
    "n,0,10,1,-3",
    "n,1,-7,-1,-2",
]


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def outputs(model, features):
    out = array("f", [9] * model.outputs())
    model.predict(array("h", features), out)
    return [round(v, 5) for v in out]


def test_builder():
    """Row by row, as with the module this one stands for."""
    m = trees.new(2, 2, 3)
    for leaf in (0, 1, 2):
        m.addleaf(leaf)
    m.addroot(0)
    m.addnode(-1, 1, 0, 5)
    m.addnode(-2, -3, 1, 0)
    m.setdata(2, 3)
    assert m.outputs() == 3
    assert outputs(m, [4, 0]) == [1, 0, 0]
    assert outputs(m, [5, -1]) == [0, 1, 0]
    assert outputs(m, [5, 0]) == [0, 0, 1]
    # A row that is added later counts, and is checked.
    m.addroot(-1)
    assert outputs(m, [5, 0]) == [0.5, 0, 0.5]
    refused("max trees", m.addroot, 0)
    refused("max nodes", m.addnode, -1, -1, 0, 0)
    refused("max leaves", m.addleaf, 0)
    m.setdata(1, 3)
    refused("n row 1: bad feature", m.predict, array("h", [0]), array("f", [0] * 3))


def test_bad_rows():
    m = trees.new(9, 9, 9)
    for child in (0, 32768, -32769, 1.0, "1", None):
        refused("child", m.addnode, child, 1, 0, 0)
        refused("child", m.addnode, 1, child, 0, 0)
    for feature in (-1, 32767, 1.0, None):
        refused("feature", m.addnode, 1, 1, feature, 0)
    for value in (32768, -32769, 1.5, None):
        refused("threshold", m.addnode, 1, 1, 0, value)
    for root in (-32769, 10, 0.0, None):
        refused("root", m.addroot, root)
    for leaf in (-1, 256, 0.0, None):
        refused("leaf", m.addleaf, leaf)
    for n_features, n_classes in ((None, 2), (2, None), (0, 2), (2, 0), (2, 257), (32768, 2)):
        refused(" want 1..", m.setdata, n_features, n_classes)
    for bits in (1, 16, None, "8"):
        refused("leaf bits", m.setleafbits, bits)
    for scale in ((float("nan"), 1), (0, float("inf"))):
        refused("scale", m.setscale, *scale)
    for capacity in (-1, None, "1", 1 << 40):
        refused("capacity", trees.new, 1, capacity, 1)
    refused("not loaded", m.outputs)
    refused("not loaded", m.predict, array("h", [0]), array("f", [0]))


def test_too_large():
    if sys.implementation.name != "micropython":
        return  # a laptop may well have half a gigabyte
    try:
        trees.new(1, 0x3FFFFFF, 1)
    except MemoryError:
        return
    raise AssertionError("half a gigabyte was not too large")


def test_buffers():
    m = trees.load(HARD)
    h = array("h", [5, -8])
    f = array("f", [9, 9, 9])
    for _ in range(2):  # before and after good buffers were seen
        for bad in ([5, -8], b"1234", bytearray(4), None, memoryview(h), 5, (5, -8), "ab", f):
            refused("features: want array 'h'", m.predict, bad, f)
        for typecode in "bBHiIlLqQfd":
            refused("features: want array 'h'", m.predict, array(typecode, [1, 1]), f)
        for bad in ([9, 9, 9], bytes(12), bytearray(12), None, 5, memoryview(f), h):
            refused("out: want array 'f'", m.predict, h, bad)
        for typecode in "bBhHiIlLqQd":
            refused("out: want array 'f'", m.predict, h, array(typecode, [1, 1, 1]))
        refused("features: want array 'h'", m.predict, Own("h", h), f)
        refused("out: want array 'f'", m.predict, h, Own("f", f))
        for n in (0, 1, 3):
            refused("want 2 features, 3 outputs", m.predict, array("h", [0] * n), f)
        for n in (0, 2, 4):
            refused("want 2 features, 3 outputs", m.predict, h, array("f", [0] * n))
        m.predict(h, f)
        assert [round(v, 3) for v in f] == [0.667, 0.333, 0]
    # A buffer that was fine and has grown since.
    h.append(1)
    refused("want 2 features", m.predict, h, f)
    h = array("h", [5, -8])
    m.predict(h, f)
    f.append(1)
    refused("want 2 features", m.predict, h, f)


def test_load_model():
    m = trees.new(3, 2, 3)
    trees.load_model(m, HARD)
    assert outputs(m, [10, 0]) == [0, 0.66667, 0.33333]
    # Line ends, blank and unknown rows, spaces, float thresholds.
    loose = ["# a remark", "", "v,1,2"] + [r.replace(",10,", ", 10.9 ,") + "\r\n" for r in HARD]
    assert outputs(trees.load(loose), [10, 0]) == [0, 0.66667, 0.33333]
    # Rows in another order, so that a fault has no line of its own.
    refused("n row 2: bad child", trees.load, HARD + ["c,3", "n,0,0,-9,-1"])
    for rows, words in (
        (HARD + ["n,0,1,1,-1"], "line 12: bad child"),
        (HARD + ["n,0,1,-4,-1"], "line 12: bad child"),
        (HARD + ["n,0,1,0,-1"], "line 12: child 0"),
        (HARD + ["n,2,1,-1,-1"], "line 12: bad feature"),
        (HARD + ["n,-1,1,-1,-1"], "line 12: feature -1"),
        (HARD + ["n,1,32768,-1,-1"], "line 12: threshold 32768"),
        (HARD + ["n,1,1e9,-1,-1"], "line 12: threshold 1000000000"),
        (HARD + ["n,1,nan,-1,-1"], "line 12: "),
        (HARD + ["n,1,inf,-1,-1"], "line 12: "),
        (HARD + ["n,1,x,-1,-1"], "line 12: "),
        (HARD + ["n,1,1,-1"], "line 12: "),
        (HARD + ["n,1,1,-1,-1,-1"], "line 12: "),
        (HARD + ["l"], "line 12: "),
        (HARD + ["l,"], "line 12: "),
        (HARD + ["l,1.5"], "line 12: "),
        (HARD + ["r,1,2"], "line 12: "),
        (HARD + ["lb,8"], "line 12: leaf bits"),
        (HARD + ["y,1"], "line 12: "),
        (HARD + ["y,1,nan"], "line 12: scale"),
        (HARD + ["f,none"], "line 12: "),
        (HARD + ["f,0"], "line 12: features 0"),
        (HARD[:-1], "line 9: bad root"),
        (HARD[:6], "no trees"),
        (HARD[1:], "features None"),
        (HARD[:1] + HARD[2:], "classes None"),
        (HARD[:3] + ["l,3"] + HARD[4:], "line 4: bad class"),
        (HARD[:6] + ["r,-4"] + HARD[7:], "line 7: bad root"),
        (HARD[:8] + ["r,2"] + HARD[9:], "line 9: bad root"),
        (HARD[:2] + ["lb,8", "l,1"] + HARD[3:], "line 2: bad leaves are not whole"),
        (HARD[:2] + ["lb,32"] + HARD[3:], "line 2: bad regression has 1 class"),
        (HARD[:2] + ["lb,4"] + HARD[3:], "line 3: leaf bits"),
        ([], "line 0: "),
    ):
        refused(words, trees.load, rows)
    for caps, words in (((2, 2, 3), "line 9"), ((3, 1, 3), "line 11"), ((3, 2, 2), "line 6")):
        refused(words + ": max ", trees.load_model, trees.new(*caps), HARD)
    refused("text", trees.load, [b"f,2"])
    refused("line 1: ", trees.load_model, trees.new(1, 1, 1), [b"f,2"])
    many = ["f,1", "c,1", "lb,32", "l,0"]
    assert outputs(trees.load(many + ["r,-1"] * 127), [0]) == [0]
    refused("127 trees", trees.load, many + ["r,-1"] * 128)


def test_failed_load_stays_refused():
    m = trees.new(9, 9, 9)
    refused("line 12", trees.load_model, m, HARD + ["n,0,1,0,-1"])
    refused("not loaded", m.predict, array("h", [0, 0]), array("f", [0] * 3))


def test_soft_and_regression():
    soft = ["f,1", "c,2", "lb,8", "l,255", "l,0", "l,100", "l,155", "r,0", "r,-2", "n,0,10,-1,-2"]
    m = trees.load(soft)
    assert outputs(m, [9]) == [round(355 / 510, 5), round(155 / 510, 5)]
    assert outputs(m, [10]) == [round(200 / 510, 5), round(310 / 510, 5)]
    value = ["f,1", "c,1", "lb,32", "y,1.5,0.25", "l,-8388608", "l,8388608", "l,7", "r,0", "r,-3"]
    m = trees.load(value + ["n,0,10,-1,-2"])
    assert m.outputs() == 1
    for _ in range(2):  # the sums start at 0 each time
        assert outputs(m, [9]) == [1.5 + 0.25 * (-8388608 + 7) / 2]
        assert outputs(m, [10]) == [1.5 + 0.25 * (8388608 + 7) / 2]
    m.setscale(0, -1)
    assert outputs(m, [9]) == [(8388608 - 7) / 2]


def test_a_prediction_that_ends_half_way():
    """By a full heap, or Ctrl-C: nothing of it is left to the next one."""
    if sys.implementation.name != "micropython":
        return
    import micropython

    value = ["f,1", "c,1", "lb,32", "y,1.5,0.25", "l,5", "l,9", "r,0", "n,0,10,-1,-2"]
    m = trees.load(value)
    features = array("h", [9])
    out = array("f", [0])
    m.predict(features, out)
    micropython.heap_lock()
    try:
        m.predict(features, out)
        raise AssertionError("it took no heap")
    except MemoryError:
        pass
    finally:
        micropython.heap_unlock()
    m.predict(features, out)
    assert out[0] == 1.5 + 0.25 * 5


def main():
    tests = [name for name in sorted(globals()) if name.startswith("test_")]
    for name in tests:
        globals()[name]()
    print("passed", len(tests))


main()
