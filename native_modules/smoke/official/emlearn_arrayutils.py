"""A first conversion that the official emlearn_arrayutils does: rising ranges, to one digit."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_arrayutils", None)
    from emlearn_arrayutils import linear_map

    ints = array("h", (-32768, -16384, -1, 0, 24576, 32767))
    floats = array("f", ints)
    back = array("h", bytes(12))
    linear_map(ints, floats, -32768, 32768, -1.0, 1.0)
    linear_map(floats, back, -1.0, 1.0, -32768, 32768)
    fault = None
    for i in range(len(ints)):
        if abs(floats[i] - ints[i] / 32768) > 1e-6 or abs(back[i] - ints[i]) > 1:
            fault = "%s, %s from %s" % (floats, back, ints)
    return getattr(sys.modules["emlearn_arrayutils"], "__file__", None), fault
