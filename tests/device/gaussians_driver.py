"""Loads many files into emlearn_gmm or emlearn_bayes and runs each. Runs on both Pythons.

    micropython gaussians_driver.py MODULE FOLDER_OF_MODULE FOLDER_OF_CASES

The folder of cases holds `cases.json`, a list of {"file": ..., "x": [[int, ...], ...]}, and those
files. Prints one line of JSON a case: for each method that the module has, the outputs of each row
as hex of their float32 bytes; or the error.
"""

import binascii
import json
import sys
from array import array


def run_case(module, path, rows):
    try:
        model = module.load(path)
    except ValueError as error:
        return {"error": str(error)}
    found = {}
    features = array("h", [0] * model.features())
    for name in ("predict", "loglik", "distances"):
        if not hasattr(model, name):
            continue
        n = model.outputs() if name == "predict" else count(model)
        out = array("f", [-1] * n)
        method = getattr(model, name)
        found[name] = []
        for row in rows:
            for i in range(len(features)):
                features[i] = row[i % len(row)]
            method(features, out)
            found[name].append(binascii.hexlify(bytes(out)).decode())
    return found


def count(model):
    return model.components() if hasattr(model, "components") else model.outputs()


def main(name, module_dir, case_dir):
    sys.path.insert(0, module_dir)
    module = __import__(name)
    with open(case_dir + "/cases.json") as file:
        cases = json.load(file)
    for case in cases:
        print(json.dumps(run_case(module, case_dir + "/" + case["file"], case["x"])))


main(*sys.argv[1:])
