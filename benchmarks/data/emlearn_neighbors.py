"""Queries, items and labels from scikit-learn's digits, for the benchmark of emlearn_neighbors."""

from __future__ import annotations

import json
from pathlib import Path

from sklearn.datasets import load_digits

QUERIES, ITEMS = 20, 300


def write(folder: Path) -> None:
    x, y = load_digits(return_X_y=True)
    x = x.astype(int)
    items = slice(QUERIES, QUERIES + ITEMS)
    rows = (x[:QUERIES].tolist(), x[items].tolist(), y[items].tolist())
    (folder / "digits.json").write_text(json.dumps(rows))
