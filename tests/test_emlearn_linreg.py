"""Linear regression on the board against NumPy: predictions, steps, training, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from signal_cases import (
    VARIANTS,
    Case,
    from_hex,
    has_short_floats,
    module_dir,
    run,
    run_short_words,
    to_hex,
)
from trees_cases import run_script

NAME = "emlearn_linreg"


def problem(seed: int, features: int, rows: int, scale: Any = 1.0, **options: object) -> Case:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features)) * scale
    y = X @ (rng.normal(size=features) / scale) + 3 + 0.1 * rng.normal(size=rows)
    case = {
        "features": features,
        "alpha": 0.01,
        "l1_ratio": 0.5,
        "rate": 0.05 / max(1, float(np.max(scale)) ** 2) / features**0.5,
        "X": to_hex(X),
        "y": to_hex(y),
        "start": to_hex(rng.normal(size=features + 1)),
        "steps": 5,
        "train": None,
    }
    return case | options


def table() -> list[Case]:
    return [
        problem(1, 1, 1),
        problem(2, 1, 7),
        problem(3, 4, 50),
        problem(4, 30, 10),
        problem(5, 10, 100, alpha=0.0),
        problem(6, 10, 100, l1_ratio=1.0, alpha=0.3),
        problem(7, 10, 100, l1_ratio=0.0),
        problem(8, 5, 40, scale=1e-6),
        problem(9, 5, 40, scale=1e6),
        problem(10, 5, 40, scale=np.logspace(-4, 4, 5)),
        problem(11, 3, 10, X=to_hex(np.zeros(30))),
        problem(12, 200, 5),
    ]


def mse(w: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    return float(((X @ w[:-1] + w[-1] - y) ** 2).mean())


def step(case: Case, w: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient descent on half the mean squared error; soft thresholds for L1."""
    d, rate, alpha, l1 = (case[k] for k in ("features", "rate", "alpha", "l1_ratio"))
    error = X @ w[:-1] + w[-1] - y
    new = w[:d] - rate * (X.T @ error / len(y) + alpha * (1 - l1) * w[:d])
    new = np.sign(new) * np.maximum(np.abs(new) - alpha * l1 * rate, 0)
    return np.append(new, w[-1] - rate * error.mean())


def check(case: Case, answer: list, tolerance: float) -> None:
    X = from_hex(case["X"]).reshape(-1, case["features"])
    y, w = from_hex(case["y"]), from_hex(case["start"])
    predicted, weights, (bias, first, last) = (from_hex(text) for text in answer[:3])
    sizes = np.abs(X) @ np.abs(w[:-1]) + abs(w[-1])
    assert (np.abs(predicted - (X @ w[:-1] + w[-1])) <= 4e-7 * sizes).all()
    assert first == pytest.approx(mse(w, X, y), rel=tolerance, abs=tolerance)
    for _ in range(case["steps"]):
        w = step(case, w, X, y)
    assert np.allclose([*weights, bias], w, tolerance, tolerance * np.abs(w).max())
    assert last == pytest.approx(mse(w, X, y), rel=tolerance, abs=tolerance * (y**2).mean())


@pytest.mark.parametrize("variant", VARIANTS)
def test_steps_against_numpy(variant, tmp_path):
    cases = table()
    for case, answer in zip(cases, run(NAME, tmp_path, variant, cases), strict=True):
        check(case, answer, 1e-5)


TOO_FAST = 1.5


def trainings(steps: int, shapes: list[tuple[int, int]]) -> list[Case]:
    """Also: columns of several sizes, one of zeros, both penalties, weights that grow, outliers."""
    options = {"train": {"max_iterations": steps, "tolerance": -1}, "steps": steps}
    cases = [problem(seed, d, rows, **options) for seed, (d, rows) in enumerate(shapes)]
    rng = np.random.default_rng(1)
    X = rng.normal(size=(25, 3)) * [1, 0, 1] + [0, 0, 2]
    outlier = X.copy()
    outlier[7, 0] = 300
    return [
        *cases,
        problem(10, 5, 40, scale=np.logspace(-2, 2, 5), **options),
        problem(11, 4, 20, scale=1e6, **options),
        problem(12, 4, 20, l1_ratio=1.0, alpha=0.3, **options),
        problem(13, 4, 20, l1_ratio=0.0, alpha=3.0, **options),
        problem(14, 3, 25, X=to_hex(outlier), rate=1e-5, **options),
        problem(15, 3, 25, X=to_hex(outlier), start=to_hex([1e-6] * 4), rate=1e-5, **options),
        problem(16, 3, 25, scale=[1, 1, 1e-9], **options),  # too far apart
        problem(17, 3, 25, rate=TOO_FAST, **options),  # a matrix beyond its bits
        problem(19, 3, 25, X=to_hex(2 + 0.1 * X[::-1]), rate=TOO_FAST / 6, **options),  # weights
        problem(18, 3, 25, rate=0.0, **options),
    ]


