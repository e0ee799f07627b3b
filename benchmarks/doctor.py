"""How long `workshop doctor` takes where no board is plugged in: below ten seconds is promised.

    python benchmarks/doctor.py [--rounds N] [--json]

Each round is a process of its own, as when somebody types it, up to a first inference on a virtual
board. Beside it, in turns, the command's `--help`: what starting Python and loading it takes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

PROMISED_S, TIMEOUT_S = 10.0, 120
COMMAND = [sys.executable, "-m", "workshop_helpers.cli"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a line")
    options = parser.parse_args()
    environment = dict(os.environ, WORKSHOP_MODULES="workshop")  # the same with and without a net
    doctor_s, help_s = [], []
    for _ in range(max(1, options.rounds)):
        help_s.append(seconds([*COMMAND, "--help"], environment))
        doctor_s.append(seconds([*COMMAND, "doctor", "--port", "virtual"], environment))
    result = {
        "rounds": len(doctor_s),
        "median_s": round(statistics.median(doctor_s), 2),
        "longest_s": round(max(doctor_s), 2),
        "times_of_help": round(statistics.median(doctor_s) / statistics.median(help_s), 2),
        "promised_s": PROMISED_S,
        "kept": max(doctor_s) < PROMISED_S,
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"doctor without a board: {result['median_s']} s (longest of {len(doctor_s)}: "
            f"{result['longest_s']} s), {result['times_of_help']} × the time of --help; "
            f"{'below' if result['kept'] else 'NOT below'} {PROMISED_S:g} s"
        )
    return 0 if result["kept"] else 1


def seconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, timeout=TIMEOUT_S, check=True
    )
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
