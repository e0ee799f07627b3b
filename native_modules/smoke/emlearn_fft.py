"""Import emlearn_fft anew and let it transform: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_fft", None)
    import emlearn_fft

    fft = emlearn_fft.FFT(8)
    emlearn_fft.fill(fft, 8)
    fault = None
    # A real signal and a complex one. 1 to 8: -4, and j times 4 / tan(pi k / 8).
    for b in (0, -1):
        real = array("f", range(1, 9))
        imag = array("f", [b * i for i in range(1, 9)])
        fft.run(real, imag)
        for k, v in ((0, 0), (1, 9.65685), (2, 4), (3, 1.65685), (6, -4), (7, -9.65685)):
            re, im = (-4, v) if k else (36, 0)
            re, im = re - b * im, im + b * re
            if not (abs(real[k] - re) < 0.01 and abs(imag[k] - im) < 0.01):
                fault = "bin %d: %s + %sj, not %s + %sj" % (k, real[k], imag[k], re, im)
    return getattr(emlearn_fft, "__file__", None), fault
