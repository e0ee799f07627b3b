"""Import emlearn_linreg anew and let it learn: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import sys
    from array import array

    sys.modules.pop("emlearn_linreg", None)
    import emlearn_linreg

    model = emlearn_linreg.new(2, 0.0, 0.0, 0.5)
    model.set_weights(array("f", (1.5, -2)))
    model.set_bias(-0.25)
    got = model.predict(array("f", (2, 1000)))
    fault = None if got == -1997.25 else "%s, not -1997.25" % got
    # y = 3 + a - 2 b
    X = array("f", (1, 1, 1, -1, -1, 1, -1, -1))
    y = array("f", (2, 6, 0, 4))
    emlearn_linreg.train(model, X, y, max_iterations=60)
    got = model.predict(array("f", (5, 6)))
    if not abs(got + 4) < 0.001:
        fault = "%s after training, not -4" % got
    return getattr(emlearn_linreg, "__file__", None), fault
