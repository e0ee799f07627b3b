"""A first run of the official emlearn_iir_q15: an impulse, with room for its rounding."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_iir_q15", None)
    import emlearn_iir_q15

    sections = array("f", (0.5, 0.25, 0, 1, -0.5, 0))
    filter = emlearn_iir_q15.new(emlearn_iir_q15.convert_coefficients(sections))
    values = array("h", (16000, 0, 0, 0))
    filter.run(values)
    fault = None
    for i in range(4):
        if abs(values[i] - (8000, 8000, 4000, 2000)[i]) > 8:
            fault = "of an impulse: %s" % values
    return getattr(emlearn_iir_q15, "__file__", None), fault
