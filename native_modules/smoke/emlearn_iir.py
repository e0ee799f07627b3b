"""Import emlearn_iir anew and let it filter: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_iir", None)
    import emlearn_iir

    # Two sections: poles at 0.5 + 0.5j and 0.5 - 0.5j, then a difference halved.
    filter = emlearn_iir.new(array("f", (1, 0.5, 0, 1, -1, 0.5, 0.5, -0.5, 0, 1, 0, 0)))
    fault = None
    for x, want in (
        ((4, 0, 0), (2, 1, -1)),
        ((0, 1e6, -1e6), (-1.5, 499999, -250000.25)),
    ):
        values = array("f", x)
        filter.run(values)
        for i in range(3):
            if not abs(values[i] - want[i]) < 1e-6 * max(abs(want[i]), 1):
                fault = "of %s: %s, not %s" % (x, list(values), want)
    return getattr(emlearn_iir, "__file__", None), fault
