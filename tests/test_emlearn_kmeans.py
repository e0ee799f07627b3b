"""emlearn_kmeans: viper, its plain twin, both word sizes and NumPy agree byte by byte."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
import viper_words
from array_modules import VARIANTS, module_dir, packed, run_cases
from trees_cases import run_script

from workshop_helpers import paths

NAME = "emlearn_kmeans"


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    said = run_script(variant, "kmeans_api.py", module_dir(tmp_path, NAME, variant))
    assert said.startswith("passed"), said


def nearest(vectors, points):
    """(index, squared distance) for each of uint8 [n, channels]; the first of equally near."""
    d = ((points[:, None].astype(np.int64) - vectors[None].astype(np.int64)) ** 2).sum(2)
    return d.argmin(1), d.min(1)


def cluster(values, centroids, max_iter=10, stop_changes=0):
    assigned = np.full(len(values), 255)
    for _ in range(max_iter):
        found, _ = nearest(centroids, values)
        changes = (found != assigned).sum()
        assigned = found
        if changes <= stop_changes:
            break
        for c in set(found.tolist()):
            centroids[c] = values[found == c].astype(np.int64).sum(0) // (found == c).sum()
    return assigned.astype(np.uint8), centroids


def random_case(seed, n, features, k, low=0, high=255, **options):
    rng = np.random.default_rng(seed)
    values = rng.integers(low, high + 1, (n, features), np.uint8)
    centroids = rng.integers(low, high + 1, (k, features), np.uint8)
    return values, centroids, options


VECTORS = {
    "one of each": random_case(1, 1, 1, 1),
    "colours": random_case(2, 400, 3, 8),
    "one channel": random_case(3, 300, 1, 4),
    "many equals": random_case(4, 100, 2, 5, 0, 2),
    "all the same": random_case(5, 50, 3, 3, 255, 255),
    "most clusters": random_case(6, 300, 3, 255, max_iter=3),
    "more clusters than samples": random_case(7, 3, 2, 9),
    "many channels": random_case(8, 20, 301, 4),
    "only the ends": (
        random_case(9, 90, 5, 4, 0, 1)[0] * 255,
        np.array([[0] * 5, [255] * 5], np.uint8),
        {},
    ),
    "one round": random_case(10, 100, 3, 4, max_iter=1),
    "stops early": random_case(11, 200, 3, 6, stop_changes=20),
    "goes on without changes": random_case(12, 20, 3, 2, max_iter=30, stop_changes=-1),
}


def as_cases():
    return [
        [packed("bytes" if i % 2 else "B", x), packed("B", centroids), x.shape[1], options]
        for i, (x, centroids, options) in enumerate(VECTORS.values())
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_vectors(variant, tmp_path):
    answers = run_cases(tmp_path, NAME, variant, as_cases())
    for (name, case), got in zip(VECTORS.items(), answers, strict=True):
        values, centroids, options = case
        index, distance = nearest(centroids, values[:1])
        assigned, moved = cluster(values, centroids.copy(), **options)
        assert got[0] == [index[0], distance[0]], name
        assert got[1:] == [bytes(assigned).hex(), bytes(moved).hex()], name


@pytest.mark.parametrize("bits", [32, 64])
def test_vectors_in_words_of(bits):
    """The viper source, with the arithmetic of the boards that are not here."""
    for name, (values, centroids, _) in VECTORS.items():
        if values.size * len(centroids) > 3000:
            continue
        module = viper_words.load(paths.NATIVE_MODULES / f"{NAME}.py", bits)
        n = values.shape[1]
        data, moved = bytearray(bytes(values)), bytearray(bytes(centroids))
        sums = array("i", bytes(4 * len(centroids) * (n + 1)))
        told = array("i", (n, len(moved), len(data), *[0] * 11))
        assigned = bytearray(b"\xff" * len(values))
        module._place(told, moved, data, assigned)
        changes = module._assign(told)
        found, distance = nearest(centroids, values)
        assert changes == len(values) and list(assigned) == found.tolist(), name
        assert told[3:5].tolist() == [found[-1], distance[-1]], name
        module._update(moved, data, sums, assigned, sums, told)
        assert bytes(moved) == bytes(cluster(values, centroids.copy(), 1)[1]), name
