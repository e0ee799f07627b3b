"""IIR filters in plain Python, second-order sections: the twin of `emlearn_iir.py`.

Runs on MicroPython and CPython. It computes in the interpreter's floats. If those have 64 bits, the
answers differ by less than the error that `emlearn_iir.py` states; with 32 bits this twin is the
less exact of the two, as float32 is for poles near the unit circle.
"""

from array import array


def _want(x, what):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if type(x) is not array or not repr(x[:0]).startswith("array('f'"):
        raise ValueError("%s: want array 'f'" % what)


class IIR:
    def __init__(self, coefficients):
        """Sections of b0, b1, b2, 1, a1, a2 as of `scipy.signal`: an array 'f'."""
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        self._sections = []
        for i in range(0, n, 6):
            c = coefficients[i : i + 6]
            a0, a1, a2 = c[3:]
            top = sum(abs(v) for v in c[:3])  # NaN if one is
            if not (a0 == 1 and abs(a1) <= 2 and abs(a2) <= 1 and top < 1e30):
                raise ValueError("bad section %d" % (i // 6))
            self._sections.append((c, [0.0, 0.0]))

    def run(self, values):
        """Filter an array 'f' in place; the state stays for the next call."""
        _want(values, "values")
        for i in range(len(values)):
            x = values[i]
            if x - x != 0:
                raise ValueError("not finite: values[%d]" % i)
            for (b0, b1, b2, _, a1, a2), state in self._sections:
                y = b0 * x + state[0]
                state[0] = b1 * x - a1 * y + state[1]
                state[1] = b2 * x - a2 * y
                x = y
            values[i] = x


new = IIR
