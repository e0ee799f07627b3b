"""What emlearn_mlp promises, apart from its arithmetic. Runs on both Pythons.

micropython mlp_api.py FOLDER_OF_MODULE
"""

import io
import struct
import sys
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_mlp

HEAD = b"MLP1" + struct.pack("<HBB", 2, 2, 1)
INPUTS = struct.pack("<6H", 0, 8192, 14, 32768, 1, 0)
HIDDEN = struct.pack("<HBBiH4B", 1, 0, 0, -3, 1, 129, 126, 128, 128)
LAST = struct.pack("<HBBiH4B", 1, 4, 129, -7, 0, 130, 128, 128, 128)
SHARES = struct.pack("<HBBiHiH8B", 2, 2, 0, 0, 2, 8, 2, *([132] + [128] * 7))
GOOD = HEAD + INPUTS + HIDDEN + LAST


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def test_outputs():
    m = emlearn_mlp.load(GOOD)
    assert (m.features(), m.outputs()) == (2, 1)
    out = array("f", [9])
    for row, want in (((-32768, 0), -3.5), ((32767, 0), 16379.5), ((-32701, 1), 11.5)):
        m.predict(array("h", row), out)
        assert out[0] == want, (row, out[0])
    m = emlearn_mlp.load(HEAD + INPUTS + HIDDEN + SHARES)
    assert m.outputs() == 2
    out = array("f", [9, 9])
    m.predict(array("h", (-32768, 0)), out)  # activation 0; sums 0 and 2: shares 1/5 and 4/5
    assert [round(v, 5) for v in out] == [0.2, 0.8]


def test_sources():
    for source in (GOOD, bytearray(GOOD), io.BytesIO(GOOD)):
        assert emlearn_mlp.load(source).features() == 2
    mine = bytearray(GOOD)
    m = emlearn_mlp.load(mine)
    for i in range(len(mine)):  # what was checked is not what the caller still holds
        mine[i] = 255
    out = array("f", [9])
    m.predict(array("h", (-32701, 1)), out)
    assert out[0] == 11.5
    for source in (None, 5, [1], array("h", [1])):
        refused("want a path", emlearn_mlp.load, source)
    try:
        emlearn_mlp.load("there is no such file")
    except OSError:
        return
    raise AssertionError("a missing file was not refused")


def test_buffers():
    m = emlearn_mlp.load(HEAD + INPUTS + HIDDEN + SHARES)
    h = array("h", [5, -8])
    f = array("f", [9, 9])
    for _ in range(2):  # before and after good buffers were seen
        for bad in ([5, -8], b"1234", bytearray(4), None, memoryview(h), 5, (5, -8), "ab", f):
            refused("features: want array 'h'", m.predict, bad, f)
        for typecode in "bBHiIlLqQfd":
            refused("features: want array 'h'", m.predict, array(typecode, [1, 1]), f)
        for bad in ([9, 9], bytes(8), bytearray(8), None, 5, memoryview(f), h):
            refused("out: want array 'f'", m.predict, h, bad)
        for typecode in "bBhHiIlLqQd":
            refused("out: want array 'f'", m.predict, h, array(typecode, [1, 1]))
        refused("features: want array 'h'", m.predict, Own("h", h), f)
        refused("out: want array 'f'", m.predict, h, Own("f", f))
        for n in (0, 1, 3):
            refused("want 2 features, 2 outputs", m.predict, array("h", [0] * n), f)
            refused("want 2 features, 2 outputs", m.predict, h, array("f", [0] * n))
        m.predict(h, f)
    # A buffer that was fine and has grown since.
    h.append(1)
    refused("want 2 features", m.predict, h, f)
    h = array("h", [5, -8])
    m.predict(h, f)
    f.append(1)
    refused("want 2 features", m.predict, h, f)


def test_bad_files():
    for n in range(len(GOOD)):
        refused("model: bad ", emlearn_mlp.load, GOOD[:n])
    refused("bad size", emlearn_mlp.load, GOOD + b"\0")

    def changed(at, value):
        return GOOD[:at] + bytes([value]) + GOOD[at + 1 :]

    layer = 8 + 12
    last = layer + 14
    for at, value, words in (
        (0, 0, "head"),
        (4, 0, "head"),
        (5, 255, "head"),
        (6, 0, "head"),
        (6, 1, "layer 1"),
        (6, 3, "layer 2"),
        (7, 0, "head"),
        (7, 3, "head"),
        (11, 64, "feature 0"),
        (18, 25, "feature 1"),
        (layer, 0, "layer 1"),
        (layer, 2, "layer 1"),
        (layer + 1, 255, "layer 1"),
        (layer + 2, 2, "layer 1"),
        (layer + 2, 255, "layer 1"),
        (layer + 3, 16, "layer 1"),
        (layer + 7, 127, "layer 1 neuron 0"),
        (layer + 7, 128, "layer 1 neuron 0"),
        (layer + 8, 25, "layer 1 neuron 0"),
        (layer + 13, 127, "layer 1"),
        (last + 2, 1, "layer 2"),
        (last + 2, 2, "layer 2"),
        (last + 2, 3, "layer 2"),
        (last + 2, 5, "layer 2"),
        (last + 3, 37, "layer 2"),
        (last + 3, 249, "layer 2"),
        (last + 8, 1, "layer 2"),
    ):
        refused("bad " + words, emlearn_mlp.load, changed(at, value))


def test_too_large():
    if sys.implementation.name != "micropython":
        return  # a laptop has the memory
    size = 4096
    data = b"MLP1" + struct.pack("<HBB", size, 2, 1) + bytes(6 * size)
    data += struct.pack("<HBB", 1, 0, 0) + bytes(6) + b"\x80" * size
    data += LAST
    try:
        m = emlearn_mlp.load(data)
        m.predict(array("h", bytes(2 * size)), array("f", [0]))
        data = [bytearray(len(data)) for _ in range(1 << 20)]
    except MemoryError:
        data = None
        assert emlearn_mlp.load(GOOD).features() == 2
        return
    raise AssertionError("there is no end to this heap")


def main():
    tests = [name for name in sorted(globals()) if name.startswith("test_")]
    for name in tests:
        globals()[name]()
    print("passed", len(tests))


main()
