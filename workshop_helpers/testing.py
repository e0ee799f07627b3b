"""`workshop test`: lint, types and tests, the same for everybody and for CI."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time

from .errors import SetupError
from .paths import ROOT

NEWEST = "3.14"  # of the Pythons that are promised
NEEDED = ("pytest", "mypy", "ruff")
LINT = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy", ["mypy"]),
    # With the eyes of the newest Python, which may not be there to run the tests: what its library
    # no longer has, or is about to lose.
    (f"mypy for {NEWEST}", ["mypy", "--python-version", NEWEST, "--enable-error-code=deprecated"]),
)
NOTHING_COLLECTED = 5  # pytest's exit code


def run_tests(args: list[str]) -> int:
    """Run lint, types and all tests, notebooks included; with `args` only pytest, with those.

    Returns 0 if all passed, else 1 (with `args`: pytest's own code). Finding no test is a failure.

    Raises:
        SetupError: the tools are not installed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise SetupError(
            f"Not installed: {', '.join(missing)}.",
            "Run `python3 workshop.py test`, or `pip install -e .[test]` in your own environment.",
        )
    if args:
        return _run(["pytest", *args])
    from .course.times import read_times, table_of

    times = ROOT / "out" / "notebooks"
    (times / "times.json").unlink(missing_ok=True)
    results = {name: _timed(name, command) for name, command in (*LINT, ("pytest", ["pytest"]))}
    print("\n--- workshop test ---")
    for name, (code, seconds) in results.items():
        why = " (it found no test)" if name == "pytest" and code == NOTHING_COLLECTED else ""
        print(f"{'✔' if code == 0 else '✘'} {name}: {seconds:.0f} s{why}")
    if notebooks := table_of(read_times(times)):
        print(notebooks)
    failed = [name for name, (code, _) in results.items() if code]
    print(f"failed: {', '.join(failed)}" if failed else "all passed", flush=True)
    return 1 if failed else 0


def run_benchmark(name: str, args: list[str]) -> int:
    """Run benchmarks/<name>.py with `args`; its exit code. SetupError if there is none."""
    folder = ROOT / "benchmarks"
    known = sorted(path.stem for path in folder.glob("*.py"))
    if name not in known:
        raise SetupError(f"There is no benchmark {name!r}.", f"There are: {', '.join(known)}.")
    return subprocess.run([sys.executable, str(folder / f"{name}.py"), *args], cwd=ROOT).returncode


def _timed(name: str, command: list[str]) -> tuple[int, float]:
    print(f"\n--- {name} ---", flush=True)
    began = time.monotonic()
    code = _run(command)
    return code, time.monotonic() - began


def _run(command: list[str]) -> int:
    return subprocess.call([sys.executable, "-m", *command], cwd=ROOT)
