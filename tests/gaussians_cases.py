"""Random files of emlearn_gmm and emlearn_bayes, and how each Python runs them."""

from __future__ import annotations

import io
import json
import random
import shutil
import zlib
from array import array
from pathlib import Path

import numpy as np
import viper_words
from trees_cases import edge_value, native_arch, run_script

from workshop_helpers import paths
from workshop_helpers.modules import build

VARIANTS = ("viper", "plain", "cpython")
Answer = dict[str, np.ndarray] | str  # outputs float32 [rows, n] of each method, or the refusal


def module_dir(folder: Path, name: str, variant: str) -> Path:
    """A folder with one way to run the module, and nothing else."""
    target = folder / f"{name}_{variant}"
    target.mkdir(exist_ok=True)
    if variant == "cpython":
        shutil.copy(paths.NATIVE_MODULES / f"{name}_ref.py", target / f"{name}.py")
    else:
        build(name, native_arch() if variant == "viper" else None, target)
    return target


def run_cases(
    folder: Path, name: str, variant: str, cases: list[tuple[bytes, np.ndarray]]
) -> list[Answer]:
    """Load and run each (file, int16 rows)."""
    files = folder / "cases"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    for i, (data, _) in enumerate(cases):
        (files / f"{i}.bin").write_bytes(data)
    listing = [{"file": f"{i}.bin", "x": x.tolist()} for i, (_, x) in enumerate(cases)]
    (files / "cases.json").write_text(json.dumps(listing))
    module = module_dir(folder, name, variant)
    printed = run_script(variant, "gaussians_driver.py", name, module, files)
    found: list[Answer] = []
    for line in printed.splitlines():
        answer = json.loads(line)
        if "error" in answer:
            found.append(answer["error"])
            continue
        rows = {
            method: np.array([np.frombuffer(bytes.fromhex(row), "<f4") for row in rows])
            for method, rows in answer.items()
        }
        found.append(rows)
    assert len(found) == len(cases), printed[-2000:]
    return found


def run_words(
    name: str, bits: int, data: bytes, x: np.ndarray, widths: dict[str, int]
) -> dict[str, np.ndarray]:
    """The viper source with the arithmetic of machines of 32 or 64 bits, which need not be here.

    widths: the methods to call, each with its number of outputs.
    """
    module = viper_words.load(paths.NATIVE_MODULES / f"{name}.py", bits)
    module._check = lambda *_: None  # type: ignore[attr-defined]  # arrays differ on CPython
    model = module.load(io.BytesIO(data))
    found = {method: np.zeros((len(x), width), np.float32) for method, width in widths.items()}
    features = array("h", bytes(2 * x.shape[1]))
    for method, width in widths.items():
        out = array("f", bytes(4 * width))
        for row, values in enumerate(x.tolist()):
            features[:] = array("h", values)
            getattr(model, method)(features, out)
            found[method][row] = np.frombuffer(bytes(out), np.float32)
    return found


def random_file(
    seed: int, magic: bytes, n: int, k: int, layout: int = 0, each: int = 0, unit: int = 13
) -> bytes:
    """A valid file whose numbers cluster at the ends of their ranges, where signs go wrong."""
    rng = random.Random(seed)
    mild = rng.random() < 0.5  # a file like a converted one, of distances that are not all huge

    def pick(low: int, high: int, usual: tuple[int, int]) -> int:
        if mild or rng.random() < 0.5:
            return rng.randint(*usual)
        return rng.choice((low, low + 1, high, high - 1, rng.randint(low, high)))

    shifts = n if layout == 2 else n * k
    triangle = n * (n + 1) // 2
    factors = (n * k, k * triangle, triangle)[layout]
    half = 1 << 29
    number = [pick(0, 2 * half - 1, (half, half + 100000)) for _ in range(k)]
    number += [pick(0, 2 * half - 1, (half - 5000, half + 5000)) for _ in range(n * k)]
    words = [edge_value(rng) + 32768 for _ in range(n * k)]
    words += [
        rng.choice((0, 1, 30, 32, 33, 44, 56, rng.randint(0, 30))) if not mild else 15
        for _ in range(shifts)
    ]
    words += [pick(0, 65535, (32768, 65535)) for _ in range(factors)]
    body = np.array(number, "<i4").tobytes() + np.array(words, "<u2").tobytes()
    h = 1 if layout == 0 else 1 + (n - 1).bit_length()
    head = magic + np.array([n, k], "<u2").tobytes() + bytes([layout, each, unit, h])
    return seal(head + bytes(4) + body)


def seal(data: bytes) -> bytes:
    """The file with the checksum that it should have."""
    return data[:12] + zlib.crc32(data[16:]).to_bytes(4, "little") + data[16:]


def borderline(estimator, X: np.ndarray, rows: int) -> np.ndarray:
    """[rows, n_features] where the estimator is about to change its mind, found by halving."""
    rng = np.random.default_rng(0)
    said = estimator.predict(X)
    a, b = (X[rng.permutation(np.resize(np.arange(len(X)), 20 * rows))] for _ in range(2))
    labels = estimator.predict(a)
    apart = labels != estimator.predict(b)
    assert len(set(said.tolist())) > 1
    a, b, labels = a[apart][:rows], b[apart][:rows], labels[apart][:rows]
    for _ in range(60):
        middle = (a + b) / 2
        same = (estimator.predict(middle) == labels)[:, None]
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return a


def damaged(rng: random.Random, data: bytes) -> bytes:
    """The file after one to three accidents; half of them with a checksum that fits."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at:]
        elif kind == 2:
            i = rng.randrange(16)
            data = data[:i] + bytes([rng.choice((0, 1, 2, 3, 12, 13, 255))]) + data[i + 1 :]
        else:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        data = data or b"E"
    return seal(data) if rng.random() < 0.5 and len(data) >= 16 else data
