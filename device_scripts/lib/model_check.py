"""Runs a deployed model for the laptop: many rows at a time, and timed.

Purpose: the board's side of verify() and measure(); called through board.call().
Rows come as base64 of little-endian int16, outputs go back as base64 of float32.
Memory: one model, one block of rows. `close` frees it.
"""

import gc
import time
from array import array
from binascii import a2b_base64, b2a_base64

_model = None


def open_model(folder):
    """Load the model; [n_features, n_outputs, heap_free_bytes]."""
    global _model
    _model = None
    import model_store

    gc.collect()
    _model = model_store.load(folder)
    gc.collect()
    return [_model.n_features, len(_model.outputs), gc.mem_free()]


def close():
    global _model
    _model = None
    gc.collect()


def run_rows(text):
    """Run every row of a block; the outputs of all, one row after the other, and the answers.

    The answers are what `predict` says: class indices, or None for regression.
    """
    model = _model
    block = array("h", a2b_base64(text))
    n = model.n_features
    width = len(model.outputs)
    rows = len(block) // n
    features = array("h", bytes(2 * n))
    outputs = array("f", bytes(4 * rows * width))
    answers = [] if model.classes else None
    for row in range(rows):
        start = row * n
        for i in range(n):
            features[i] = block[start + i]
        answer = model.predict(features)
        if answers is not None:
            answers.append(answer)
        start = row * width
        for i in range(width):
            outputs[start + i] = model.outputs[i]
    return [b2a_base64(outputs).decode().strip(), answers]


def load_cost(folder):
    """Load the model on a fresh heap: [heap it takes, microseconds, heap left (bytes)]."""
    global _model
    _model = None
    import model_store

    gc.collect()
    before = gc.mem_alloc()
    started = time.ticks_us()
    _model = model_store.load(folder)
    duration_us = time.ticks_diff(time.ticks_us(), started)
    gc.collect()
    return [gc.mem_alloc() - before, duration_us, gc.mem_free(), largest_block()]


def largest_block():
    """The largest piece of heap that can be had, in bytes, within 1 %: by trying."""
    gc.collect()
    low = 0
    high = gc.mem_free()
    while high - low > max(64, high // 100):
        size = (low + high) // 2
        try:
            bytearray(size)
            low = size
        except MemoryError:
            high = size
        gc.collect()
    return low


def predict_cost(text):
    """Heap that predicting takes: [one row and what the first prediction sets up, each after it].

    In bytes, nothing collected in between. The smallest of three counts: an interrupt may allocate.
    """
    model = _model
    gc.collect()
    before = gc.mem_alloc()
    features = array("h", a2b_base64(text))
    model.run(features)
    first = gc.mem_alloc() - before
    least = first
    for _ in range(3):
        gc.collect()
        before = gc.mem_alloc()
        model.run(features)
        least = min(least, gc.mem_alloc() - before)
    return [max(0, first), max(0, least)]


def has_clock():
    return hasattr(time, "ticks_us") and hasattr(time, "ticks_diff")


def time_rows(text, batches, shortest_us):
    """Time `batches` batches of each row: [[microseconds, calls], ...].

    A batch repeats one row until it takes at least `shortest_us`, so that a coarse clock will do.
    """
    model = _model
    block = array("h", a2b_base64(text))
    n = model.n_features
    features = array("h", bytes(2 * n))
    found = []
    calls = 1
    for row in range(len(block) // n):
        for i in range(n):
            features[i] = block[row * n + i]
        model.run(features)
        while calls < 1024 and _batch(model.run, features, calls) < shortest_us:
            calls *= 2
        for _ in range(batches):
            gc.collect()
            found.append([_batch(model.run, features, calls), calls])
    return found


def _batch(run, features, calls):
    started = time.ticks_us()
    for _ in range(calls):
        run(features)
    return time.ticks_diff(time.ticks_us(), started)
