"""emlearn_arrayutils: viper and its twin agree bit by bit, and with NumPy within the bound."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
import viper_words
from array_modules import VARIANTS, module_dir, packed, run_cases
from trees_cases import run_script

from workshop_helpers import paths

NAME = "emlearn_arrayutils"
DTYPES = {"h": "<i2", "f": "<f4"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    said = run_script(variant, "arrayutils_api.py", module_dir(tmp_path, NAME, variant))
    assert said.startswith("passed"), said


def values(typecode, limits, seed):
    """Some of everything: random ones in the range and out of it, the limits, and the extremes."""
    rng = np.random.default_rng(seed)
    low, high = sorted(limits[:2])
    around = rng.uniform(low - 0.1 * (high - low), high + 0.1 * (high - low), 60)
    near = [v for limit in (low, high) for v in (limit, np.nextafter(np.float32(limit), 0), -limit)]
    if typecode == "h":
        found = np.concatenate([np.round([*around, *near]), [-32768, -1, 0, 1, 32767]])
        return found.clip(-32768, 32767).astype("<i2")
    tiny = [0.0, -0.0, 1e-45, -1e-38, 1e-30, 3e38, -3e38]
    return np.concatenate([around, near, tiny]).clip(-3e38, 3e38).astype("<f4")


# These are the same numbers on boards with 32-bit floats.
LIMITS = [
    (-32768, 32768, -1.0, 1.0),
    (-1.0, 1.0, -32768, 32767),
    (0, 4095, 0, 3.3125),
    (0.109375, 0.703125, -0.3125, 12345.5),
    (1000, 1001, 5, -5),
    (30000.5, 30010.25, -1, 1),
    (-7, 300, 9000, 9001),
    (1, -1, 2**-10, 2**-9),
    (-1e6, 1e6, -20000, 20000),
    (2**-20, 2**-19, 0, 1000),
    (-0.5, 0.5, 0, 255),
    (0, 1, 0, 2**-40),
]
WIDE = [
    (-(2.0**100), 2.0**100, -(2.0**-100), 2.0**100),
    (0, 2.0**127, 0, 2.0**127),
    (2.0**-123, 3 * 2.0**-123, 2.0**-123, 3 * 2.0**-123),
]
CASES = [
    (x, out, limits)
    for x in "hf"
    for out in "hf"
    for limits in (LIMITS if out == "h" else LIMITS + WIDE)
    if not (x == "h" and limits in WIDE)
]


def expected(x, limits):
    """float64 [n], and how far from it an answer may be, before its own rounding."""
    low, high, first, last = limits
    if low > high:
        low, high, first, last = high, low, last, first
    x = x.astype(np.float64)
    want = np.interp(x, [low, high], [first, last])
    slope = abs(last - first) / (high - low)
    bound = 2**-26 * max(abs(first), abs(last)) + 2**-28 * max(abs(low), abs(high), 1) * slope
    return want, bound


@pytest.mark.parametrize("variant", VARIANTS)
def test_vectors(variant, tmp_path):
    data = [values(x, limits, i) for i, (x, _, limits) in enumerate(CASES)]
    cases = [
        [packed(x, given), out, packed("d", np.array(limits, "<f8"))]
        for given, (x, out, limits) in zip(data, CASES, strict=True)
    ]
    answers = run_cases(tmp_path, NAME, variant, cases)
    twins = run_cases(tmp_path, NAME, "cpython", cases)
    for given, (x, out, limits), answer, twin in zip(data, CASES, answers, twins, strict=True):
        assert isinstance(answer, str), (limits, answer)
        assert answer == twin, (x, out, limits)
        got = np.frombuffer(bytes.fromhex(answer), DTYPES[out]).astype(np.float64)
        want, bound = expected(given, limits)
        if out == "h":
            want = want.clip(-32768, 32767)
            bound += 0.5
        else:
            bound = bound + 2**-24 * np.abs(want) + 1.2e-38
        assert (np.abs(got - want) <= bound).all(), (x, out, limits)


def test_every_int16_survives_the_way_to_float_and_back(tmp_path):
    every = np.arange(-32768, 32768, dtype="<i2")
    limits = packed("d", np.array(LIMITS[0], "<f8"))
    there = [[packed("h", every[i::8]), "f", limits] for i in range(8)]
    floats = [bytes.fromhex(text) for text in run_cases(tmp_path, NAME, "viper", there)]
    for i, data in enumerate(floats):
        assert (np.frombuffer(data, "<f4") == every[i::8] / np.float32(32768)).all()
    limits = packed("d", np.array((-1, 1, -32768, 32768), "<f8"))
    back = run_cases(tmp_path, NAME, "viper", [[packed("f", d), "h", limits] for d in floats])
    assert [bytes.fromhex(text) for text in back] == [bytes(every[i::8]) for i in range(8)]


@pytest.mark.parametrize("bits", [32, 64])
def test_vectors_in_words_of(bits, tmp_path):
    """The viper source, with the arithmetic of the boards that are not here."""
    cases, found = [], []
    for i, (x, out, limits) in enumerate(CASES):
        module = viper_words.load(paths.NATIVE_MODULES / f"{NAME}.py", bits)
        module._kind = lambda data: int(data.typecode == "h")  # told another way here
        given = array(x, values(x, limits, i)[::3].tobytes())
        got = array(out, [0] * len(given))
        module._map(0, 0, given, got, len(given), module._prepare(given, got, *limits))
        cases.append([packed(x, given.tobytes()), out, packed("d", np.array(limits, "<f8"))])
        found.append(got.tobytes().hex())
    assert found == run_cases(tmp_path, NAME, "cpython", cases)
