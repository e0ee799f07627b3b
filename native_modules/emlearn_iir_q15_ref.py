"""Second-order sections on int16 samples in plain Python: the twin of `emlearn_iir_q15.py`.

Runs on MicroPython and CPython, and gives the same answers bit by bit.
"""

from array import array


def _want(x, what):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if type(x) is not array or repr(x[:0]) != "array('h')":
        raise ValueError("%s: want array 'h'" % what)


class IIR:
    """Direct form I: each section sums its last two inputs and its last two outputs."""

    def __init__(self, coefficients):
        """Sections of b0, 0, b1, b2, -a1, -a2, each times 8192: an array 'h'."""
        _want(coefficients, "coefficients")
        n = len(coefficients)
        if n == 0 or n % 6:
            raise ValueError("want 6 coefficients a section")
        self._sections = []
        for i in range(0, n, 6):
            c = coefficients[i : i + 6]
            if c[1] or not _stable(c[4], c[5]):
                raise ValueError("bad section %d" % (i // 6))
            # The coefficients, the inputs and outputs before, and the bits that were shifted out.
            self._sections.append((c, [0, 0, 0, 0, 0]))

    def run(self, values):
        """Filter an array 'h' in place."""
        _want(values, "values")
        for i in range(len(values)):
            x = values[i]
            for (b0, _, b1, b2, a1, a2), state in self._sections:
                x1, x2, y1, y2, rest = state
                y = b0 * x + b1 * x1 + b2 * x2 + a1 * y1 + a2 * y2 + rest
                rest = y & 0x1FFF
                y = max(-32768, min(32767, y >> 13))
                state[:] = (x, x1, y, y1, rest)
                x = y
            values[i] = x


new = IIR


def _stable(a1, a2):
    """Of -a1 and -a2, times 8192."""
    return -8192 < a2 and abs(a1) < 8192 - a2


def convert_coefficients(c, scale=8192):
    """Sections of floats as of `scipy.signal`, an array 'f' -> an array 'h' for `new`.

    A section that rounding makes unstable gets the nearest stable coefficients.
    """
    if len(c) == 0 or len(c) % 6:
        raise ValueError("want 6 coefficients a section")
    out = array("h")
    for i in range(0, len(c), 6):
        b0, b1, b2, a0, a1, a2 = c[i : i + 6]
        if a0 != 1:
            raise ValueError("bad section %d" % (i // 6))
        row = array("h")
        for v in (b0, 0, b1, b2, -a1, -a2):
            if not -4 < v < 4:
                raise ValueError("section %d: %s, want -4 to 4" % (i // 6, v))
            row.append(max(-32768, min(32767, round(v * scale))))
        row[5] = max(row[5], -8191)
        limit = 8191 - row[5]
        if abs(row[4]) > limit + 2:
            raise ValueError("section %d: unstable" % (i // 6))
        row[4] = max(-limit, min(limit, row[4]))
        out.extend(row)
    return out
