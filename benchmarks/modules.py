"""Every native module against its plain twin, and against given builds of the C modules.

    python benchmarks/modules.py [NAME ...] [--official FOLDER] [--port PORT] [--json]

FOLDER holds `<name>.mpy` of the C modules, built for the architecture of what they run on.

All run in this process's children on the same MicroPython, in turns, on the same data; the best
round counts. What it prints is a ratio of this run, on this computer: compare nothing with another
run's nanoseconds. With --port they run on that board, once and without the plain twin, which would
take minutes; cases that its memory has no room for are left out.

What is timed stands in `native_modules/bench/<name>.py`, which runs on MicroPython and has

    def cases(module, folder):
        yield "label", function, argument, ...

`function(argument, ...)` is timed, for ours, the twin and the C module alike. A case that a module
can't do is left out by looking at the module (`if hasattr(module, "load")`). Data that only a
laptop can make (a fitted model, say) is written to `folder` beforehand by `write(folder: Path)` in
`benchmarks/data/<name>.py`, if there is such a file; else `folder` is empty.
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

from workshop_helpers import Board, connect, paths
from workshop_helpers.errors import WorkshopError
from workshop_helpers.modules import arch_of, build
from workshop_helpers.modules.build import module_names

HERE = Path(__file__).parent
BENCH = paths.NATIVE_MODULES / "bench"
MICROPYTHON = [sys.executable, "-m", "micropython"]
TURNS, TIMEOUT_S, BOARD_TIMEOUT_S = 8, 120, 600
Result = dict[str, dict[str, int]]  # case -> kind of module -> nanoseconds or bytes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="modules; all that have a bench")
    parser.add_argument("--official", type=Path, help="folder with builds of the C modules")
    parser.add_argument("--port", help="of a board to run on")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    known = [name for name in module_names() if (BENCH / f"{name}.py").is_file()]
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"no bench for {', '.join(unknown)}; there are: {', '.join(known)}")
    board = None
    if options.port:
        try:
            board = connect(options.port)
        except WorkshopError as error:
            print(error, file=sys.stderr)
            return 1
    elif importlib.util.find_spec("micropython") is None:
        print("There is no MicroPython wheel for this system: nothing was measured.")
        return 1
    arch = board.info.arch if board else native_arch()
    results = {}
    for name in options.names or known:
        with tempfile.TemporaryDirectory() as folder:
            results[name] = measure(name, Path(folder), arch, options.official, board)
        if not options.json:
            Console().print(table(name, arch, results[name]))
    if options.json:
        print(json.dumps({"arch": arch, "modules": results}, indent=1))
    return 0


def native_arch() -> str | None:
    command = [*MICROPYTHON, "-c", "import sys; print(sys.implementation._mpy)"]
    return arch_of(int(subprocess.check_output(command, timeout=TIMEOUT_S)))[0]


def measure(
    name: str, folder: Path, arch: str | None, official: Path | None, board: Board | None = None
) -> Result:
    """Nanoseconds a call of each case, and, as the last one, the bytes of the module."""
    sizes = {"plain": build(name, None, folder / "plain").size_bytes}
    if arch:
        sizes["ours"] = build(name, arch, folder / "ours").size_bytes
    if official and (official / f"{name}.mpy").is_file():
        (folder / "official").mkdir()
        shutil.copy(official / f"{name}.mpy", folder / "official")
        sizes["official"] = (official / f"{name}.mpy").stat().st_size
    data = folder / "data"
    data.mkdir()
    write_data(name, data)
    best: Result = {}
    for _ in range(1 if board else TURNS):
        for kind in sizes:
            if board and kind == "plain":
                continue
            cases = (
                time_on_board(board, name, folder / kind, data)
                if board
                else time_cases(name, folder / kind, data)
            )
            for case, ns in cases.items():
                times = best.setdefault(case, {})
                times[kind] = min(ns, times.get(kind, ns))
    return {**best, "bytes of the module": sizes}


def write_data(name: str, folder: Path) -> None:
    path = HERE / "data" / f"{name}.py"
    if path.is_file():
        spec = importlib.util.spec_from_file_location(f"bench_data_{name}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.write(folder)


def time_cases(name: str, module: Path, data: Path) -> dict[str, int]:
    command = [*MICROPYTHON, "-X", "heapsize=8m", str(HERE / "device" / "timer.py")]
    command += [str(module), str(BENCH / f"{name}.py"), str(data)]
    said = subprocess.check_output(command, text=True, timeout=TIMEOUT_S).strip()
    if not said.startswith("[["):  # this interpreter exits with 0 after a traceback, too
        raise SystemExit(f"{name} in {module.name} failed:\n{said}")
    return dict(json.loads(said))


def time_on_board(board: Board, name: str, module: Path, data: Path) -> dict[str, int]:
    board.put(BENCH / f"{name}.py", f"/bench/cases/{name}.py")
    board.put(module / f"{name}.mpy", f"/bench/module/{name}.mpy")
    for file in data.iterdir():
        board.put(file, f"/bench/data/{file.name}")
    board.soft_reset()
    folders = "/bench/module", f"/bench/cases/{name}.py", "/bench/data"
    try:
        timer = HERE / "device" / "timer.py"
        return dict(board.call_file(timer, "measured", *folders, timeout_s=BOARD_TIMEOUT_S))
    finally:
        board.soft_reset()
        board.rm("/bench", recursive=True)


def table(name: str, arch: str | None, results: Result) -> Table:
    *cases, size = results
    kinds = list(results[size])
    made = Table(title=f"{name} on {arch or 'any architecture'}: nanoseconds a call")
    ratios = (("plain", "ours"), ("ours", "official"))
    made.add_column("case")
    for column in (*kinds, *(f"{above} / {below}" for above, below in ratios)):
        made.add_column(column, justify="right")
    for case, values in results.items():
        row = [str(values.get(kind, "-")) for kind in kinds]
        row += [ratio(values, *pair) for pair in ratios]
        made.add_row(case, *row, end_section=bool(cases) and case == cases[-1])
    return made


def ratio(values: dict[str, int], above: str, below: str) -> str:
    known = above in values and below in values
    return f"{values[above] / values[below]:.2f}" if known else "-"


if __name__ == "__main__":
    raise SystemExit(main())
