"""Mixtures fitted to scikit-learn's wine and breast cancer, for the benchmark of emlearn_gmm."""

from __future__ import annotations

import json
from pathlib import Path

from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workshop_helpers.model import convert

ROWS = 20


def write(folder: Path) -> None:
    models = []
    for data in (load_wine(), load_breast_cancer()):
        x = data.data
        for estimator, shape in (
            (GaussianMixture(4, covariance_type="diag", random_state=1), "4 diagonal"),
            (GaussianMixture(4, covariance_type="full", reg_covar=1e-3, random_state=1), "4 full"),
            (EllipticEnvelope(random_state=1), "1 envelope"),
        ):
            model = convert(make_pipeline(StandardScaler(), estimator).fit(x), x)
            name = f"{len(models)}"
            (folder / f"{name}.bin").write_bytes(model.data)
            label = f"({shape}, {x.shape[1]} features)"
            models.append([label, name, model.quantise(x[:ROWS]).tolist()])
    (folder / "models.json").write_text(json.dumps(models))
