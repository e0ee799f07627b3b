"""Import emlearn_mlp anew and let it predict: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import struct
    import sys
    from array import array

    sys.modules.pop("emlearn_mlp", None)
    import emlearn_mlp

    # Two features, a hidden layer of one clipped sum, one linear output with a sign; one weight of
    # four is used, the others are zeros that fill up.
    data = b"MLP1" + struct.pack("<HBB", 2, 2, 1)
    data += struct.pack("<6H", 0, 8192, 14, 32768, 1, 0)
    data += struct.pack("<HBBiH4B", 1, 0, 0, -3, 1, 129, 126, 128, 128)
    data += struct.pack("<HBBiH4B", 1, 4, 129, -7, 0, 130, 128, 128, 128)
    model = emlearn_mlp.load(data)
    features = array("h", (0, 0))
    out = array("f", (9,))
    fault = None
    for a, b, want in (
        (-32768, 0, -3.5),
        (32767, 32767, -3.5),
        (32767, 0, 16379.5),
        (32767, -32768, 16379.5),
        (-32701, 1, 11.5),
    ):
        features[0] = a
        features[1] = b
        model.predict(features, out)
        if out[0] != want:
            fault = "for %d, %d: %s, not %s" % (a, b, out[0], want)
            break
    return getattr(emlearn_mlp, "__file__", None), fault
