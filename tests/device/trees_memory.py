"""Bytes that 100 predictions leave on the heap, hard and soft: `trees_memory.py FOLDER`."""

import gc
import sys
from array import array

sys.path.insert(0, sys.argv[1])
import emlearn_trees

HARD = ["f,1", "c,2", "l,0", "l,1", "r,0", "n,0,1,-1,-2"]
SOFT = ["f,1", "c,2", "lb,8", "l,9", "l,8", "l,0", "l,1", "r,0", "n,0,1,-1,-2"]


def count(rows):
    model = emlearn_trees.load(rows)
    features = array("h", [0])
    out = array("f", [0, 0])
    model.predict(features, out)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        model.predict(features, out)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


print(count(HARD), count(SOFT))
