"""A first prediction that the official emlearn_neighbors survives: near items, labels 0 to 9."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_neighbors", None)
    import emlearn_neighbors

    model = emlearn_neighbors.new(4, 3, 3)
    for item, label in (((-9, 0, 7), 0), ((-8, 1, 7), 0), ((90, -70, 5), 4), ((91, -70, 5), 4)):
        model.additem(array("h", item), label)
    fault = None
    for features, want in (((-9, 1, 6), 0), ((88, -69, 4), 4)):
        got = model.predict(array("h", features))
        if got != want:
            fault = "for %s: %s, not %s" % (features, got, want)
    return getattr(emlearn_neighbors, "__file__", None), fault
