"""`python -m soak_parts.worker FOLDER SEED`: a number in, an outcome as JSON out, a line each."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import sys
from pathlib import Path

from .crew import WATCHDOG_S, scenario
from .ground import Ground
from .trial import run


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    ground = Ground.load(folder)
    answers = sys.stdout
    for line in sys.stdin:
        # Where it hangs is shown before the watchdog ends it.
        faulthandler.dump_traceback_later(WATCHDOG_S - 10.0)
        with contextlib.redirect_stdout(sys.stderr):
            outcome = run(scenario(seed, int(line)), ground)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(outcome.as_dict()), file=answers, flush=True)


if __name__ == "__main__":
    main()
