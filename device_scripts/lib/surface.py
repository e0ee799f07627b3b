"""Asks a model for its answer at every point of a grid over its two features.

Runs under: MicroPython; needs model_store in /lib and the model's module.
Memory: the model, and one byte a point. Allocates once, before the loop.

    surface.answers("/models/xor", -16384, 16384, 41)
"""

from array import array


def answers(folder, low, high, points):
    """Class indices as a bytearray, row after row: the first feature runs along a row.

    low, high: ends of both axes, in the integers that the model takes; points: along each axis.
    """
    import model_store

    model = model_store.load(folder)
    if model.n_features != 2:
        raise ValueError("the model has %d features, not 2" % model.n_features)
    features = array("h", [low, low])
    found = bytearray(points * points)
    at = 0
    for row in range(points):
        features[1] = low + (high - low) * row // (points - 1)
        for column in range(points):
            features[0] = low + (high - low) * column // (points - 1)
            found[at] = model.predict(features)
            at += 1
    return found
