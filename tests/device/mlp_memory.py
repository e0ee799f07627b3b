"""Bytes that 100 predictions leave on the heap: `mlp_memory.py FOLDER MODEL...`."""

import gc
import sys
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_mlp


def count(path):
    model = emlearn_mlp.load(path)
    features = array("h", [7] * model.features())
    out = array("f", [0] * model.outputs())
    model.predict(features, out)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        model.predict(features, out)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


print(*[count(path) for path in sys.argv[2:]])
