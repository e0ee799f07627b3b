"""Runs the cases of emlearn_fft, emlearn_iir, emlearn_iir_q15 and emlearn_linreg. On both Pythons.

    micropython signals_driver.py FOLDER_OF_MODULE NAME FILE_OF_CASES

The file has one line of JSON a case; arrays are hex of their bytes. Prints one line of JSON each.
"""

import binascii
import gc
import json
import sys
from array import array


def from_hex(typecode, text):
    return array(typecode, binascii.unhexlify(text))


def to_hex(x):
    return binascii.hexlify(bytes(x)).decode()


def run_fft(module, case):
    real = from_hex("f", case.pop("real"))
    imag = from_hex("f", case.pop("imag"))
    fft = module.FFT(len(real))
    module.fill(fft, len(real))
    fft.run(real, imag)
    return [to_hex(real), to_hex(imag)]


def run_filter(module, typecode, coefficients, case):
    x = from_hex(typecode, case["x"])
    iir = module.new(coefficients)
    start = 0
    for length in case["blocks"]:
        block = x[start : start + length]
        iir.run(block)
        for v in block:
            x[start] = v
            start += 1
    return to_hex(x)


def run_iir(module, case):
    return run_filter(module, "f", from_hex("f", case["sos"]), case)


def run_iir_q15(module, case):
    c = module.convert_coefficients(from_hex("f", case["sos"]))
    return [to_hex(c), run_filter(module, "h", c, case)]


def run_linreg(module, case):
    d = case["features"]
    X = from_hex("f", case["X"])
    y = from_hex("f", case["y"])
    model = module.new(d, case["alpha"], case["l1_ratio"], case["rate"])
    start = from_hex("f", case["start"])
    model.set_weights(start[:d])
    model.set_bias(start[d])
    predicted = array("f", [model.predict(X[i : i + d]) for i in range(0, len(X), d)])
    first = model.score_mse(X, y)
    last = None
    if case["train"]:
        last = module.train(model, X, y, **case["train"])[0]
    else:
        for _ in range(case["steps"]):
            model.step(X, y)
    weights = array("f", bytes(4 * d))
    model.get_weights(weights)
    rest = array("f", (model.get_bias(), first, model.score_mse(X, y)))
    return [to_hex(predicted), to_hex(weights), to_hex(rest), last]


RUN = {
    "emlearn_fft": run_fft,
    "emlearn_iir": run_iir,
    "emlearn_iir_q15": run_iir_q15,
    "emlearn_linreg": run_linreg,
}


def main(module_dir, name, path):
    sys.path.insert(0, module_dir)
    module = __import__(name)
    with open(path) as file:
        while True:
            case = file.readline()
            if not case:
                break
            case = json.loads(case)  # the text is garbage from here on
            gc.collect()
            print(json.dumps(RUN[name](module, case)))


if __name__ == "__main__":
    main(*sys.argv[1:])
