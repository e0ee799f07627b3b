"""Import emlearn_iir_q15 anew, let it filter: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_iir_q15", None)
    import emlearn_iir_q15

    sections = array("f", (1, 0.5, 0, 1, -1, 0.5, 0.5, -0.5, 0, 1, 0, 0))
    filter = emlearn_iir_q15.new(emlearn_iir_q15.convert_coefficients(sections))
    fault = None
    for x, want in (
        ((4, 0, 0), [2, 1, -1]),
        ((-32768, 32767, -32768), [-16386, 8191, -1]),
    ):
        values = array("h", x)
        filter.run(values)
        if list(values) != want:
            fault = "of %s: %s, not %s" % (x, list(values), want)
    return getattr(emlearn_iir_q15, "__file__", None), fault
