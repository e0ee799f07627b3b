"""Integer features of a window of motion samples.

Purpose: one int16 vector from one window, for accelerometers, gyroscopes and other signals that
swing. No floats and no tables, so every board computes the same numbers.
Runs under: MicroPython and CPython (training uses this very file).
Memory: 2 bytes a feature, taken once; `compute` allocates nothing, also on 32-bit boards, where an
int is a small one up to 30 bits and a heap object above: no value here exceeds 30 bits.

Per channel, x being the int16 samples of the window:
    std      square root of the mean squared distance from the mean (sum(x) // n), rounded down;
             distances are first shifted right until the sum of squares fits 30 bits
    range    (max - min) >> 1, because max - min may be 65535
    step     the mean of |x[i] - x[i-1]|, >> 1 for the same reason
    cross    how often x goes from below the mean to at or above it, or back

The mean itself is no feature: all four are the same whatever constant is added to x, so gravity
and the way the board is held do not enter. To tell postures apart you would add it.
"""

from array import array

FEATURES_ID = "motion-1"
KINDS = ("std", "range", "step", "cross")
# sum(x) of int16 stays within 30 bits up to this many samples.
MAX_WINDOW = 16384


def feature_names(channels):
    """Names in the order of the vector: `acc_x_std`, `acc_x_range`, ..."""
    return tuple([name + "_" + kind for name in channels for kind in KINDS])


def isqrt(value):
    """The square root of an int >= 0, rounded down (Newton's method from above)."""
    if value < 2:
        return value
    root = 1
    while root * root <= value >> 2:
        root <<= 1
    root <<= 1
    while True:
        better = (root + value // root) >> 1
        if better >= root:
            return root
        root = better


class MotionFeatures:
    def __init__(self, channels, window):
        """`channels`: how many values a sample has; `window`: how many samples."""
        if channels < 1 or not 2 <= window <= MAX_WINDOW:
            raise ValueError("window must be 2 to %d samples" % MAX_WINDOW)
        self.channels = channels
        self.window = window
        self.out = array("h", bytes(2 * channels * len(KINDS)))
        # The largest distance whose square, times the window, fits 30 bits.
        self._limit = isqrt(((1 << 30) - 1) // window)

    def compute(self, data):
        """Fill and return `out` from `window` interleaved samples in an int16 array."""
        if len(data) != self.window * self.channels:
            raise ValueError("a window is %d values" % (self.window * self.channels))
        at = 0
        for channel in range(self.channels):
            self._channel(data, channel, at)
            at += 4
        return self.out

    def _channel(self, data, channel, at):
        channels = self.channels
        window = self.window
        end = window * channels
        out = self.out
        total = steps = 0
        lowest = highest = before = data[channel]
        i = channel
        while i < end:  # a range with a step would be a heap object
            x = data[i]
            i += channels
            total += x
            if x > before:
                steps += x - before
                if x > highest:
                    highest = x
            else:
                steps += before - x
                if x < lowest:
                    lowest = x
            before = x
        mean = total // window

        farthest = highest - mean
        if mean - lowest > farthest:
            farthest = mean - lowest
        shift = 0
        while farthest >> shift > self._limit:
            shift += 1
        squares = crossings = 0
        above = data[channel] >= mean
        i = channel
        while i < end:
            x = data[i]
            i += channels
            if (x >= mean) is not above:
                above = not above
                crossings += 1
            x = (x - mean if above else mean - x) >> shift
            squares += x * x
        std = isqrt(squares // window) << shift

        out[at] = std if std < 32767 else 32767
        out[at + 1] = (highest - lowest) >> 1
        out[at + 2] = (steps // (window - 1)) >> 1
        out[at + 3] = crossings
