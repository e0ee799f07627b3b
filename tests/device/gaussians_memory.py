"""Bytes that 100 calls of each method leave on the heap: `gaussians_memory.py MODULE FOLDER FILE`.

Near rows and far ones, so that every way through the arithmetic is taken.
"""

import gc
import sys
from array import array

sys.path.insert(0, sys.argv[2])
module = __import__(sys.argv[1])


def count(method, features, out):
    method(features, out)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(50):
        features[0] = 0
        method(features, out)
        features[0] = -32768
        method(features, out)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def main():
    model = module.load(sys.argv[3])
    features = array("h", [0] * model.features())
    out = array("f", [0] * model.outputs())
    each = array("f", [0] * (model.components() if hasattr(model, "components") else len(out)))
    print(count(model.predict, features, out))
    for name in ("loglik", "distances"):
        if hasattr(model, name):
            print(count(getattr(model, name), features, each))


main()
