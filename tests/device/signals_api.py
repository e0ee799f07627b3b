"""What the modules for signals promise, apart from their arithmetic. Runs on both Pythons.

micropython signals_api.py FOLDER_OF_MODULE NAME
"""

import gc
import math
import sys
from array import array

sys.path.insert(0, sys.argv[1])
ON_BOARD = sys.implementation.name == "micropython"


class Own(array):
    """Is laid out in another way on MicroPython."""


def refused(words, function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError("not refused: " + words)


def floats(*values):
    return array("f", values)


def wrong_floats(n):
    """What is no array 'f' of n numbers."""
    yield from ([0.0] * n, bytes(4 * n), bytearray(4 * n), None, 5, memoryview(floats(*[0] * n)))
    for typecode in "bBhHiIlLqQd":
        yield array(typecode, [0] * n)


def allocates(function, *arguments):
    """Bytes that 50 calls leave on the heap."""
    if "viper" not in sys.argv[1]:
        return 0
    function(*arguments)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(50):
        function(*arguments)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def test_fft(m):
    for length in (0, 1, 2, 3, 5, 100, -4, 32768, 65536, 8.0, "8", None, True):
        refused("power of two", m.FFT, length)
    fft = m.FFT(8)
    m.fill(fft, 8)
    re = floats(*range(8))
    im = floats(*[0] * 8)
    fft.run(re, im)
    assert abs(re[0] - 28) < 1e-3 and abs(im[1] - 4 / math.tan(math.pi / 8)) < 1e-3
    for _ in range(2):
        for bad in wrong_floats(8):
            refused("real: want", fft.run, bad, im)
            refused("imag: want", fft.run, re, bad)
        for n in (0, 4, 7, 9, 16):
            refused("real: want", fft.run, floats(*[0] * n), im)
            refused("imag: want", fft.run, re, floats(*[0] * n))
        refused("real is imag", fft.run, re, re)
    for bad in (float("nan"), float("inf"), -float("inf")):
        for x in (re, im):
            x[3] = bad
            before = bytes(re) + bytes(im)
            refused("not finite", fft.run, re, im)
            assert bytes(re) + bytes(im) == before
            x[3] = 0
    # A buffer that was fine and has grown since.
    fft.run(re, im)
    im.append(0)
    refused("imag: want", fft.run, re, im)
    # Without fill(), and with tables of one's own.
    fft = m.FFT(4)
    re = floats(1, 2, 3, 4)
    im = floats(0, 0, 0, 0)
    fft.run(re, im)
    assert [round(v, 3) for v in re] == [10, -2, -2, -2]
    refused("length 4", m.fill, fft, 8)
    fft.fill(floats(0, 1), floats(1, 0))
    for bad in wrong_floats(2):
        refused("sin: want", fft.fill, bad, floats(1, 0))
        refused("cos: want", fft.fill, floats(0, 1), bad)
    refused("cos: want", fft.fill, floats(0, 1), floats(1, 0, 0, 0))
    refused("sines", fft.fill, floats(0, 2), floats(1, 0))
    refused("sines", fft.fill, floats(0, 1), floats(float("nan"), 0))
    refused("sines", fft.fill, floats(0.5, 0.5), floats(0.5, -2))
    re = floats(1, 2, 3, 4)
    fft.run(re, floats(0, 0, 0, 0))  # with the tables of before
    assert [round(v, 3) for v in re] == [10, -2, -2, -2]
    fft = m.FFT(64)
    re = floats(*[0] * 64)
    assert allocates(fft.run, re, floats(*[0] * 64)) == 0
    im = floats(*[1e-20] * 64)
    assert allocates(fft.run, re, im) == 0
    if ON_BOARD:
        try:
            kept = [m.FFT(16384) for _ in range(400)]
            assert "plain" in sys.argv[1], kept
        except MemoryError:
            pass
        gc.collect()
    m.FFT(8)


def test_iir(m):
    good = [0.5, 0, 0, 1, -0.5, 0]
    for bad in wrong_floats(6):
        refused("coefficients: want", m.new, bad)
    for n in (0, 1, 5, 7, 11):
        refused("6 coefficients", m.new, floats(*[0] * n))
    for place, most in enumerate((1e30, 1e30, 1e30, 1, 2, 1)):
        for bad in (1.1 * most, -1.1 * most, float("nan"), float("inf")):
            section = list(good)
            section[place] = bad
            refused("bad section 1", m.new, floats(*(good + section)))
    refused("bad section 0", m.new, floats(1, 0, 0, 0, 0, 0))
    iir = m.new(floats(*good))
    x = floats(1, 0, 0)
    iir.run(x)
    assert list(x) == [0.5, 0.25, 0.125]
    x[0] = 0
    iir.run(x)  # the state stays
    assert x[0] == 0.0625
    for _ in range(2):
        for bad in wrong_floats(3):
            refused("values: want", iir.run, bad)
        refused("values: want", iir.run, Own("f", x))
        iir.run(x)
    iir.run(floats())
    iir.run(floats(1))
    for bad in (float("nan"), float("inf"), -float("inf")):
        refused("not finite: values[2]", iir.run, floats(1, 2, bad, 4))
    other = m.new(floats(*good))  # no state is shared
    x = floats(1)
    other.run(x)
    assert x[0] == 0.5
    assert allocates(iir.run, floats(*[1] * 64)) == 0
    # Growing without end: infinite in the end, no fault on the way.
    iir = m.new(floats(1, 0, 0, 1, -2, 1))
    x = floats(*[3e38] * 100)
    iir.run(x)
    assert not x[99] < 1e38


def test_iir_q15(m):
    good = [4096, 0, 0, 0, 4096, 0]
    for bad in wrong_floats(6):
        if not (isinstance(bad, array) and bad.itemsize == 2 if not ON_BOARD else is_h(bad)):
            refused("coefficients: want", m.new, bad)
    for n in (0, 1, 5, 7):
        refused("6 coefficients", m.new, array("h", [0] * n))
    for place, value in ((1, 1), (4, 8192), (4, -8192), (5, -8192), (5, 8192), (4, -32768)):
        section = list(good)
        section[place] = value
        refused("bad section 1", m.new, array("h", good + section))
    iir = m.new(array("h", good))
    x = array("h", [1000, 0, 0])
    iir.run(x)
    assert list(x) == [500, 250, 125]
    for bad in ([1], b"12", bytearray(2), None, 5, memoryview(x), floats(1)):
        refused("values: want", iir.run, bad)
    for typecode in "bBHiIlLqQfd":
        refused("values: want", iir.run, array(typecode, [1, 1, 1]))
    refused("values: want", iir.run, Own("h", x))
    iir.run(array("h"))
    assert allocates(iir.run, array("h", [1] * 64)) == 0
    c = m.convert_coefficients(floats(0.5, 0.25, -1, 1, -0.5, 0.25))
    assert list(c) == [4096, 0, 2048, -8192, 4096, -2048]
    for n in (0, 5, 7):
        refused("6 coefficients", m.convert_coefficients, floats(*[0] * n))
    refused("bad section 0", m.convert_coefficients, floats(0, 0, 0, 2, 0, 0))
    for bad in (4, -4, float("nan"), float("inf")):
        refused("section 0: ", m.convert_coefficients, floats(bad, 0, 0, 1, 0, 0))
    refused("section 0: unstable", m.convert_coefficients, floats(1, 0, 0, 1, -2.1, 1))
    refused("section 0: unstable", m.convert_coefficients, floats(1, 0, 0, 1, 0, -1.1))
    # On the edge of stability: the nearest stable ones.
    c = m.convert_coefficients(floats(1, -2, 1, 1, -1.999111423794296, 0.9991118187443988))
    m.new(c)
    assert list(c[:4]) == [8192, 0, -16384, 8192] and c[4] + c[5] == 8191


def is_h(x):
    return repr(x).startswith("array('h'")


def test_linreg(m):
    for n in (0, -1, 65536, 1.0, None, "1"):
        refused("features: want", m.new, n, 0, 0, 0.1)
    for bad in (-1, float("nan"), float("inf")):
        refused("want numbers", m.new, 1, bad, 0, 0.1)
        refused("want numbers", m.new, 1, 0, bad, 0.1)
        refused("want numbers", m.new, 1, 0, 0, bad)
    model = m.new(3, 0.0, 0.0, 0.1)
    assert model.get_n_features() == 3 and model.get_bias() == 0
    assert model.predict(floats(1, 2, 3)) == 0
    model.set_weights(floats(1, -2, 0.5))
    model.set_bias(10)
    x = floats(1, 2, 4)
    assert model.predict(x) == 9 and model.get_bias() == 10
    for bad in wrong_floats(3):
        refused("inputs: want", model.predict, bad)
        refused("weights: want", model.set_weights, bad)
        refused("weights: want", model.get_weights, bad)
    refused("inputs: want", model.predict, Own("f", x))
    x.append(1)
    refused("inputs: want", model.predict, x)
    for n in (0, 1, 2, 4):
        refused("inputs: want", model.predict, floats(*[0] * n))
        refused("weights: want", model.set_weights, floats(*[0] * n))
        refused("weights: want", model.get_weights, floats(*[0] * n))
    X = floats(*range(12))
    y = floats(1, 2, 3, 4)
    for call in (model.step, model.score_mse, lambda X, y: m.train(model, X, y)):
        call(X, y)
        for bad in wrong_floats(12):
            refused("X: want", call, bad, y)
        for n in (0, 11, 13):
            refused("X: want", call, floats(*[0] * n), y)
        for bad in wrong_floats(4):
            if hasattr(bad, "__len__"):
                refused("y: want", call, X, bad)
        refused("X: want", call, Own("f", X), y)
        refused("y: want", call, X, Own("f", y))
        refused("no rows", call, floats(), floats())
    # A buffer that was fine and has grown since.
    grown = floats(*y)
    model.step(X, grown)
    grown.append(1)
    refused("X: want", model.step, X, grown)
    # Training says why it stops.
    model = m.new(1, 0.0, 0.0, 0.5)
    X = floats(-1, 0, 1)
    y = floats(1, 3, 5)
    last, mse = m.train(model, X, y, max_iterations=1000)
    assert last < 999 and mse < 1e-4 and abs(model.get_bias() - 3) < 0.01
    assert m.train(model, X, y, score_limit=1)[0] == 0
    assert m.train(model, X, y, max_iterations=0)[0] == 0
    model = m.new(1, 0.0, 0.0, 50.0)
    last, mse = m.train(model, X, y, max_iterations=1000)
    assert last < 999 and mse > 1e3
    model = m.new(1, 0.0, 0.0, 0.01)
    assert allocates(model.step, X, y) == 0


def main(_, name):
    globals()["test" + name[7:]](__import__(name))
    print("passed", name)


main(*sys.argv[1:])
