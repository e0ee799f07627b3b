"""Networks for scikit-learn's wine and digits, for the benchmark of emlearn_mlp."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workshop_helpers.model import convert

ROWS = 10


def write(folder: Path) -> None:
    models: list[list[object]] = []
    for data, hidden, activation in (
        (load_wine(), (8,), "relu"),
        (load_digits(), (32,), "relu"),
        (load_digits(), (32, 16), "tanh"),
    ):
        network = MLPClassifier(hidden, activation=activation, max_iter=30, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator = make_pipeline(StandardScaler(), network).fit(data.data, data.target)
        for bits in (8, 16):
            model = convert(estimator, data.data, weight_bits=bits)
            name = f"{len(models)}"
            (folder / f"{name}.bin").write_bytes(model.data)
            widths = "-".join(map(str, (len(model.features), *hidden, len(model.classes))))
            label = f"({widths}, {activation}, {bits} bits)"
            models.append([label, name, model.quantise(data.data[:ROWS]).tolist()])
    (folder / "models.json").write_text(json.dumps(models))
