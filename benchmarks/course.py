"""How long the notebooks take to run, against the time that is promised for them.

    python benchmarks/course.py [--to 06] [--json]

Each runs from top to bottom on a virtual board of its own, exercises solved, one after the other.
The limit of a notebook is what its first cell gives it, reading and thinking included; of 00 to 06
together it is the half hour after which somebody who only runs the cells has a model on a board.
With --json it prints a list of rows with `name, value, unit, limit, ratio`.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from workshop_helpers.course.files import read_notebook
from workshop_helpers.course.notebooks import find_notebooks, notebook_number
from workshop_helpers.course.runner import run_notebook

FIRST_MODEL, HALF_AN_HOUR_S = "06", 30 * 60
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", default=FIRST_MODEL, help="the last notebook to run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    last = notebook_number(options.to)
    chosen = [path for path in find_notebooks() if path.name[:2] <= last]
    with tempfile.TemporaryDirectory() as folder:
        seconds = {}
        for path in chosen:
            if not options.json:
                print(f"running {path.stem}")
            seconds[path] = run_notebook(path, "with_solutions", out_dir=Path(folder)).seconds
    rows = rows_of(seconds)
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        Console().print(table(rows))
    return 0


def rows_of(seconds: dict[Path, float]) -> list[Row]:
    """A row a notebook, and one for the way to the first model if it was gone."""
    rows = [row(path.stem, took, stated_minutes(path) * 60) for path, took in seconds.items()]
    way = [took for path, took in seconds.items() if path.name[:2] <= FIRST_MODEL]
    if any(path.name[:2] == FIRST_MODEL for path in seconds):
        rows.append(row("00 to 06, a model on a board", sum(way), HALF_AN_HOUR_S))
    return rows


def row(name: str, value: float, limit: float) -> Row:
    return {"name": name, "value": value, "unit": "s", "limit": limit, "ratio": value / limit}


def stated_minutes(path: Path) -> int:
    """What the notebook's first cell gives it."""
    found = re.search(r"\*\*Minutes:\*\* *(\d+)", read_notebook(path)["cells"][0]["source"])
    if found is None:
        raise ValueError(f"{path.name} does not say how many minutes it takes")
    return int(found[1])


def table(rows: list[Row]) -> Table:
    shown = Table("notebook", "cells run in, s", "promised, s", "share")
    for each in rows:
        values = f"{each['value']:.1f}", f"{each['limit']:.0f}", f"{each['ratio']:.1%}"
        shown.add_row(each["name"], *values)
    return shown


if __name__ == "__main__":
    raise SystemExit(main())
