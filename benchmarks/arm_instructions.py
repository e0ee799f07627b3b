"""How many ARM instructions the native modules take, on an emulated Cortex-M0 and M4.

armv7emsp is the M4 with its float unit, for the modules that have a source for it.

    python benchmarks/arm_instructions.py [NAME ...] [--json]

The cases are those of `benchmarks/modules.py`, each in its second call. The numbers are the same on
any computer. What is counted is the machine code of the native functions; what they call of
MicroPython, and Python code around them, comes on top. "20 x something" counts one of the 20.

Needs the emulator: `pip install unicorn`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

try:
    import unicorn  # noqa: F401 -- what the next two need
except ImportError:
    raise SystemExit("There is no emulator of ARM chips. Run `pip install unicorn`.") from None

from arm_micropython import execute  # noqa: E402
from arm_module import ArmModule, arches_of  # noqa: E402
from modules import BENCH, write_data  # noqa: E402

Result = dict[str, dict[str, float]]  # case -> architecture -> instructions


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    known = sorted(path.stem for path in BENCH.glob("*.py"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="modules; all that have a bench")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"no bench for {', '.join(unknown)}; there are: {', '.join(known)}")
    results = {}
    for name in options.names or known:
        with tempfile.TemporaryDirectory() as folder:
            write_data(name, Path(folder))
            results[name] = count(name, folder)
        if not options.json:
            Console().print(table(name, results[name]))
    if options.json:
        print(json.dumps(results, indent=1))
    return 0


def count(name: str, folder: str) -> Result:
    result: Result = {}
    for arch in arches_of(name):
        arm = ArmModule(name, arch, counting=True)
        bench: dict[str, Any] = {"__name__": "bench"}
        execute((BENCH / f"{name}.py").read_text(encoding="utf-8"), bench, lambda _: None, id)
        for label, function, *arguments in bench["cases"](arm.module, folder):
            function(*arguments)
            arm.cpu.instructions.clear()
            function(*arguments)
            many = re.fullmatch(r"(\d+) x \(?(.*?)\)?", label)
            n, what = (int(many[1]), many[2]) if many else (1, label)
            result.setdefault(what, {})[arch] = round(arm.cpu.instructions.total() / n, 1)
    return result


def table(name: str, result: Result) -> Table:
    made = Table(title=f"{name}: instructions")
    made.add_column("case")
    for arch in arches_of(name):
        made.add_column(arch, justify="right")
    for case, counts in result.items():
        made.add_row(case, *(f"{n:,.0f}".replace(",", " ") for n in counts.values()))
    return made


if __name__ == "__main__":
    raise SystemExit(main())
