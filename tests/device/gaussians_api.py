"""What emlearn_gmm and emlearn_bayes promise, apart from their arithmetic. Runs on both Pythons.

micropython gaussians_api.py MODULE FOLDER_OF_MODULE FILE

FILE: 2 features, 3 components, outputs of each component.
"""

import io
import sys
from array import array

sys.path.insert(0, sys.argv[2])
module = __import__(sys.argv[1])
with open(sys.argv[3], "rb") as _file:
    FILE = _file.read()


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def changed(at, byte):
    """The file with another byte and no checksum, so that the byte itself must be refused."""
    data = bytearray(FILE)
    data[12:16] = bytes(4)
    data[at] = byte
    return io.BytesIO(bytes(data))


def test_sources():
    features = array("h", [3, -4])
    found = []
    with open(sys.argv[3], "rb") as file:
        for model in (module.load(sys.argv[3]), module.load(file), module.load(io.BytesIO(FILE))):
            assert model.outputs() == 3
            assert model.features() == 2
            out = array("f", [9] * 3)
            model.predict(features, out)
            found.append(list(out))
    assert found[0] == found[1] == found[2]
    try:
        module.load("no such file")
    except OSError:
        pass
    else:
        raise AssertionError("a missing file is no model")


def test_bad_files():
    for data in (b"", FILE[:15], b"f,2\nc,3\nlb,0\nl,0\nl,1\n", b"X" + FILE[1:]):
        refused("not a file of " + sys.argv[1], module.load, io.BytesIO(data))
    refused("not a file", module.load, io.StringIO("EGM1ENB1" * 9))
    for data in (FILE[:16], FILE[:-1], FILE + b"\0"):
        refused("bytes", module.load, io.BytesIO(data))
    for i in (16, 30, len(FILE) - 1):
        data = bytearray(FILE)
        data[i] ^= 1
        refused("CRC", module.load, io.BytesIO(bytes(data)))
    for at, byte in ((4, 0), (5, 1), (6, 0), (7, 1), (8, 3), (9, 2), (10, 0), (11, 0), (11, 2)):
        refused("bad", module.load, changed(at, byte))
    for at in range(19, 16 + 4 * 3 + 4 * 6, 4):
        for byte in (0x40, 0x80, 0xFF):
            refused("bad number at byte " + str(at - 3), module.load, changed(at, byte))
    first = 16 + 4 * 3 + 4 * 6 + 2 * 6
    for at, byte in ((first, 31), (first, 57), (first + 10, 255), (first + 11, 1)):
        refused("bad shift", module.load, changed(at, byte))
    for at, byte in ((first, 30), (first, 32), (first, 56)):
        module.load(changed(at, byte))


def test_buffers():
    model = module.load(sys.argv[3])
    h = array("h", [5, -8])
    f = array("f", [9, 9, 9])
    methods = [getattr(model, n) for n in ("predict", "loglik", "distances") if hasattr(model, n)]
    for method in methods * 2:  # before and after good buffers were seen
        for bad in ([5, -8], b"1234", bytearray(4), None, memoryview(h), 5, (5, -8), "ab", f):
            refused("features: want array 'h'", method, bad, f)
        for typecode in "bBHiIlLqQfd":
            refused("features: want array 'h'", method, array(typecode, [1, 1]), f)
        for bad in ([9, 9, 9], bytes(12), bytearray(12), None, 5, memoryview(f), h):
            refused("out: want array 'f'", method, h, bad)
        for typecode in "bBhHiIlLqQd":
            refused("out: want array 'f'", method, h, array(typecode, [1, 1, 1]))
        refused("features: want array 'h'", method, Own("h", h), f)
        refused("out: want array 'f'", method, h, Own("f", f))
        for n in (0, 1, 3):
            refused("want 2 features, 3 outputs", method, array("h", [0] * n), f)
        for n in (0, 2, 4):
            refused("want 2 features, 3 outputs", method, h, array("f", [0] * n))
        method(h, f)
    for method in methods:  # a buffer that was fine and has grown since
        method(h, f)
        f.append(1)
        refused("want 2 features", method, h, f)
        f = array("f", [9, 9, 9])
        method(h, f)
        h.append(1)
        refused("want 2 features", method, h, f)
        h = array("h", [5, -8])


def test_out_of_memory():
    if sys.implementation.name != "micropython":
        return
    # The head of the largest file, and nothing behind it: refused, or no memory for it.
    head = FILE[:4] + b"\xff\0\xff\0\0\0\r\1" + bytes(4)
    try:
        module.load(io.BytesIO(head))
    except (MemoryError, ValueError):
        pass
    else:
        raise AssertionError("not refused: the largest file without its body")
    module.load(sys.argv[3])


def main():
    tests = [name for name in sorted(globals()) if name.startswith("test_")]
    for name in tests:
        globals()[name]()
    print("passed", len(tests))


main()
