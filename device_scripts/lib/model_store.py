"""Loads a converted model from a folder on the board, and runs it.

Purpose: `/models/<name>/` (model.json and a data file) -> an object with `run` and `predict`.
Needs: the module that model.json names (emlearn_trees, emlearn_mlp, ...), installed in /lib.
Memory: the model, one array of outputs, and model.json as a dict; `run` and `predict` of a
classifier allocate nothing of their own.

    model = model_store.load("/models/har")
    features = array("h", bytes(2 * model.n_features))
    label = model.classes[model.predict(features)]
"""

import gc
import json
import os
from array import array


class LoadedModel:
    """What `load` returns.

    meta: model.json as a dict (features, classes, scale, voting, metadata, ...).
    outputs: array 'f', filled by `run`: a share or score for each class, or the one value.
    classes: labels in the order of the outputs; empty for regression.
    """

    def __init__(self, meta, module_model):
        self.meta = meta
        self.classes = meta["classes"]
        self.n_features = meta["n_features"]
        self.outputs = array("f", [0.0] * meta["n_outputs"])
        self._regression = meta["task"] == "regression"
        self._is_score = len(self.outputs) == 1 and len(self.classes) == 2
        self._predict = module_model.predict
        self._accepted = None
        self._bits = _bytes_of(self.outputs)

    def run(self, features):
        """Fill `outputs` from an array 'h' of n_features values: floor(x * scale), clipped."""
        if features is not self._accepted:
            self._accept(features)
        self._predict(features, self.outputs)

    def predict(self, features):
        """The index of the winning class (the first of equals), or the value.

        Of two classes with one output between them, the second wins from 0 on.
        """
        self.run(features)
        if self._regression:
            return self.outputs[0]
        if self._is_score:
            return 1 if self.outputs[0] >= 0 else 0
        if self._bits is None:
            return _first_largest(self.outputs)
        return _first_largest_bits(self._bits)

    def _accept(self, features):
        # Looked at once for each buffer. repr is the only way to see an array's type here.
        if not isinstance(features, array) or repr(features[:0]) != "array('h')":
            raise TypeError("the model takes array('h', ...): scale floats to integers first")
        if len(features) != self.n_features:
            raise ValueError(
                "the model takes %d features, not %d" % (self.n_features, len(features))
            )
        self._accepted = features


def load(folder):
    """Load `<folder>/model.json` and the data file that it names.

    OSError if a file is missing, ValueError if they don't belong together or are damaged,
    ImportError if the module is not installed.
    """
    with open(folder + "/model.json") as file:
        meta = json.load(file)
    path = folder + "/" + meta.get("file", "model.csv")
    size = os.stat(path)[6]
    if size != meta["size_bytes"]:
        raise ValueError(
            "%s has %d bytes, model.json says %d: deploy it again"
            % (path, size, meta["size_bytes"])
        )
    module = __import__(meta["module"])
    gc.collect()
    if meta["kind"] == "trees":
        model = module.new(*meta["capacities"])
        with open(path) as file:
            module.load_model(model, file)
    else:
        model = module.load(path)
    if model.outputs() != meta["n_outputs"]:
        raise ValueError("%s is not the file that model.json describes" % path)
    return LoadedModel(meta, model)


def _bytes_of(floats):
    """A view of an array 'f' as bytes: reading a float makes an object, reading a byte does not."""
    try:
        import uctypes
    except ImportError:
        return None
    return uctypes.bytearray_at(uctypes.addressof(floats), 4 * len(floats))


def _first_largest(outputs):
    best = 0
    for i in range(1, len(outputs)):
        if outputs[i] > outputs[best]:
            best = i
    return best


def _first_largest_bits(raw):
    # Halves of a float32's bits, turned so that they are in the order of the numbers: all are small
    # integers even where those have 31 bits. Little-endian, as every port is.
    best = 0
    high = low = -1
    for i in range(0, len(raw), 4):
        b = raw[i] | raw[i + 1] << 8
        a = raw[i + 2] | raw[i + 3] << 8
        if a < 0x8000:
            a += 0x8000
        elif a == 0x8000 and b == 0:
            pass  # -0 is no less than 0
        else:
            a ^= 0xFFFF
            b ^= 0xFFFF
        if a > high or a == high and b > low:
            high = a
            low = b
            best = i
    return best >> 2
