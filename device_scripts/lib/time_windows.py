"""Times the features of one window, as a live app computes them.

Runs under: MicroPython; needs motion_features in /lib.
Memory: one window of int16, 2 bytes a number.
"""

import time
from array import array

from motion_features import MotionFeatures


def us_per_value(channels=3, window=100, repeats=20):
    """Median of five batches, in microseconds for each number of the window."""
    data = array("h", [(37 * i) % 400 - 200 for i in range(channels * window)])
    features = MotionFeatures(channels, window)
    features.compute(data)
    batches = []
    for _ in range(5):
        start = time.ticks_us()
        for _ in range(repeats):
            features.compute(data)
        batches.append(time.ticks_diff(time.ticks_us(), start) / repeats)
    return sorted(batches)[2] / (channels * window)
