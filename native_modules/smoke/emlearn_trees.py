"""Import emlearn_trees anew and let it predict: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_trees", None)
    import emlearn_trees

    # Two trees over two features, three classes, every kind of branch; thresholds at the ends of
    # int16, where a wrong sign shows.
    model = emlearn_trees.new(3, 3, 3)
    for leaf in (0, 1, 2):
        model.addleaf(leaf)
    for root in (0, 1):
        model.addroot(root)
    model.addnode(-1, 2, 0, -32767)
    model.addnode(-2, -3, 1, 0)
    model.addnode(-2, -3, 1, 32767)
    model.setdata(2, 3)
    features = array("h", (0, 0))
    out = array("f", (9, 9, 9))
    fault = None
    for a, b, want in (
        (-32768, -1, (0.5, 0.5, 0)),
        (-32767, 32767, (0, 0, 1)),
        (32767, -32768, (0, 1, 0)),
        (32767, 32766, (0, 0.5, 0.5)),
    ):
        features[0] = a
        features[1] = b
        model.predict(features, out)
        if tuple(out) != want:
            fault = "for %d, %d: %s, not %s" % (a, b, tuple(out), want)
            break
    return getattr(emlearn_trees, "__file__", None), fault
