"""Forests on the digits of scikit-learn, and rows of them, for the benchmark of emlearn_trees."""

from __future__ import annotations

import json
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from workshop_helpers.model import convert

FORESTS = ((1, 2), (10, 16), (10, 60), (50, 100))  # trees, leaves a tree
ROWS = 40


def write(folder: Path) -> None:
    x, y = load_digits(return_X_y=True)
    for trees, leaves in FORESTS:
        forest = RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=1).fit(x, y)
        model = convert(forest, x, voting="hard")
        (folder / f"{trees}_{leaves}.csv").write_bytes(model.files["model.csv"])
    rows = [model.quantise(x[i : i + 1])[0].tolist() for i in range(ROWS)]
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "forests.json").write_text(json.dumps(FORESTS))
