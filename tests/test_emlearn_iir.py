"""Viper's filters and their twin against SciPy; viper's bits are the same on 32-bit boards."""

from __future__ import annotations

import numpy as np
import pytest
from filter_cases import expected, filters, signals
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

NAME = "emlearn_iir"


def table(n: int, block: int) -> list[tuple[str, np.ndarray, np.ndarray, Case]]:
    made = []
    for filter_name, sos in filters().items():
        for name, x in signals(n).items():
            blocks = [block] * (n // block) + [n % block] * (n % block > 0)
            case = {"sos": to_hex(sos), "x": to_hex(x), "blocks": blocks}
            made.append((f"{filter_name}, {name}", sos, x, case))
    return made


@pytest.mark.parametrize("block", [1, 100, 1500])
@pytest.mark.parametrize("variant", VARIANTS)
def test_against_scipy(variant, block, tmp_path):
    cases = table(1500 if variant == "viper" else 600, block)
    answers = run(NAME, tmp_path, variant, [case for *_, case in cases])
    errors = {}
    for (name, sos, x, _), answer in zip(cases, answers, strict=True):
        want = expected(sos, x)
        largest = max(np.abs(want).max(), np.abs(x).max()) or 1
        errors[name] = np.abs(from_hex(answer) - want).max() / largest
    worst = max(errors, key=errors.get)
    bound = 3e-5
    if variant != "viper":  # the twin rounds its answers to float32, or all that it computes
        bound = 2e-2 if has_short_floats(variant) else 1e-6
    assert errors[worst] < bound, worst


def test_short_words(tmp_path):
    cases = [case for *_, case in table(12, 5)]
    assert run_short_words(NAME, cases) == run(NAME, tmp_path, "viper", cases)


@pytest.mark.parametrize("variant", VARIANTS)
def test_api(variant, tmp_path):
    folder = module_dir(NAME, tmp_path, variant)
    assert run_script(variant, "signals_api.py", folder, NAME).startswith("passed")
