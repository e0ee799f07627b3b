"""Naive Bayes on scikit-learn's wine, breast cancer and digits, for its benchmark."""

from __future__ import annotations

import json
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.naive_bayes import GaussianNB

from workshop_helpers.model import convert

ROWS = 20


def write(folder: Path) -> None:
    models = []
    for data in (load_wine(), load_breast_cancer(), load_digits()):
        model = convert(GaussianNB().fit(data.data, data.target), data.data)
        name = f"{len(models)}"
        (folder / f"{name}.bin").write_bytes(model.data)
        label = f"({len(model.classes)} classes, {len(model.features)} features)"
        models.append([label, name, model.quantise(data.data[:ROWS]).tolist()])
    (folder / "models.json").write_text(json.dumps(models))
