"""emlearn_gmm: viper, its twin on two Pythons and NumPy agree bit by bit, and with scikit-learn."""

from __future__ import annotations

import random
from array import array

import numpy as np
import pytest
from gaussians_cases import VARIANTS, damaged, module_dir, random_file, run_cases, run_words, seal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from trees_cases import random_rows, run_script

from workshop_helpers import paths
from workshop_helpers.errors import ModelFileError
from workshop_helpers.model import kinds
from workshop_helpers.model.kinds.fixed_gaussians import HALF, WHOLE
from workshop_helpers.model.kinds.gaussians import Gaussians

NAME, MAGIC = "emlearn_gmm", b"EGM1"
MIXTURES = kinds.get("gmm")
_QUIET = settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check(folder, cases):
    """All ways to run the files give the bits of the host reference."""
    answers = {variant: run_cases(folder, NAME, variant, cases) for variant in VARIANTS}
    for i, (data, x) in enumerate(cases):
        host = MIXTURES.parse(data)
        for variant in VARIANTS:
            got = answers[variant][i]
            assert not isinstance(got, str), (variant, got)
            assert got["predict"].tobytes() == host.outputs(x).tobytes(), variant
            assert got["loglik"].tobytes() == host.fixed.loglik(x).tobytes(), variant
            total, e = host.fixed.distances(x)
            distances = (total * 2.0 ** (e - 12)).astype(np.float32)
            assert got["distances"].tobytes() == distances.tobytes(), variant
    return answers


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    (tmp_path / "file").write_bytes(random_file(1, MAGIC, 2, 3, 0, 1))
    folder = module_dir(tmp_path, NAME, variant)
    printed = run_script(variant, "gaussians_api.py", NAME, folder, tmp_path / "file")
    assert printed.startswith("passed")


def test_the_twins_share_their_loader_and_table():
    texts = [(paths.NATIVE_MODULES / f"{NAME}{end}.py").read_text() for end in ("", "_ref")]
    for start, end in (("_TABLE = ", ")\n"), ("def _count", None)):
        parts = [text[text.index(start) :].partition(end)[0] if end else text for text in texts]
        parts = [part[part.index(start) :] for part in parts]
        assert parts[0] == parts[1]


def test_log_add_table():
    """The stated error of one log-sum-exp of two, over every difference."""
    from workshop_helpers.model.kinds.mixture_host import _log_add

    d = np.arange(0, 12 << 13)
    found = -_log_add(np.zeros_like(d), d) * 2.0**-13
    assert np.abs(found - np.log1p(np.exp(-d * 2.0**-13))).max() < 2.0**-12


def test_extremes(tmp_path):
    shapes = [
        (1, 1, 0), (1, 1, 1), (1, 1, 2), (255, 1, 0), (1, 255, 0), (1, 255, 2), (3, 4, 1),
        (64, 2, 1), (65, 2, 2), (128, 1, 1), (255, 1, 1),
    ]  # fmt: skip
    cases = [
        (random_file(i, MAGIC, n, k, layout, i % 2), random_rows(i, 4, n))
        for i, (n, k, layout) in enumerate(shapes)
    ]
    cases.append((random_file(99, MAGIC, 5, 1, 1, 0, WHOLE), random_rows(9, 4, 5)))
    check(tmp_path, cases)


@_QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_random_files(seed, tmp_path):
    rng = random.Random(seed)
    cases = []
    for i in range(25):
        n, k, layout = rng.randint(1, 12), rng.randint(1, 6), rng.randint(0, 2)
        data = random_file(seed + i, MAGIC, n, k, layout, rng.randint(0, 1))
        cases.append((data, random_rows(seed + i, 5, n)))
    check(tmp_path, cases)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("layout", [0, 1, 2])
def test_words_of_32_and_64_bits(bits, layout):
    """The viper source itself, with the arithmetic of both sizes of machine."""
    for seed in range(20):
        rng = random.Random(seed)
        n, k = rng.randint(1, 8), rng.randint(1, 4)
        data, x = random_file(seed, MAGIC, n, k, layout), random_rows(seed, 3, n)
        host = MIXTURES.parse(data)
        found = run_words(NAME, bits, data, x, {"predict": 1, "loglik": k, "distances": k})
        assert found["predict"].tobytes() == host.outputs(x).tobytes()
        assert found["loglik"].tobytes() == host.fixed.loglik(x).tobytes()
        total, e = host.fixed.distances(x)
        assert found["distances"].tobytes() == (total * 2.0 ** (e - 12)).astype("f4").tobytes()


def example(rng, n, k, shape):
    """(components in units of X, means [k, n], covariances [k, n, n], weights [k])."""
    means = rng.normal(0, 3, (k, n))
    if shape == "diagonal":
        factors = rng.uniform(0.3, 3, (k, n))
        square = np.array([np.diag(f) for f in factors])
    else:
        square = np.triu(rng.normal(0, 0.5, (k if shape == "full" else 1, n, n)), 1)
        square += np.eye(n) * rng.uniform(0.5, 2, n)
        factors = square
        square = np.broadcast_to(square, (k, n, n))
    weights = rng.dirichlet(np.ones(k))
    log_det = np.log(np.diagonal(square, axis1=1, axis2=2)).sum(axis=1)
    constants = np.log(weights) + log_det - n / 2 * np.log(2 * np.pi)
    covariances = np.linalg.inv(square @ square.transpose(0, 2, 1))
    return Gaussians(constants, means, factors, HALF), means, covariances, weights


