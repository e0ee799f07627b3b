"""Import emlearn_arrayutils anew and let it convert: `_w_smoke()` -> (file or None, fault)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_arrayutils", None)
    from emlearn_arrayutils import linear_map

    ints = array("h", (-32768, -16384, -1, 0, 24576, 32767))
    floats = array("f", ints)
    back = array("h", bytes(12))
    linear_map(ints, floats, -32768, 32768, -1.0, 1.0)
    fault = None
    want = (-1, -0.5, -1 / 32768, 0, 0.75, 32767 / 32768)
    if tuple(floats) != want:
        fault = "%s, not %s" % (tuple(floats), want)
    linear_map(floats, back, 1.0, -1.0, 32768, -32768)
    if back != ints:
        fault = "%s, not %s" % (tuple(back), tuple(ints))
    return getattr(sys.modules["emlearn_arrayutils"], "__file__", None), fault
