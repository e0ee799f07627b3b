"""Filters of some sections on blocks of some lengths. See benchmarks/modules.py.

Each call starts from the same signal: the time of copying it is in, and is the same for all.
"""

from array import array

SECTION = [0.2064104, 0.4128208, 0.2064104, 1, -0.3700791, 0.1960881]


def cases(module, folder):
    for sections in (1, 2, 4):
        for n in (1, 16, 256):
            iir = module.new(array("f", SECTION * sections))
            signal = array("f", [i * i % 251 - 125.5 for i in range(n)])
            label = "%d sections, %d samples" % (sections, n)
            yield label, run, iir, array("f", signal), signal


def run(iir, buffer, signal):
    buffer[:] = signal
    iir.run(buffer)
