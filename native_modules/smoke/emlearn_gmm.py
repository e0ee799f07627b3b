"""Import emlearn_gmm anew and let it score: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import io
    import sys
    from array import array
    from struct import pack

    sys.modules.pop("emlearn_gmm", None)
    import emlearn_gmm

    # Two components over two features with one triangle for both; means and features at the ends
    # of int16, where a wrong sign shows. One shift to the right, one to the left.
    zero = 1 << 29
    data = pack("<4sHH4BI", b"EGM1", 2, 2, 2, 0, 13, 2, 0)
    data += pack("<6i", zero + 8192, zero - 5678, zero + 1, zero - 1, zero, zero + 9)
    data += pack("<9H", 0, 32768, 65535, 32768, 9, 33, 33024, 32767, 32769)
    model = emlearn_gmm.load(io.BytesIO(data))
    features = array("h", (0, 0))
    total = array("f", (9,))
    each = array("f", (9, 9))
    fault = None
    for a, b, wanted in (
        (-32768, -1, (-1.00012, -1.00012, -33.3422, 0.000244141, 68.0706)),
        (-32768, 0, (-1.00012, -1.00012, -33.3422, 0.000244141, 68.0706)),
        (32767, 20, (0.692993, -34.984, 0.692993, 67.968, 0.000244141)),
        (100, 32767, (-1.50305, -1.50305, -31.7416, 1.0061, 64.8694)),
    ):
        features[0] = a
        features[1] = b
        model.predict(features, total)
        found = list(total)
        model.loglik(features, each)
        found += list(each)
        model.distances(features, each)
        found += list(each)
        # Not bit by bit: on some ports the plain twin's floats are short.
        for i, want in enumerate(wanted):
            if not abs(found[i] - want) <= 1e-5 * max(1, abs(want)):
                fault = "for %d, %d: %s, not %s" % (a, b, found, wanted)
    return getattr(emlearn_gmm, "__file__", None), fault
