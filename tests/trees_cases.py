"""Random forests as rows of a model file, and what NumPy says about them."""

from __future__ import annotations

import functools
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from workshop_helpers import paths
from workshop_helpers.modules import arch_of, build

DEVICE = Path(__file__).parent / "device"
NAME = "emlearn_trees"
VARIANTS = ("viper", "plain", "cpython")
TIMEOUT_S = 60


@dataclass
class Forest:
    """A model in memory; `bits`, children and leaves as in the file."""

    n_features: int
    n_classes: int
    bits: int = 0
    scale: tuple[float, float] | None = None
    leaves: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    nodes: list[tuple[int, int, int, int]] = field(default_factory=list)

    def text(self) -> str:
        rows = [f"f,{self.n_features}", f"c,{self.n_classes}"]
        rows += [f"lb,{self.bits}"] if self.bits else []
        rows += [f"y,{self.scale[0]!r},{self.scale[1]!r}"] if self.scale else []
        rows += [f"l,{v}" for v in self.leaves]
        rows += [f"r,{v}" for v in self.roots]
        rows += ["n," + ",".join(map(str, node)) for node in self.nodes]
        return "\n".join(rows) + "\n"

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """float32 [n, n_classes] for int16 [n, n_features]: all rows walk a tree together."""
        feature, value, left, right = np.array(self.nodes or [(0, 0, -1, -1)], np.int64).T
        width = self.n_classes if self.bits else 1
        leaves = np.array(self.leaves, np.int64).reshape(-1, width)
        total = np.zeros((len(x), self.n_classes), np.int64)
        for root in self.roots:
            at = np.full(len(x), root)
            while (at >= 0).any():
                rows = np.flatnonzero(at >= 0)
                node = at[rows]
                goes_left = x[rows, feature[node]] < value[node]
                child = np.where(goes_left, left[node], right[node])
                at[rows] = np.where(child > 0, node + child, child)
            if self.bits:
                total += leaves[-at - 1]
            else:
                total[np.arange(len(x)), leaves[-at - 1, 0]] += 1
        if self.bits == 32:
            offset, step = self.scale or (0, 1)
            return (offset + step * total / len(self.roots)).astype(np.float32)
        return (total / (len(self.roots) * (255 if self.bits else 1))).astype(np.float32)


def random_forest(
    seed: int, n_features: int, n_classes: int, n_trees: int, depth: int, bits: int = 0
) -> Forest:
    """A valid forest; values cluster at the ends of int16, where signs go wrong."""
    rng = random.Random(seed)
    forest = Forest(n_features, 1 if bits == 32 else n_classes, bits)
    n_leaves = rng.choice((1, 2, 3 * n_classes))
    if bits == 32:
        ends = (-(2**23), 2**23, 0, -1)
        forest.leaves = [rng.choice((*ends, rng.randint(-(2**23), 2**23))) for _ in range(n_leaves)]
        forest.scale = rng.choice((None, (0.0, 1.0), (-1.25, 0.1), (1e-3, -2.5e-7)))
    elif bits == 8:
        forest.leaves = [
            rng.choice((0, 255, rng.randint(0, 255))) for _ in range(n_leaves * n_classes)
        ]
    else:
        forest.leaves = [rng.randrange(n_classes) for _ in range(n_leaves)]

    def grow(levels: int) -> int:
        """Adds a subtree; returns its root's index, or a leaf."""
        if levels == 0 or rng.random() < 0.1:
            return -rng.randint(1, n_leaves)
        me = len(forest.nodes)
        forest.nodes.append((0, 0, 0, 0))
        children = [grow(levels - 1) for _ in range(2)]
        left, right = (c - me if c >= 0 else c for c in children)
        forest.nodes[me] = (rng.randrange(n_features), edge_value(rng), left, right)
        return me

    forest.roots = [grow(depth) for _ in range(n_trees)]
    return forest


def edge_value(rng: random.Random) -> int:
    edge = rng.choice((-32768, -32767, -256, -1, 0, 1, 255, 32767, rng.randint(-32768, 32767)))
    return max(-32768, min(32767, edge + rng.randint(-1, 1)))


def random_rows(seed: int, n: int, n_features: int) -> np.ndarray:
    rng = random.Random(seed)
    rows = [[edge_value(rng) for _ in range(n_features)] for _ in range(n)]
    return np.array(rows, np.int16).reshape(n, n_features)


def interpreter() -> list[str]:
    """The command of a MicroPython on this machine; skips the test if there is none.

    TEST_MICROPYTHON names another one, say a build for ARM under qemu-arm.
    """
    if "TEST_MICROPYTHON" in os.environ:
        return shlex.split(os.environ["TEST_MICROPYTHON"])
    pytest.importorskip("micropython", reason="there is no MicroPython wheel for this system")
    return [sys.executable, "-m", "micropython"]


@functools.cache
def _arch() -> str | None:
    command = [*interpreter(), "-c", "import sys; print(sys.implementation._mpy)"]
    return arch_of(int(subprocess.check_output(command, timeout=TIMEOUT_S)))[0]


def native_arch() -> str:
    """What this machine's MicroPython loads; skips the test if it loads no native code."""
    return _arch() or pytest.skip("this system's MicroPython loads no native code")


@functools.cache
def _has_short_floats() -> bool:
    command = [*interpreter(), "-c", "print(1 + 2**-40 == 1)"]
    return b"True" in subprocess.check_output(command, timeout=TIMEOUT_S)


def agree(got: np.ndarray, want: np.ndarray) -> bool:
    """Bit by bit; but regression's last step is done in the board's floats, which may be short."""
    if got.tobytes() == want.tobytes():
        return True
    return want.shape[1] == 1 and _has_short_floats() and np.allclose(got, want, 1e-5, 1e-5)


def module_dir(folder: Path, variant: str) -> Path:
    """A folder with one way to run the module, and nothing else."""
    target = folder / variant
    target.mkdir(exist_ok=True)
    if variant == "viper":
        build(NAME, native_arch(), target)
    elif variant == "plain":
        build(NAME, None, target)
    else:
        shutil.copy(paths.NATIVE_MODULES / f"{NAME}_ref.py", target / f"{NAME}.py")
    return target


def run_script(variant: str, script: str, *arguments: object) -> str:
    """What a file of tests/device prints, with its errors in the assertion."""
    command = [sys.executable] if variant == "cpython" else interpreter()
    done = subprocess.run(
        [*command, str(DEVICE / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_cases(
    folder: Path, variant: str, cases: list[tuple[bytes, np.ndarray]]
) -> list[np.ndarray | str]:
    """Load and predict each (file, int16 rows): float32 [n, outputs], or the error's text."""
    files = folder / "cases"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    for i, (data, _) in enumerate(cases):
        (files / f"{i}.csv").write_bytes(data)
    listing = [{"file": f"{i}.csv", "x": x.tolist()} for i, (_, x) in enumerate(cases)]
    (files / "cases.json").write_text(json.dumps(listing))
    printed = run_script(variant, "trees_driver.py", module_dir(folder, variant), files)
    answers = [json.loads(line) for line in printed.splitlines()]
    assert len(answers) == len(cases)
    return [
        answer["error"]
        if "error" in answer
        else np.array([np.frombuffer(bytes.fromhex(row), "<f4") for row in answer["out"]])
        for answer in answers
    ]
