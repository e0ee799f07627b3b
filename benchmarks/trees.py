"""Viper tree ensembles against their plain twin, and against a given build of the C module.

    python benchmarks/trees.py [--official PATH_TO_x64_emlearn_trees.mpy]

All run in this process's children on the same MicroPython, in turns, on the same real rows (the
digits of scikit-learn); the best round counts. What it prints is a ratio of this run, on this
computer: compare nothing with another run's nanoseconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from workshop_helpers import paths
from workshop_helpers.model import convert
from workshop_helpers.modules import arch_of, build

NAME = "emlearn_trees"
FORESTS = {  # name: trees, leaves a tree
    "1 tree, 2 leaves": (1, 2),
    "10 trees, 16 leaves": (10, 16),
    "10 trees, 60 leaves": (10, 60),
    "50 trees, 100 leaves": (50, 100),
}
ROWS, TURNS, TIMEOUT_S = 40, 5, 120
MICROPYTHON = [sys.executable, "-m", "micropython"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--official", type=Path, help="a build of the C module for this MicroPython"
    )
    official = parser.parse_args().official
    if importlib.util.find_spec("micropython") is None:
        print("There is no MicroPython wheel for this system: nothing was measured.")
        return 1
    arch = native_arch()
    with tempfile.TemporaryDirectory() as folder:
        table = measure(Path(folder), arch, official)
    Console().print(table)
    return 0


def native_arch() -> str | None:
    command = [*MICROPYTHON, "-c", "import sys; print(sys.implementation._mpy)"]
    return arch_of(int(subprocess.check_output(command, timeout=TIMEOUT_S)))[0]


def measure(folder: Path, arch: str | None, official: Path | None) -> Table:
    sizes = {"plain": build(NAME, None, folder / "plain").size_bytes}
    if arch:
        sizes["viper"] = build(NAME, arch, folder / "viper").size_bytes
    if official:
        (folder / "official").mkdir()
        shutil.copy(official, folder / "official" / f"{NAME}.mpy")
        sizes["official"] = official.stat().st_size
    table = Table(
        title=f"{NAME} on {arch or 'any architecture'}: time of a prediction, hard voting"
    )
    for column in (
        "forest",
        *(f"{kind} ns" for kind in sizes),
        "plain / viper",
        "viper / official",
    ):
        table.add_column(column, justify="left" if column == "forest" else "right")
    for name, (trees, leaves) in FORESTS.items():
        ns = time_forest(folder, trees, leaves, list(sizes))
        table.add_row(
            name,
            *(str(ns[kind]) for kind in sizes),
            ratio(ns, "plain", "viper"),
            ratio(ns, "viper", "official"),
            end_section=name == list(FORESTS)[-1],
        )
    table.add_row(
        "bytes of the module",
        *(str(size) for size in sizes.values()),
        ratio(sizes, "plain", "viper"),
        ratio(sizes, "viper", "official"),
    )
    return table


def time_forest(folder: Path, trees: int, leaves: int, kinds: list[str]) -> dict[str, int]:
    """Nanoseconds a prediction for each kind of module."""
    x, y = load_digits(return_X_y=True)
    estimator = RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=1).fit(x, y)
    model = convert(estimator, x, voting="hard")
    (folder / "model.csv").write_bytes(model.files["model.csv"])
    (folder / "rows.json").write_text(json.dumps(model.quantise(x[:ROWS]).tolist()))
    best: dict[str, int] = {}
    for _ in range(TURNS):
        for kind in kinds:
            command = [
                *MICROPYTHON,
                str(paths.NATIVE_MODULES / "bench" / f"{NAME}.py"),
                str(folder / kind),
                str(folder / "model.csv"),
                str(folder / "rows.json"),
            ]
            said = subprocess.check_output(command, text=True, timeout=TIMEOUT_S).strip()
            if not said.isdigit():  # this interpreter exits with 0 after a traceback, too
                raise SystemExit(f"{kind} failed:\n{said}")
            ns = int(said)
            best[kind] = min(ns, best.get(kind, ns))
    return best


def ratio(values: dict[str, int], above: str, below: str) -> str:
    known = above in values and below in values
    return f"{values[above] / values[below]:.2f}" if known else "-"


if __name__ == "__main__":
    raise SystemExit(main())
