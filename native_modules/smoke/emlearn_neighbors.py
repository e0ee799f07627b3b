"""Import emlearn_neighbors anew and let it predict: `_w_smoke()` -> (file or None, fault)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_neighbors", None)
    import emlearn_neighbors

    # Features at the ends of int16, where a wrong sign or an overflow shows.
    model = emlearn_neighbors.new(4, 3, 1)
    features = array("h", (0, 0, 0))
    for i in range(4):
        features[0] = (-32768, 0, 32767, 32767)[i]
        features[2] = (-32768, -1, 32767, 32766)[i]
        model.additem(features, (-5, 0, 300, 7)[i])
    fault = None
    for a, c, want in (
        (-32768, -30000, (-5, 0, 2768, -5)),
        (5, -32768, (0, 1, 32767, 0)),
        (32767, 32766, (7, 3, 0, 7)),
    ):
        features[0] = a
        features[2] = c
        got = (model.predict(features),) + model.getresult(0)
        far = model.getresult(3)
        if got != want or (a == -32768 and far != (2, 90744, 300)):
            fault = "for %d, %d: %s, not %s; farthest %s" % (a, c, got, want, far)
            break
    return getattr(emlearn_neighbors, "__file__", None), fault
