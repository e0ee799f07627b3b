"""Loads many model files into emlearn_mlp and predicts with each. Runs on both Pythons.

    micropython mlp_driver.py FOLDER_OF_MODULE FOLDER_OF_CASES

The folder of cases holds `cases.json`, a list of {"file": ..., "x": [[int, ...], ...]}, and those
files. Prints one line of JSON a case: the outputs as hex of their float32 bytes, or the error.
"""

import binascii
import json
import sys
from array import array


def run_case(mlp, path, rows):
    try:
        model = mlp.load(path)
    except ValueError as error:
        return {"error": str(error)}
    features = array("h", [0] * (len(rows[0]) if rows else 0))
    out = array("f", [-1] * model.outputs())
    found = []
    try:
        for row in rows:
            for i, value in enumerate(row):
                features[i] = value
            model.predict(features, out)
            found.append(binascii.hexlify(bytes(out)).decode())
    except ValueError as error:  # the file was changed into a model of other sizes
        return {"error": str(error)}
    return {"out": found}


def main(module_dir, case_dir):
    sys.path.insert(0, module_dir)
    import emlearn_mlp

    with open(case_dir + "/cases.json") as file:
        cases = json.load(file)
    for case in cases:
        print(json.dumps(run_case(emlearn_mlp, case_dir + "/" + case["file"], case["x"])))


main(*sys.argv[1:])
