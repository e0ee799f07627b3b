"""Random networks of integers as files, and every way to run them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
from trees_cases import edge_value, native_arch, run_script

from workshop_helpers import paths
from workshop_helpers.model.kinds import mlp_file
from workshop_helpers.model.kinds.mlp_file import CLIP, LINEAR, LOGISTIC, SOFTMAX, TANH
from workshop_helpers.modules import build

NAME = "emlearn_mlp"
ENDS = (SOFTMAX, LOGISTIC, LINEAR)


def random_layer(
    rng: random.Random, inputs: int, neurons: int, kind: int, weight_bits: int
) -> mlp_file.Layer:
    """A valid layer; sums and weights cluster at their limits."""
    top = 2 ** (weight_bits - 1) - 1
    room = (mlp_file.LIMIT - 1) // mlp_file.TOP
    weights, biases, shifts = [], [], []
    for _ in range(neurons):
        size = rng.choice((1, 7, top))
        row = [rng.choice((0, -size - 1, size, rng.randint(-size, size))) for _ in range(inputs)]
        while max(sum(w for w in row if w > 0), -sum(w for w in row if w < 0)) > room:
            row = [w // 2 for w in row] if max(row) > 0 else [-(-w // 2) for w in row]
        low = -mlp_file.LIMIT + 1 - mlp_file.TOP * sum(w for w in row if w < 0)
        high = mlp_file.LIMIT - 1 - mlp_file.TOP * sum(w for w in row if w > 0)
        middle = max(low, min(high, -mlp_file.TOP * sum(row) // 2))
        bias = rng.choice((low, high, middle, middle, rng.randint(low, high)))
        weights.append(row)
        biases.append(bias)
        shifts.append({LINEAR: 0}.get(kind, rng.choice((2, 9, 12, 15, 24))))
    lowest, highest = mlp_file.LINEAR_Q if kind == LINEAR else (0, mlp_file.MAX_Q)
    q = rng.choice((lowest, highest, 10, 0, 13))
    return mlp_file.Layer(kind, q, *(np.array(v, np.int64) for v in (biases, shifts, weights)))


def random_network(
    seed: int, widths: tuple[int, ...], end: int, weight_bits: int, hidden: int | None = None
) -> bytes:
    """A valid file; `widths`: features, then the neurons of each layer."""
    rng = random.Random(seed)
    n = widths[0]
    low = np.array([rng.choice((-32768, 0, 32767, edge_value(rng))) for _ in range(n)], np.int64)
    gain = np.array([rng.choice((0, 1, 300, 0x3FFF)) for _ in range(n)], np.int64)
    shift = np.array([rng.choice((0, 3, 13, 24)) for _ in range(n)], np.int64)
    layers = []
    for i, neurons in enumerate(widths[1:], 1):
        is_last = i == len(widths) - 1
        kind = end if is_last else rng.choice((CLIP, TANH)) if hidden is None else hidden
        layers.append(random_layer(rng, widths[i - 1], neurons, kind, weight_bits))
    return mlp_file.write(mlp_file.Network(low, gain, shift, weight_bits, tuple(layers)))


def module_dir(folder: Path, variant: str) -> Path:
    """A folder with one way to run the module, and nothing else."""
    target = folder / variant
    target.mkdir(exist_ok=True)
    if variant == "cpython":
        shutil.copy(paths.NATIVE_MODULES / f"{NAME}_ref.py", target / f"{NAME}.py")
    else:
        build(NAME, native_arch() if variant == "viper" else None, target)
    return target


def run_cases(
    folder: Path, variant: str, cases: list[tuple[bytes, np.ndarray]]
) -> list[np.ndarray | str]:
    """Load and predict each (file, int16 rows): float32 [n, outputs], or the error's text."""
    files = folder / "cases"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    for i, (data, _) in enumerate(cases):
        (files / f"{i}.bin").write_bytes(data)
    listing = [{"file": f"{i}.bin", "x": x.tolist()} for i, (_, x) in enumerate(cases)]
    (files / "cases.json").write_text(json.dumps(listing))
    printed = run_script(variant, "mlp_driver.py", module_dir(folder, variant), files)
    answers = [json.loads(line) for line in printed.splitlines()]
    assert len(answers) == len(cases)
    return [
        answer["error"]
        if "error" in answer
        else np.array([np.frombuffer(bytes.fromhex(row), "<f4") for row in answer["out"]])
        for answer in answers
    ]
