"""What emlearn_arrayutils promises, apart from its arithmetic: `arrayutils_api.py FOLDER`.

Runs on both Pythons.
"""

import gc
import sys
from array import array

sys.path.insert(0, sys.argv[1])
from emlearn_arrayutils import linear_map

NAN = float("nan")
INF = float("inf")


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, *arguments):
    try:
        linear_map(*arguments)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def mapped(typecode, values, *limits, x="h"):
    out = array(typecode, [0] * len(values))
    linear_map(array(x, values), out, *limits)
    return list(out)


def test_a_first_call_without_limits():
    """No limits were seen before: None is not what was seen before."""
    for x in "hf":
        try:
            linear_map(array(x, [1]), array("f", [1]), None, None, None, None)
        except TypeError:
            continue
        raise AssertionError("not refused")


def test_all_pairs():
    for x in "hf":
        assert mapped("f", [0, 2, 4, 8], 0, 8, -1.0, 1.0, x=x) == [-1, -0.5, 0, 1]
        first, middle, last = mapped("f", [0, 5, 10], 0, 10, -1.0, 1.0, x=x)
        assert first == -1 and abs(middle) < 2**-26 and last == 1
        assert mapped("h", [0, 5, 10], 0, 10, -100, 100, x=x) == [-100, 0, 100]
    ints = array("h", range(-1000, 1000))
    floats = array("f", ints)
    back = array("h", ints)
    linear_map(ints, floats, -(2**15), 2**15, -1.0, 1.0)
    linear_map(floats, back, -1.0, 1.0, -(2**15), 2**15)
    assert back == ints
    linear_map(ints, ints, -1000, 999, 999, -1000)  # in place
    assert list(ints) == list(range(999, -1001, -1))


def test_limits():
    for x in "hf":
        assert mapped("f", [-32768, -1, 11, 32767], 0, 10, 2.5, 7.25, x=x) == [2.5, 2.5, 7.25, 7.25]
        assert mapped("f", [-32768, -1, 11, 32767], 10, 0, 7.25, 2.5, x=x) == [2.5, 2.5, 7.25, 7.25]
        assert mapped("f", [-5, 0, 10, 15], 0, 10, 1.0, -1.0, x=x) == [1, 1, -1, -1]
        assert mapped("f", [-5, 0, 10, 15], 10, 0, 1.0, -1.0, x=x) == [-1, -1, 1, 1]
        assert mapped("h", [0, 3, 7], 0, 10, 5, 5, x=x) == [5, 5, 5]
        # What does not fit an int16 stops at its ends.
        assert mapped("h", [-10, 10, 0], -10, 10, -40000, 40000, x=x) == [-32768, 32767, 0]
    odd = [0.25, 0.75, 1e30, -1e30, INF, -INF, NAN]
    assert mapped("h", odd, 0, 1, 0, 10, x="f") == [3, 8, 10, 0, 10, 0, 10]
    assert mapped("h", [-0.5, 0.5, 1.5], -2, 2, -2, 2, x="f") == [0, 1, 2]  # halves: upwards
    assert mapped("f", [0, 1], 0.25, 0.75, -8, 8) == [-8, 8]
    assert mapped("f", [7], 0, 7, 0, 0.0) == [0]
    assert mapped("f", [], 0, 1, 0, 1) == []


def test_refusals():
    h = array("h", [1, 2])
    f = array("f", [1, 2])
    ok = (0, 1, 0, 1)
    for _ in range(2):  # before and after good buffers were seen
        for bad in ([1, 2], None, 5, "ab", b"1234", bytearray(4), memoryview(h)):
            refused("want arrays 'h' or 'f'", bad, f, *ok)
            refused("want arrays 'h' or 'f'", h, bad, *ok)
        for typecode in "bBHiIlLqQd":
            refused("want arrays 'h' or 'f'", array(typecode, [1, 1]), f, *ok)
            refused("want arrays 'h' or 'f'", h, array(typecode, [1, 1]), *ok)
        refused("want arrays 'h' or 'f'", Own("h", h), f, *ok)
        refused("want arrays 'h' or 'f'", h, Own("f", f), *ok)
        refused("lengths 2 and 3", h, array("f", [0] * 3), *ok)
        refused("lengths 2 and 0", h, array("f"), *ok)
        refused("in_min is in_max", h, f, 5, 5, 0, 1)
        for bad in (NAN, INF, -INF):
            for at in range(4):
                limits = [0, 1, 0, 1]
                limits[at] = bad
                refused("limit", h, f, *limits)
        refused("too large", f, h, 0, 1, 0, 1e9)
        linear_map(h, f, *ok)
    h.append(3)
    refused("lengths 3 and 2", h, f, *ok)
    f.append(3)
    linear_map(h, f, 0, 3, 0, 3)
    assert list(f) == [1, 2, 3]
    for bad in (None, "1"):
        try:
            linear_map(h, f, 0, bad, 0, 1)
        except (TypeError, ValueError):
            continue
        raise AssertionError("not refused")


def test_other_limits_and_buffers_are_seen():
    h = array("h", [1, 2])
    f = array("f", [0, 0])
    linear_map(h, f, 0, 2, 0, 1)
    assert list(f) == [0.5, 1]
    for limits, want in (
        ((1, 2, 0, 1), [0, 1]),
        ((1, 3, 0, 1), [0, 0.5]),
        ((1, 3, 4, 1), [4, 2.5]),
        ((1, 3, 4, 2), [4, 3]),
    ):
        linear_map(h, f, *limits)
        assert list(f) == want
    linear_map(f, h, 3, 4, 10, 20)
    assert list(h) == [20, 10]
    refused("limit", f, h, 3, NAN, 10, 20)  # and the next call is none with these
    for top in (20.0, float("20")):
        linear_map(f, h, 3, 4, 10, top)
        assert list(h) == [20, 10]
    # Limits that are fine for floats only.
    linear_map(h, f, 0, 1, 0, 1e9)
    refused("too large", f, h, 0, 1, 0, 1e9)


def test_nothing_is_allocated():
    if sys.implementation.name != "micropython" or "plain" in sys.argv[1]:
        return
    x = array("h", range(100))
    out = array("f", x)
    top = 1.5
    linear_map(x, out, 0, 99, -1, top)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        linear_map(x, out, 0, 99, -1, top)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before


def main():
    tests = [name for name in sorted(globals()) if name.startswith("test_")]
    for name in tests:
        globals()[name]()
    print("passed", len(tests))


main()