@pytest.mark.parametrize("shape", ["diagonal", "full", "tied"])
def test_against_scipy(shape, tmp_path):
    """On rows that the file represents exactly, everything is within the stated bound."""
    rng = np.random.default_rng(7)
    cases, wants = [], []
    for n, k in ((1, 1), (2, 3), (5, 4), (12, 2)):
        gaussians, means, covariances, weights = example(rng, n, k, shape)
        scale = (2.0**8,) * n
        data = gaussians.pack(MAGIC, scale, np.ones(n, dtype=bool))
        near = means[rng.integers(0, k, 30)] + rng.normal(0, 2, (30, n))
        x = np.rint(np.concatenate([near, rng.uniform(-127, 127, (10, n))]) * 256).astype(np.int16)
        densities = [multivariate_normal(means[c], covariances[c]) for c in range(k)]
        loglik = np.stack([np.atleast_1d(p.logpdf(x / 256)) for p in densities], axis=1)
        loglik += np.log(weights)
        d = x[:, None] / 256 - means
        distances = np.einsum("rki,kij,rkj->rk", d, np.linalg.inv(covariances), d)
        cases.append((data, x))
        wants.append((loglik, distances))
    answers = check(tmp_path, cases)
    for i, ((data, x), (loglik, distances)) in enumerate(zip(cases, wants, strict=True)):
        host = MIXTURES.parse(data)
        bound = host.fixed.bound(x, exact=True)
        got = answers["viper"][i]
        assert (np.abs(got["loglik"] - loglik) <= bound + np.abs(loglik) * 2.0**-24).all()
        assert (np.abs(got["distances"] - distances) <= 2 * bound + distances * 2.0**-24).all()
        total = logsumexp(loglik, axis=1)
        assert (np.abs(got["predict"][:, 0] - total) <= host.bound(x, exact=True)[:, 0]).all()
        # The bound is no excuse: rows among the data are nearly exact.
        assert np.abs(got["predict"][:30, 0] - total[:30]).max() < 0.01


def test_far_away_nothing_saturates(tmp_path):
    """A row a million standard deviations off is still told from one that is two million off."""
    gaussians = Gaussians(np.zeros(1), np.zeros((1, 2)), np.full((1, 2), 64.0), HALF)
    data = gaussians.pack(MAGIC, (1.0, 1.0), np.ones(2, dtype=bool))
    x = np.array([[v, 0] for v in (0, 1, 100, 10000, 16384, 32767)], np.int16)
    got = check(tmp_path, [(data, x)])["viper"][0]["distances"][:, 0]
    assert got == pytest.approx([0, *((64.0 * x[1:, 0]) ** 2)], rel=1e-4, abs=1e-3)


@_QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_are_refused_or_run(seed, tmp_path):
    rng = random.Random(seed)
    cases = []
    for i in range(100):
        n, k, layout = rng.randint(1, 4), rng.randint(1, 3), rng.randint(0, 2)
        data = random_file(seed + i, MAGIC, n, k, layout, rng.randint(0, 1))
        cases.append((damaged(rng, data), random_rows(seed + i, 3, n)))
    answers = {variant: run_cases(tmp_path, NAME, variant, cases) for variant in VARIANTS}
    refusals = 0
    for i, (data, x) in enumerate(cases):
        first = answers["viper"][i]
        refusals += isinstance(first, str)
        for variant in VARIANTS:
            same = answers[variant][i]
            if isinstance(first, str):
                assert same == first, (variant, data)
            else:
                assert not isinstance(same, str)
                assert all(same[m].tobytes() == first[m].tobytes() for m in first), variant
        # The laptop refuses what the board refuses.
        if isinstance(first, str):
            with pytest.raises(ModelFileError):
                MIXTURES.parse(data)
        elif MIXTURES.parse(data).n_features == x.shape[1]:
            assert MIXTURES.parse(data).outputs(x).tobytes() == first["predict"].tobytes()
    assert refusals > 20  # the accidents are real ones


@pytest.mark.parametrize("layout", [0, 1, 2])
def test_scoring_allocates_nothing(layout, tmp_path):
    (tmp_path / "file").write_bytes(random_file(3, MAGIC, 5, 4, layout))
    folder = module_dir(tmp_path, NAME, "viper")
    printed = run_script("viper", "gaussians_memory.py", NAME, folder, tmp_path / "file")
    assert printed.split() == ["0"] * 3


def test_a_sealed_file_has_its_checksum():
    data = random_file(5, MAGIC, 2, 2)
    assert seal(data) == data
    assert array("I", data[12:16])[0] != 0
