"""The viper module, its plain twin on MicroPython and on CPython, and NumPy agree bit by bit."""

from __future__ import annotations

import random
from array import array

import numpy as np
import pytest
import viper_words
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlp_cases import ENDS, NAME, module_dir, random_network, run_cases
from trees_cases import VARIANTS, random_rows, run_script

from workshop_helpers import paths
from workshop_helpers.errors import ModelFileError
from workshop_helpers.model.kinds import mlp_file
from workshop_helpers.model.kinds.mlp_file import CLIP, LINEAR, LOGISTIC, SOFTMAX, TANH

_QUIET = settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
EXTREMES = {
    "one of each": random_network(1, (1, 1), LINEAR, 8),
    "one class": random_network(2, (3, 1), SOFTMAX, 16),
    "most classes": random_network(3, (5, 256), SOFTMAX, 8),
    "odd widths": random_network(4, (7, 5, 3), SOFTMAX, 8),
    "odd widths, 16 bits": random_network(5, (7, 5, 3), SOFTMAX, 16),
    "many features": random_network(6, (1001, 2), LINEAR, 8),
    "a wide layer": random_network(7, (2, 515, 2), SOFTMAX, 8),
    "many layers": random_network(8, (3, *[4] * 60, 1), LOGISTIC, 16),
    "tanh": random_network(9, (9, 9, 9, 1), LINEAR, 8, TANH),
    "clip": random_network(10, (9, 9, 9, 2), LINEAR, 16, CLIP),
}


def widths_of(data: bytes) -> int:
    return mlp_file.parse(data).n_features


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    assert run_script(variant, "mlp_api.py", module_dir(tmp_path, variant)).startswith("passed")


def test_the_twins_share_their_loader():
    texts = [(paths.NATIVE_MODULES / f"{NAME}{end}.py").read_text() for end in ("", "_ref")]
    loaders = [text[text.index("def load(source)") :] for text in texts]
    assert loaders[0] == loaders[1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_extremes(variant, tmp_path):
    cases = [(data, random_rows(1, 12, widths_of(data))) for data in EXTREMES.values()]
    answers = run_cases(tmp_path, variant, cases)
    for name, (data, x), got in zip(EXTREMES, cases, answers, strict=True):
        assert not isinstance(got, str), (name, got)
        assert got.tobytes() == mlp_file.parse(data).outputs(x).tobytes(), name


def shapes(most: int) -> st.SearchStrategy[list[tuple[list[int], int, int]]]:
    one = st.tuples(
        st.lists(st.integers(1, most), min_size=2, max_size=4),
        st.sampled_from(ENDS),
        st.sampled_from([8, 16]),
    )
    return st.lists(one, min_size=1, max_size=12)


def networks(seed: int, found: list[tuple[list[int], int, int]]) -> list[tuple[bytes, np.ndarray]]:
    cases = []
    for i, (widths, end, weight_bits) in enumerate(found):
        widths = [*widths[:-1], 1] if end == LOGISTIC else widths
        data = random_network(seed + i, tuple(widths), end, weight_bits)
        cases.append((data, random_rows(seed + i, 8, widths[0])))
    return cases


@_QUIET
@given(seed=st.integers(0, 2**32 - 1), found=shapes(20))
def test_random_networks(seed, found, tmp_path):
    cases = networks(seed, found)
    for variant in VARIANTS:
        answers = run_cases(tmp_path, variant, cases)
        for (data, x), got in zip(cases, answers, strict=True):
            assert not isinstance(got, str), (variant, got)
            assert got.tobytes() == mlp_file.parse(data).outputs(x).tobytes(), variant


@pytest.mark.parametrize("bits", [32, 64])
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), found=shapes(9))
def test_words_of_32_and_64_bits(bits, seed, found):
    """The viper source itself, with the arithmetic of both sizes of machine."""
    module = viper_words.load(paths.NATIVE_MODULES / f"{NAME}.py", bits)
    for data, x in networks(seed, found[:3]):
        network = mlp_file.parse(data)
        model = module.load(data)
        out = array("f", bytes(4 * network.n_outputs))
        acts = model._acts
        for row, want in zip(x[:3], network.outputs(x[:3]), strict=True):
            features = array("h", row.tolist())
            module._run(model._data, 0, acts, features, out, model._plan)
            assert bytes(out) == want.tobytes()


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """The file after one to four accidents."""
    for _ in range(rng.randint(1, 4)):
        i = rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind == 0:
            data = data[:i] + bytes([data[i] ^ 1 << rng.randrange(8)]) + data[i + 1 :]
        elif kind == 1:
            data = data[:i] + bytes([rng.choice((0, 1, 127, 128, 255))]) + data[i + 1 :]
        elif kind == 2:
            at = rng.randrange(min(len(data), 40))  # where the sizes are
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif kind == 3:
            data = data[: max(1, i)]
        else:
            data = data[:i] + bytes(rng.randrange(256) for _ in range(4)) + data[i:]
    return data


