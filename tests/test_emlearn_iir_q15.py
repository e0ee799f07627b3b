"""Filters on int16: viper, its plain twin and NumPy agree bit by bit, and SciPy nearly."""

from __future__ import annotations

import numpy as np
import pytest
from filter_cases import expected, filters
from signal_cases import VARIANTS, Case, from_hex, module_dir, run, run_short_words, to_hex
from trees_cases import run_script

NAME = "emlearn_iir_q15"
# Filters that 13 fractional bits can express.
FIT = ("one section", "band-stop", "high-pass", "notch", "nothing")


def signals(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    t = np.arange(n)
    return {
        "zeros": 0 * t,
        "noise": rng.normal(size=n) * 3000,
        "sine": 10000 * np.sin(0.05 * t),
        "edges": rng.choice([-32768, 32767], n),
        "most negative": 0 * t - 32768,
        "one": 0 * t + 1,
    }


def table(n: int, block: int) -> list[tuple[str, np.ndarray, np.ndarray, Case]]:
    made = []
    for filter_name, sos in filters().items():
        if np.abs(sos).max() < 4:
            for name, x in signals(n).items():
                x = x.astype(np.int16)
                blocks = [block] * (n // block) + [n % block] * (n % block > 0)
                case = {"sos": to_hex(sos), "x": to_hex(x, "<i2"), "blocks": blocks}
                made.append((f"{filter_name}, {name}", sos, x, case))
    return made


def filtered(c: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Direct form I with 13 fractional bits, which are kept for the next sum."""
    out = x.astype(np.int64)
    for b0, _, b1, b2, a1, a2 in c.reshape(-1, 6).astype(np.int64):
        inputs = b0 * out
        inputs[1:] += b1 * out[:-1]
        inputs[2:] += b2 * out[:-2]
        y1 = y2 = rest = 0
        for i, v in enumerate(inputs.tolist()):
            total = v + int(a1) * y1 + int(a2) * y2 + rest
            rest = total & 8191
            y1, y2 = min(32767, max(-32768, total >> 13)), y1
            out[i] = y1
    return out


@pytest.mark.parametrize("variant", VARIANTS)
def test_against_numpy(variant, tmp_path):
    cases = table(500, 37)
    answers = run(NAME, tmp_path, variant, [case for *_, case in cases])
    for (name, sos, x, _), (c, y) in zip(cases, answers, strict=True):
        found = from_hex(c, "<i2")
        nearest = np.column_stack([sos[:, 0], 0 * sos[:, 0], sos[:, 1:3], -sos[:, 4:]]) * 8192
        # A unit more than rounding, where rounding would make the section unstable.
        assert (np.abs(found - np.clip(nearest, -32768, 32767).ravel()) <= 2.5).all(), name
        assert (from_hex(y, "<i2") == filtered(found, x)).all(), name


def test_against_scipy(tmp_path):
    """What 13 fractional bits cost, with filters that they can express."""
    sets = filters()
    x = signals(2000)
    cases, want = [], []
    for name in FIT:
        for kind in ("noise", "sine"):
            samples = x[kind].astype(np.int16)
            cases.append({"sos": to_hex(sets[name]), "x": to_hex(samples, "<i2"), "blocks": [2000]})
            want.append((name, expected(sets[name], samples)))
    errors: dict[str, float] = {}
    for (name, y), (_, got) in zip(want, run(NAME, tmp_path, "viper", cases), strict=True):
        error = float(np.abs(from_hex(got, "<i2") - y).max() / 10000)
        errors[name] = max(error, errors.get(name, 0))
    assert all(error < 0.05 for error in errors.values()), errors


def test_short_words(tmp_path):
    cases = [case for *_, case in table(60, 60)]
    assert run_short_words(NAME, cases) == run(NAME, tmp_path, "viper", cases)


def test_the_twins_share_their_converter():
    from workshop_helpers import paths

    texts = [(paths.NATIVE_MODULES / f"{NAME}{end}.py").read_text() for end in ("", "_ref")]
    shared = [text[text.index("new = IIR") :] for text in texts]
    assert shared[0] == shared[1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    folder = module_dir(NAME, tmp_path, variant)
    assert run_script(variant, "signals_api.py", folder, NAME).startswith("passed")
