"""The viper module, its plain twin on MicroPython and on CPython, and NumPy agree bit by bit."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees_cases import (
    NAME,
    VARIANTS,
    Forest,
    agree,
    module_dir,
    random_forest,
    random_rows,
    run_cases,
    run_script,
)

from workshop_helpers import paths

_QUIET = settings(
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    assert run_script(variant, "trees_api.py", module_dir(tmp_path, variant)).startswith("passed")


def test_the_twins_share_their_loader():
    texts = [(paths.NATIVE_MODULES / f"{NAME}{end}.py").read_text() for end in ("", "_ref")]
    loaders = [text[text.index("new = Trees") :] for text in texts]
    assert loaders[0] == loaders[1]


def _stump(n_features: int, n_classes: int, feature: int, value: int) -> Forest:
    leaves = [0, n_classes - 1]
    return Forest(n_features, n_classes, leaves=leaves, roots=[0], nodes=[(feature, value, -1, -2)])


LAST = (0, 0, -1, -2)
EXTREMES = {
    "one tree, one leaf, no nodes": Forest(1, 1, leaves=[0], roots=[-1]),
    "leaves only": Forest(3, 4, leaves=[3, 1], roots=[-1, -2, -2]),
    "nothing is below -32768": _stump(2, 2, 1, -32768),
    "only 32767 is not below 32767": _stump(2, 2, 1, 32767),
    "many features": _stump(300, 2, 299, 0),
    "many classes": _stump(2, 255, 0, 0),
    "most classes": _stump(2, 256, 0, 0),
    "many trees": random_forest(1, 8, 5, 127, 3),
    "more trees": random_forest(2, 8, 5, 300, 2),
    "a long chain": Forest(
        1,
        2,
        leaves=[0, 1],
        roots=[0],
        nodes=[*[(0, -i, -1, 1) for i in range(999)], LAST],
    ),
    "a far child": Forest(1, 2, leaves=[0, 1], roots=[0], nodes=[(0, 0, 3000, -1)] + [LAST] * 3000),
    "many leaves": Forest(
        1, 2, leaves=[0] * 32767 + [1], roots=[-32768, 0], nodes=[(0, 0, -1, -32768)]
    ),
    "soft": random_forest(3, 8, 5, 127, 3, 8),
    "soft, many trees": random_forest(4, 8, 3, 400, 2, 8),
    "soft, one class": random_forest(5, 2, 1, 3, 2, 8),
    "regression": random_forest(6, 8, 1, 127, 3, 32),
    "regression, sums at the limit": Forest(
        1, 1, 32, None, leaves=[2**23, -(2**23)], roots=[0] * 127, nodes=[LAST]
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_extremes(variant, tmp_path):
    cases = [(f.text().encode(), random_rows(1, 20, f.n_features)) for f in EXTREMES.values()]
    answers = run_cases(tmp_path, variant, cases)
    for (name, forest), (_, x), got in zip(EXTREMES.items(), cases, answers, strict=True):
        assert not isinstance(got, str), (name, got)
        assert agree(got, forest.outputs(x)), name


@_QUIET
@given(
    seed=st.integers(0, 2**32 - 1),
    shapes=st.lists(
        st.tuples(
            st.integers(1, 40),  # features
            st.integers(1, 20),  # classes
            st.integers(1, 127),  # trees
            st.integers(0, 5),  # depth
            st.sampled_from([0, 0, 8, 32]),
        ),
        min_size=1,
        max_size=12,
    ),
)
def test_random_forests(seed, shapes, tmp_path):
    forests = [random_forest(seed + i, *shape) for i, shape in enumerate(shapes)]
    cases = [(f.text().encode(), random_rows(seed, 8, f.n_features)) for f in forests]
    for variant in VARIANTS:
        answers = run_cases(tmp_path, variant, cases)
        for forest, (_, x), got in zip(forests, cases, answers, strict=True):
            assert not isinstance(got, str), (variant, got)
            assert agree(got, forest.outputs(x)), variant


NUMBERS = (
    "0", "-0", "-1", "1", "127", "255", "256", "-32768", "32767", "32768", "65535", "-32769",
    "2147483647", "-2147483648", "4294967296", "1e400", "nan", "-inf", "1.5", "0x10", "", " ", "x",
    "9" * 200, "-8388609", "8388608",
)  # fmt: skip


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """The file after one to four accidents."""
    for _ in range(rng.randint(1, 4)):
        lines = data.split(b"\n")
        at = rng.randrange(len(lines))
        kind = rng.randrange(7)
        if kind == 0 and data:
            i = rng.randrange(len(data))
            data = data[:i] + bytes([data[i] ^ 1 << rng.randrange(8)]) + data[i + 1 :]
            continue
        if kind == 1:
            data = data[: rng.randrange(len(data) + 1)]
            continue
        if kind == 2:
            del lines[at]
        elif kind == 3:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif kind == 4:
            j = rng.randrange(len(lines))
            lines[at], lines[j] = lines[j], lines[at]
        elif kind == 5:
            words = lines[at].split(b",")
            words[rng.randrange(len(words))] = rng.choice(NUMBERS).encode()
            lines[at] = b",".join(words)
        else:
            words = lines[at].split(b",")
            i = rng.randrange(len(words))
            words[i] = str(rng.randint(-5, 5)).encode()
            lines[at] = b",".join(words)
        data = b"\n".join(lines)
    return data


@_QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_are_refused_or_walked(seed, tmp_path):
    rng = random.Random(seed)
    cases = []
    for i in range(150):
        bits = rng.choice((0, 8, 32))
        forest = random_forest(
            seed + i, rng.randint(1, 6), rng.randint(1, 5), rng.randint(1, 4), 3, bits
        )
        x = random_rows(seed + i, 4, forest.n_features)
        cases.append((_damaged(rng, forest.text().encode()), x))
    answers = {variant: run_cases(tmp_path, variant, cases) for variant in VARIANTS}
    refusals = 0
    for viper, plain, cpython, (data, _) in zip(*answers.values(), cases, strict=True):
        # MicroPython reads a few more spellings of a number than CPython; the two on MicroPython
        # must agree in full.
        if isinstance(viper, str):
            assert viper == plain, data
            refusals += 1
        else:
            assert viper.tobytes() == plain.tobytes(), data
        if not isinstance(viper, str) and not isinstance(cpython, str):
            assert agree(viper, cpython), data
    assert refusals > 20  # the accidents are real ones


def test_prediction_allocates_nothing(tmp_path):
    folder = module_dir(tmp_path, "viper")
    assert run_script("viper", "trees_memory.py", folder) == "0 0\n"