@_QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_are_refused_or_run(seed, tmp_path):
    """The device, its twin and the parser on the host refuse the same files."""
    rng = random.Random(seed)
    cases = []
    for i in range(200):
        end = rng.choice(ENDS)
        widths = [rng.randint(1, 6) for _ in range(rng.randint(2, 4))]
        widths[-1] = 1 if end == LOGISTIC else widths[-1]
        data = random_network(seed + i, tuple(widths), end, rng.choice((8, 16)))
        damaged = _damaged(rng, data) if rng.random() < 0.7 else data[: rng.randrange(len(data))]
        if rng.random() < 0.3:  # a change where it does no harm, or hardly any
            at = rng.randrange(8, len(data))
            damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        cases.append((damaged, random_rows(seed + i, 4, widths[0])))
    answers = {variant: run_cases(tmp_path, variant, cases) for variant in VARIANTS}
    refusals = 0
    for viper, plain, cpython, (data, x) in zip(*answers.values(), cases, strict=True):
        if isinstance(viper, str):
            assert viper == plain == cpython, data
            refusals += 1
            if "model: bad" in viper:
                with pytest.raises(ModelFileError):
                    mlp_file.parse(data)
        else:
            want = mlp_file.parse(data).outputs(x).tobytes()
            assert viper.tobytes() == plain.tobytes() == cpython.tobytes() == want, data
    assert 20 < refusals < 200  # the accidents are real ones, and some do no harm


def test_prediction_allocates_nothing(tmp_path):
    files = []
    for i, end in enumerate((*ENDS, LINEAR)):
        widths = (9, 5, 1 if end == LOGISTIC else 3)
        files.append(tmp_path / f"{i}.bin")
        files[-1].write_bytes(random_network(i, widths, end, 8 + 8 * (i % 2), i % 2))
    printed = run_script("viper", "mlp_memory.py", module_dir(tmp_path, "viper"), *files)
    assert printed == "0 0 0 0\n"


def test_powers_of_two_and_tanh_are_within_their_bounds():
    x = np.arange(0, 20 << 15, 7, dtype=np.int64)
    want = 2.0 ** -(x / 2.0**15)
    error = np.abs(mlp_file.exp2(x, 15) / 2.0**19 - want)
    assert error.max() < 1.2e-4
    layer = mlp_file.Layer(SOFTMAX, 15, *[np.zeros(0, np.int64)] * 3)
    sums = np.column_stack([np.zeros(len(x), np.int64), x])
    shares = mlp_file.finish(layer, sums)[:, 1]
    assert np.abs(shares - 1 / (1 + want)).max() < 2e-4
    tanh = (mlp_file._tanh(np.concatenate([x, -x]), 15) - 32768) / 32767
    sums = np.concatenate([x, -x]) / 2.0**15
    assert np.abs(tanh - np.tanh(sums * np.log(2) / 2)).max() < 1.2e-4
