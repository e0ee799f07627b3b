"""emlearn_neighbors: viper, its plain twin, both word sizes, NumPy and scikit-learn agree."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
import viper_words
from array_modules import VARIANTS, module_dir, run_cases
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from trees_cases import run_script

from workshop_helpers import paths

NAME = "emlearn_neighbors"


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    said = run_script(variant, "neighbors_api.py", module_dir(tmp_path, NAME, variant))
    assert said.startswith("passed")


def expected(k, items, labels, queries, ranks):
    """What the driver answers: exact squared distances, equals in the order they were added."""
    x, y = np.array(items, np.int64), np.array(labels)
    found = []
    for query in np.array(queries, np.int64):
        d = ((x - query) ** 2).sum(1)
        order = np.argsort(d, kind="stable")
        values, votes = np.unique(y[order[:k]], return_counts=True)
        root = [int(np.floor(np.sqrt(v))) for v in d[order]]
        results = [[int(order[r]), root[r], int(y[order[r]])] for r in ranks]
        found.append([int(values[np.argmax(votes)]), results])
    return found


def random_case(seed, n, features, k, low=-32768, high=32767, queries=4):
    rng = np.random.default_rng(seed)
    items = rng.integers(low, high + 1, (n, features))
    asked = rng.integers(low, high + 1, (queries, features))
    labels = rng.choice([-32768, -1, 0, 9, 10, 300, 32767], n)
    ranks = [0, n - 1, n // 2, min(k, n - 1), k - 1]
    return [k, items.tolist(), labels.tolist(), asked.tolist(), ranks]


ENDS = [-32768, 32767]
VECTORS = {
    "one item": random_case(1, 1, 1, 1),
    "all of int16": random_case(2, 40, 6, 5),
    "few values, many equals": random_case(3, 60, 3, 7, -1, 1),
    "sums of 31 bits": random_case(4, 50, 4, 3, -11500, 11500),
    "one feature, at the limit of 31 bits": random_case(5, 30, 1, 3, 0, 46340),
    "one feature, beyond it": random_case(6, 30, 1, 3, -32768, 13573),
    "odd numbers": random_case(7, 33, 7, 5),
    "all are neighbours": random_case(8, 12, 5, 12),
    "32 features": random_case(11, 20, 32, 3, -4000, 4000),
    "33 features": random_case(12, 20, 33, 3, -4000, 4000),
    "64 features": random_case(13, 20, 64, 3, -32768, 32767),
    "105 features, of which few are needed": random_case(14, 40, 105, 2, 0, 16),
    "many features": random_case(9, 6, 1001, 2, queries=2),
    "very many features": [1, [[-32768] * 8001, [32767] * 8001], [1, 2], [[32767] * 8001], [0, 1]],
    "many items": random_case(10, 1500, 2, 3, queries=2),
    "at the ends": [3, [[a, b] for a in ENDS for b in ENDS], [1, 2, 3, 4], [[0, 0], ENDS], [0, 3]],
    "a query far from narrow items": [1, [[5, 5], [6, 6]], [1, 2], [[32767, -32768]] * 2, [0, 1]],
}
for case in (VECTORS["one feature, at the limit of 31 bits"],):
    case[1] = (np.array(case[1]) - 32768).clip(-32768, 32767).tolist()
    case[3] = (np.array(case[3]) - 32768).clip(-32768, 32767).tolist()


@pytest.mark.parametrize("variant", VARIANTS)
def test_vectors(variant, tmp_path):
    answers = run_cases(tmp_path, NAME, variant, list(VECTORS.values()))
    for (name, case), got in zip(VECTORS.items(), answers, strict=True):
        assert got == expected(*case), name


MOST = 32767
IN_WORDS = [
    *(case for case in VECTORS.values() if len(case[1]) * len(case[1][0]) < 300),
    [1, [[-32768] * MOST], [1], [[32767] * MOST], [0]],
]


@pytest.mark.parametrize("bits", [32, 64])
def test_vectors_in_words_of(bits):
    """The viper source, with the arithmetic of the boards that are not here."""
    for k, items, labels, queries, ranks in IN_WORDS:
        module = viper_words.load(paths.NATIVE_MODULES / f"{NAME}.py", bits)
        features = array("h", items[0])
        model = module.new(len(items), len(items[0]), k)
        module._see = lambda block, features: None  # CPython's arrays tell their types another way
        for item, label in zip(items, labels, strict=True):
            features[:] = array("h", item)
            model.additem(features, label)
        features[:] = array("h", queries[0])
        label = model.predict(features)
        results = [list(model.getresult(rank)) for rank in ranks]
        assert [[label, results]] == expected(k, items, labels, queries[:1], ranks)


@pytest.mark.parametrize("variant", ["viper", "plain"])
def test_agrees_with_scikit_learn(variant, tmp_path):
    x, y = load_digits(return_X_y=True)
    x = x.astype(int)
    train, test = slice(0, 150), slice(150, 180)
    cases = []
    for k in (1, 5):
        cases.append([k, x[train].tolist(), y[train].tolist(), x[test].tolist(), [0]])
    for (k, *_), got in zip(cases, run_cases(tmp_path, NAME, variant, cases), strict=True):
        estimator = KNeighborsClassifier(k, algorithm="brute").fit(x[train], y[train])
        assert [label for label, _ in got] == estimator.predict(x[test]).tolist()
        nearest = estimator.kneighbors(x[test], 1)[0][:, 0]
        assert [results[0][1] for _, results in got] == np.floor(nearest).astype(int).tolist()
