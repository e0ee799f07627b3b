"""A soak of the board API: thousands of seeded faults, each with every operation.

    python benchmarks/soak.py [--minutes N | --scenarios N] [--seed S] [--workers N] [--json]
    python benchmarks/soak.py --seed S --only N [--json]     one of them again

A scenario is one operation on a virtual board that has a fault: lost bytes, a cable that comes off,
a full flash, ... (soak_parts/scenario.py has the kinds, soak_parts/operations.py the operations).
It must end in success or in an error that tells the truth. After it are checked

- hangs: it took no longer than a minute; a watchdog ends one that does, after three;
- wrong_data: every value and file that was returned is the one that the board has;
- leaks: no descriptor, thread or process is left;
- wrong_errors: no error but a WorkshopError, and none whose code says something false;
- files: on the same flash in a healthy board each file is the old or the new one, whole;
- healthy: that board connects, takes a file and gives it back.

The summary has `scenarios, seconds, hangs, wrong_data, leaks, outcomes` and more; with --json it is
all that is printed; Ctrl-C ends it with what there is until then. Exit 1 if anything was wrong;
each such scenario is shown with the command that runs it again. A number means the same scenario as
long as the lists of kinds and operations stay the same. Where in the program's work a fault strikes
depends on its bytes, and so is the same each time; the moment of a kill is not.

Not covered: real boards and their serial drivers, Windows and macOS (orphans are looked for on
Linux only), two programs at once, widgets. The text of `exec` is not checked, since it can't be.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from soak_parts.crew import Crew
from soak_parts.ground import FACTS, make_ground
from soak_parts.summary import Summary
from soak_parts.trial import Outcome

from workshop_helpers.board.commands import workshop_command


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=None, help="how long; 10 if nothing says")
    parser.add_argument("--scenarios", type=int, default=None, help="how many, at most")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--only", type=int, default=None, help="this scenario of the seed alone")
    parser.add_argument("--first", type=int, default=0, help="the number to begin with")
    parser.add_argument("--workers", type=int, default=2, help="how many at once")
    parser.add_argument("--ground", type=Path, help="keep in this folder what is prepared")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args()
    if options.only is not None:
        options.first, options.scenarios = options.only, 1
    minutes = options.minutes
    if minutes is None:
        minutes = 10.0 if options.scenarios is None else 24 * 60.0

    numbers = itertools.islice(itertools.count(options.first), options.scenarios)

    console = Console(stderr=options.json, highlight=False, soft_wrap=True)
    summary = Summary(options.seed)
    with tempfile.TemporaryDirectory(prefix="soak_") as temporary:
        folder = options.ground or Path(temporary)
        if not (folder / FACTS).is_file():
            console.print("Preparing the flash that every scenario starts from ...")
            make_ground(folder)
        end_s = time.monotonic() + 60 * minutes
        crew = Crew(folder, options.seed, options.workers)
        with contextlib.suppress(KeyboardInterrupt), crew:  # then the summary is of what there is
            for outcome in crew.outcomes(numbers, end_s):
                summary.add(outcome)
                if outcome.faults or options.only is not None:
                    console.print(_shown(outcome, options.seed), markup=False)
                if summary.scenarios % 100 == 0:
                    console.print(summary.line(), markup=False)
    if options.json:
        print(json.dumps(summary.as_dict(), indent=1))
    else:
        console.print(summary.table())
    return 1 if summary.n_wrong else 0


def _shown(outcome: Outcome, seed: int) -> str:
    again = workshop_command("bench", "soak", "--seed", str(seed), "--only", str(outcome.number))
    text = f"{outcome.number}: {outcome.what}: {outcome.code} after {outcome.seconds:.1f} s"
    for kind, said in outcome.faults.items():
        text += f"\n   {kind}: " + said.strip().replace("\n", "\n      ")
    return f"{text}\n   again: {again}" if outcome.faults else f"{text}\n{outcome.said}"


if __name__ == "__main__":
    sys.exit(main())
