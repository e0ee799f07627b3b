"""Fast Fourier transform in plain Python, in place on arrays 'f': the twin of `emlearn_fft.py`.

Runs on MicroPython and CPython. It computes in floats and is the more exact of the two: the answers
differ by less than the error that `emlearn_fft.py` states.
"""

import math
from array import array


def _want(x, n, what):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if not isinstance(x, array) or not repr(x[:0]).startswith("array('f'") or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


class FFT:
    def __init__(self, length):
        """For arrays of `length` numbers, a power of two from 4 to 16384."""
        if type(length) is not int or not 4 <= length <= 16384 or length & (length - 1):
            raise ValueError("length: want a power of two, 4 to 16384")
        self._n = length
        self._sin = self._cos = None

    def fill(self, sin, cos):
        """The sines and cosines of i * 2 * pi / length for the first half of i: arrays 'f'."""
        _want(sin, self._n // 2, "sin")
        _want(cos, self._n // 2, "cos")
        for v in list(sin) + list(cos):
            if not -1.001 < v < 1.001:
                raise ValueError("want sines and cosines")
        self._sin = array("f", sin)
        self._cos = array("f", cos)

    def run(self, real, imag):
        """Transform real + j * imag in place; of a real signal, `imag` is zeros."""
        n = self._n
        if self._sin is None:
            fill(self, n)
        _want(real, n, "real")
        _want(imag, n, "imag")
        if real is imag:
            raise ValueError("real is imag")
        for i in range(n):
            if real[i] - real[i] != 0 or imag[i] - imag[i] != 0:
                raise ValueError("not finite")
        # Bit-reversed order.
        j = 0
        for i in range(n):
            if i < j:
                real[i], real[j] = real[j], real[i]
                imag[i], imag[j] = imag[j], imag[i]
            bit = n >> 1
            while j & bit:
                j ^= bit
                bit >>= 1
            j |= bit
        # Decimation in time: transforms of half the size, side by side, make those of `size`.
        half = 1
        while half < n:
            step = n // (2 * half)
            for start in range(0, n, 2 * half):
                for i in range(start, start + half):
                    k = (i - start) * step
                    c = self._cos[k]
                    s = self._sin[k]
                    re = real[i + half] * c + imag[i + half] * s
                    im = imag[i + half] * c - real[i + half] * s
                    real[i + half] = real[i] - re
                    imag[i + half] = imag[i] - im
                    real[i] += re
                    imag[i] += im
            half *= 2


def fill(fft, n):
    """Fill in sines and cosines; `run` does it by itself if that was forgotten."""
    if n != fft._n:
        raise ValueError("want length %d" % fft._n)
    x = 2 * math.pi / n
    n //= 2
    sin = array("f", bytes(4 * n))
    cos = array("f", sin)
    for i in range(n):
        sin[i] = math.sin(x * i)
        cos[i] = math.cos(x * i)
    fft.fill(sin, cos)
