"""Samples to floats and back. See benchmarks/modules.py."""

from array import array


def cases(module, folder):
    for n in (1, 1000):
        ints = array("h", [(i * 7919 % 65536) - 32768 for i in range(n)])
        floats = array("f", ints)
        yield "%d int16 to float" % n, module.linear_map, ints, floats, -32768, 32768, -1.0, 1.0
        module.linear_map(ints, floats, -32768, 32768, -1.0, 1.0)
        yield "%d float to int16" % n, module.linear_map, floats, ints, -1.0, 1.0, -32768, 32767
