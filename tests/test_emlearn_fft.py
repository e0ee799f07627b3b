"""Viper's Fourier transform and its twin against NumPy; viper's bits are the same anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from signal_cases import VARIANTS, from_hex, module_dir, run, run_short_words, to_hex
from trees_cases import run_script

NAME = "emlearn_fft"


def signals(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    t = np.arange(n)
    noise = rng.normal(size=n)
    return {
        "zeros": np.zeros(n),
        "noise": noise,
        "impulse": (t == n // 3) * 1.0,
        "first": (t == 0) * -5.0,
        "sine": np.sin(2 * np.pi * t * (n // 5) / n + 0.3),
        "offset": 9.81 + 0.001 * noise,
        "alternating": (-1.0) ** t,
        "full scale": np.sign(noise) * 32768,
        "largest": np.sign(noise) * 3e38 / n,
        "smallest": noise * 1e-25,
        "largest mantissa": 0 * t - (2 - 2.0**-23),
        "click above faint noise": 1e4 * (t == 1) + np.sign(noise),
        "one large": 1e6 * (t == 1) + noise,
    }


def table(lengths: tuple[int, ...]) -> list[tuple[str, np.ndarray]]:
    """(name, complex64 signal) of real and complex signals."""
    made = []
    for n in lengths:
        for name, x in signals(n).items():
            x = x.astype(np.float32)
            made.append((f"{n} {name}", x + 0j))
            made.append((f"{n} {name}, complex", x * 0.7 + 1j * np.roll(x, n // 2)))
        noise = signals(n)["noise"]
        made.append((f"{n} imaginary", 1j * noise))
        made.append((f"{n} small imaginary", noise - 1e-6j * noise))
        made.append((f"{n} small real", 1e-12 * noise + 1j * noise))
    return [(name, z.astype(np.complex64)) for name, z in made]


def as_case(z: np.ndarray) -> dict[str, str]:
    return {"real": to_hex(z.real), "imag": to_hex(z.imag)}


def largest_error(z: np.ndarray, answer: list[str]) -> float:
    """Of any bin, over the largest."""
    want = np.fft.fft(z.astype(np.complex128))
    got = from_hex(answer[0]) + 1j * from_hex(answer[1])
    assert np.isfinite(got).all()
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1))


def stated_error(length: int) -> float:
    return 3e-5 + length**1.5 * 2.0**-27


@pytest.mark.parametrize("variant", VARIANTS)
def test_against_numpy(variant, tmp_path):
    cases = table((4, 8, 16, 64, 256, 1024, *((4096,) if variant == "viper" else ())))
    answers = run(NAME, tmp_path, variant, [as_case(z) for _, z in cases])
    for (name, z), answer in zip(cases, answers, strict=True):
        bound = stated_error(len(z)) if variant == "viper" else 1e-6
        assert largest_error(z, answer) < bound, name


def test_typical_error(tmp_path):
    """The noise that fixed point adds is 90 dB below the signal."""
    z = np.random.default_rng(1).normal(size=1024).astype(np.complex64)
    (answer,) = run(NAME, tmp_path, "viper", [as_case(z)])
    want = np.fft.fft(z.astype(np.complex128))
    noise = from_hex(answer[0]) + 1j * from_hex(answer[1]) - want
    assert 10 * np.log10((np.abs(noise) ** 2).mean() / (np.abs(want) ** 2).mean()) < -90


def test_long(tmp_path):
    cases = [(name, z) for name, z in table((8192,)) if "noise" in name]
    answers = run(NAME, tmp_path, "viper", [as_case(z) for _, z in cases])
    for (name, z), answer in zip(cases, answers, strict=True):
        assert largest_error(z, answer) < stated_error(len(z)), name


def test_short_words(tmp_path):
    cases = [as_case(z) for _, z in table((4, 16, 64))]
    assert run_short_words(NAME, cases) == run(NAME, tmp_path, "viper", cases)


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    folder = module_dir(NAME, tmp_path, variant)
    assert run_script(variant, "signals_api.py", folder, NAME).startswith("passed")