def check_training(case: Case, answer: list) -> None:
    """The error that the module states, of weights times the largest input of their column."""
    X = from_hex(case["X"]).reshape(-1, case["features"])
    y, w = from_hex(case["y"]), from_hex(case["start"])
    tops = np.append(np.abs(X).max(0), 1)
    largest = np.abs(y).max()
    for _ in range(min(case["steps"], answer[3] + 1)):
        largest = max(largest, np.abs(w * tops).max())
        w = step(case, w, X, y)
    got = np.append(from_hex(answer[1]), from_hex(answer[2])[0])
    assert np.abs((got - w) * tops).max() < 4e-6 * max(largest, np.abs(w * tops).max())


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_does_the_same_steps(variant, tmp_path):
    cases = trainings(101, [(1, 10), (4, 50), (10, 100), (20, 30), (3, 200), (50, 20), (70, 40)])
    for case, answer in zip(cases, run(NAME, tmp_path, variant, cases), strict=True):
        # Those are seen to diverge.
        assert answer[3] == (10 if case["rate"] in (TOO_FAST, TOO_FAST / 6) else 100)
        check_training(case, answer)


def test_training_in_short_words():
    cases = trainings(12, [(1, 10), (4, 50), (12, 20), (5, 2)])
    for case, answer in zip(cases, run_short_words(NAME, cases), strict=True):
        check_training(case, answer)


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_looks_at_the_error_now_and_then(variant, tmp_path):
    """The last iteration is told, whether or not the interval divides it; none at all is none."""
    wanted = [(0, 10, 0), (1, 10, 0), (7, 3, 6), (8, 3, 7), (20, 1, 19), (21, 10, 20), (5, 99, 4)]
    cases = []
    for n, interval, _ in wanted:
        train = {"max_iterations": n, "check_interval": interval, "tolerance": -1}
        cases.append(problem(3, 4, 20, train=train, steps=n))
    for case, answer, (*_, last) in zip(
        cases, run(NAME, tmp_path, variant, cases), wanted, strict=True
    ):
        assert answer[3] == last
        check_training(case, answer)


def test_training_finds_the_solution(tmp_path):
    train = {"max_iterations": 5000, "tolerance": 1e-9}
    case = problem(1, 4, 100, alpha=0.0, rate=0.2, train=train)
    (answer,) = run(NAME, tmp_path, "viper", [case])
    X = np.column_stack([from_hex(case["X"]).reshape(-1, 4), np.ones(100)])
    best, *_ = np.linalg.lstsq(X, from_hex(case["y"]), rcond=None)
    assert answer[3] < 4999  # it stopped by itself
    assert np.allclose([*from_hex(answer[1]), from_hex(answer[2])[0]], best, 1e-3, 1e-3)


def test_short_words(tmp_path):
    if has_short_floats("viper"):
        pytest.skip("the learning rate is rounded otherwise")
    cases = [case | {"steps": 2} for case in table() if case["features"] < 20]
    for case in cases[:7]:
        case["X"] = case["X"][: 8 * 10 * case["features"]]
        case["y"] = case["y"][: 8 * 10]
    assert run_short_words(NAME, cases) == run(NAME, tmp_path, "viper", cases)


def test_the_sources_share_their_training():
    from workshop_helpers import paths

    texts = [(paths.NATIVE_MODULES / f"{NAME}{end}.py").read_text() for end in ("", "_ref", "_fpu")]
    shared = [text[text.index("new = Model") :] for text in texts]
    assert shared[0] == shared[1] == shared[2]


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    folder = module_dir(NAME, tmp_path, variant)
    assert run_script(variant, "signals_api.py", folder, NAME).startswith("passed")
