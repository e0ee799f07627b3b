"""Heap bytes that each step of the live loop takes, once its buffers exist.

`measure(model)` returns {step: bytes for ROUNDS rounds}; it needs what har_live needs on the board.
"""

import gc
from array import array

from motion_features import MotionFeatures
from windower import Windower

CHANNELS = 6
WINDOW = 20
HOP = 5
ROUNDS = 50


def measure(folder):
    import model_store

    model = model_store.load(folder)
    block = array("h", [7 * i % 1000 - 500 for i in range(HOP * CHANNELS)])
    windower = Windower(CHANNELS, WINDOW, HOP)
    features = MotionFeatures(CHANNELS, WINDOW)
    found = {"window": 0, "features": 0, "model": 0}
    for name in found:  # the dict holds its last values before anything is counted
        found[name] = 0
    gc.collect()
    gc.disable()
    for i in range(ROUNDS + WINDOW // HOP):
        a = gc.mem_alloc()
        windower.push(block, 0, HOP)
        b = gc.mem_alloc()
        if not windower.ready:
            continue
        row = features.compute(windower.data)
        c = gc.mem_alloc()
        model.predict(row)
        d = gc.mem_alloc()
        if i >= WINDOW // HOP:
            found["window"] += b - a
            found["features"] += c - b
            found["model"] += d - c
    gc.enable()
    return found
