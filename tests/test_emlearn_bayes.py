"""emlearn_bayes: viper, its twin on two Pythons and NumPy agree bit by bit, and with SciPy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from gaussians_cases import VARIANTS, damaged, module_dir, random_file, run_cases, run_words
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import norm
from trees_cases import random_rows, run_script

from workshop_helpers import paths
from workshop_helpers.errors import ModelFileError
from workshop_helpers.model import kinds
from workshop_helpers.model.kinds.bayes import _exp
from workshop_helpers.model.kinds.gaussians import Gaussians

NAME, MAGIC = "emlearn_bayes", b"ENB1"
BAYES = kinds.get("bayes")
_QUIET = settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check(folder, cases):
    """All ways to run the files give the bits of the host reference."""
    answers = {variant: run_cases(folder, NAME, variant, cases) for variant in VARIANTS}
    for i, (data, x) in enumerate(cases):
        host = BAYES.parse(data)
        for variant in VARIANTS:
            got = answers[variant][i]
            assert not isinstance(got, str), (variant, got)
            assert got["predict"].tobytes() == host.outputs(x).tobytes(), variant
            assert got["loglik"].tobytes() == host.fixed.loglik(x).tobytes(), variant
    return answers


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    (tmp_path / "file").write_bytes(random_file(1, MAGIC, 2, 3))
    folder = module_dir(tmp_path, NAME, variant)
    printed = run_script(variant, "gaussians_api.py", NAME, folder, tmp_path / "file")
    assert printed.startswith("passed")


def test_the_twins_share_their_loader():
    texts = [(paths.NATIVE_MODULES / f"{NAME}{end}.py").read_text() for end in ("", "_ref")]
    loaders = [text[text.index("\ndef load(") :] for text in texts]
    assert loaders[0] == loaders[1]


def test_exponentials():
    """Their stated error; and that the smallest difference there is decides."""
    d = np.arange(0, 20 << 13)
    found = _exp(d, np.zeros_like(d)) * 2.0**-20
    assert np.abs(found - np.exp(-d * 2.0**-13)).max() < 6e-5
    assert (found[1:] < found[0]).all()


def test_extremes(tmp_path):
    shapes = [(1, 1), (1, 2), (255, 1), (1, 255), (13, 3), (64, 10), (200, 20)]
    cases = [(random_file(i, MAGIC, n, k), random_rows(i, 4, n)) for i, (n, k) in enumerate(shapes)]
    check(tmp_path, cases)


@_QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_random_files(seed, tmp_path):
    rng = random.Random(seed)
    cases = []
    for i in range(25):
        n, k = rng.randint(1, 12), rng.randint(1, 6)
        cases.append((random_file(seed + i, MAGIC, n, k), random_rows(seed + i, 5, n)))
    answers = check(tmp_path, cases)
    for got in answers["viper"]:
        assert got["predict"].sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert (got["predict"].argmax(axis=1) == got["loglik"].argmax(axis=1)).all()


@pytest.mark.parametrize("bits", [32, 64])
def test_words_of_32_and_64_bits(bits):
    """The viper source itself, with the arithmetic of both sizes of machine."""
    for seed in range(40):
        rng = random.Random(seed)
        n, k = rng.randint(1, 8), rng.randint(1, 5)
        data, x = random_file(seed, MAGIC, n, k), random_rows(seed, 3, n)
        host = BAYES.parse(data)
        found = run_words(NAME, bits, data, x, {"predict": k, "loglik": k})
        assert found["predict"].tobytes() == host.outputs(x).tobytes()
        assert found["loglik"].tobytes() == host.fixed.loglik(x).tobytes()


def test_against_scipy(tmp_path):
    """On rows that the file represents exactly, everything is within the stated bound."""
    rng = np.random.default_rng(3)
    cases, wants = [], []
    for n, k in ((1, 2), (4, 3), (13, 3), (30, 10)):
        means, spread = rng.normal(0, 2, (k, n)), rng.uniform(0.5, 3, (k, n))
        prior = rng.dirichlet(np.ones(k))
        constants = np.log(prior) - np.log(spread * np.sqrt(2 * np.pi)).sum(axis=1)
        gaussians = Gaussians(constants, means, 1 / spread)
        data = gaussians.pack(MAGIC, (2.0**8,) * n, np.ones(n, dtype=bool))
        near = means[rng.integers(0, k, 30)] + rng.normal(0, 2, (30, n))
        x = np.rint(np.concatenate([near, rng.uniform(-127, 127, (10, n))]) * 256).astype(np.int16)
        loglik = norm(means, spread).logpdf(x[:, None] / 256).sum(axis=2) + np.log(prior)
        cases.append((data, x))
        wants.append(loglik)
    answers = check(tmp_path, cases)
    for i, ((data, x), loglik) in enumerate(zip(cases, wants, strict=True)):
        host = BAYES.parse(data)
        got = answers["viper"][i]
        bound = host.fixed.bound(x, exact=True) + np.abs(loglik) * 2.0**-24
        assert (np.abs(got["loglik"] - loglik) <= bound).all()
        shares = softmax(loglik, axis=1)
        assert (np.abs(got["predict"] - shares) <= host.bound(x, exact=True)).all()
        # The bound is no excuse: rows among the data are nearly exact.
        assert np.abs(got["predict"][:30] - shares[:30]).max() < 0.002


def test_far_away_the_nearer_class_wins(tmp_path):
    """Thousands of standard deviations from both classes, where exponentials have long been 0."""
    means = np.array([[-3000.0], [3000.0]])
    gaussians = Gaussians(np.zeros(2), means, np.full((2, 1), 4.0))
    data = gaussians.pack(MAGIC, (1.0,), np.ones(1, dtype=bool))
    x = np.array([[-32768], [-2], [0], [2], [32767]], np.int16)
    got = check(tmp_path, [(data, x)])["viper"][0]["predict"]
    assert got.tolist() == [[1, 0], [1, 0], [0.5, 0.5], [0, 1], [0, 1]]


@_QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_are_refused_or_run(seed, tmp_path):
    rng = random.Random(seed)
    cases = []
    for i in range(100):
        n, k = rng.randint(1, 4), rng.randint(1, 3)
        data = damaged(rng, random_file(seed + i, MAGIC, n, k))
        cases.append((data, random_rows(seed + i, 3, n)))
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
                BAYES.parse(data)
        elif BAYES.parse(data).n_features == x.shape[1]:
            assert BAYES.parse(data).outputs(x).tobytes() == first["predict"].tobytes()
    assert refusals > 20  # the accidents are real ones


def test_predicting_allocates_nothing(tmp_path):
    (tmp_path / "file").write_bytes(random_file(3, MAGIC, 5, 4))
    folder = module_dir(tmp_path, NAME, "viper")
    printed = run_script("viper", "gaussians_memory.py", NAME, folder, tmp_path / "file")
    assert printed.split() == ["0"] * 2
