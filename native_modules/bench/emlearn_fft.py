"""Real and complex signals of some lengths. See benchmarks/modules.py.

Each call starts from the same signal: the time of copying it is in, and is the same for all.
"""

from array import array


def cases(module, folder):
    for n in (16, 64, 256, 1024):
        fft = module.FFT(n)
        module.fill(fft, n)
        signal = array("f", [i * i % 251 - 125.5 for i in range(n)])
        zeros = array("f", bytes(4 * n))
        buffers = (array("f", zeros), array("f", zeros))
        yield "real signal, %d" % n, run, fft, buffers, (signal, zeros)
        yield "complex signal, %d" % n, run, fft, buffers, (signal, signal)


def run(fft, buffers, signals):
    real, imag = buffers
    real[:] = signals[0]
    imag[:] = signals[1]
    fft.run(real, imag)
