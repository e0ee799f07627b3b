"""Time the cases of a module: `timer.py FOLDER_OF_MODULE BENCH_FILE [FOLDER_OF_DATA]`.

Runs on any MicroPython with a file system. Prints one line of JSON: [[label, nanoseconds a call]
of each case]. The best of some rounds counts, as all that disturbs a measurement makes it longer. A
round repeats the call until the clock can measure it, and no longer: of short rounds, some are left
alone even on a busy computer.
"""

import gc
import json
import sys
import time

ROUND_US = 1000
ROUNDS = 30
ENOUGH_US = 30000


def repeat(n, f, args):
    # A call with *args allocates: it is kept for calls with many arguments.
    start = time.ticks_us()
    if len(args) == 0:
        for _ in range(n):
            f()
    elif len(args) == 1:
        (a,) = args
        for _ in range(n):
            f(a)
    elif len(args) == 2:
        a, b = args
        for _ in range(n):
            f(a, b)
    elif len(args) == 3:
        a, b, c = args
        for _ in range(n):
            f(a, b, c)
    else:
        for _ in range(n):
            f(*args)
    return time.ticks_diff(time.ticks_us(), start)


def nanoseconds(f, args):
    n = 1
    taken = repeat(1, f, args)
    while taken < ROUND_US:
        n = max(2 * n, n * ROUND_US // max(taken, 1)) if taken > 50 else 10 * n
        taken = repeat(n, f, args)
    best = total = taken
    for i in range(1, ROUNDS):
        if total > ENOUGH_US:
            break
        if i % 10 == 1:
            gc.collect()
        taken = repeat(n, f, args)
        total += taken
        if taken > 0:  # else the computer's clock was set meanwhile
            best = min(best, taken)
    return 1000 * best // n


def measured(module_folder, bench_file, data_folder=None):
    """[[label, nanoseconds a call] of each case that there is memory for]."""
    sys.path.insert(0, module_folder)
    name = bench_file.replace("\\", "/").split("/")[-1][:-3]
    module = __import__(name)
    bench = {"__name__": "bench"}
    with open(bench_file) as file:
        exec(file.read(), bench)
    found = []
    try:
        for case in bench["cases"](module, data_folder):
            found.append([case[0], nanoseconds(case[1], case[2:])])
    except MemoryError:
        if not found:
            raise
    return found


if len(sys.argv) > 1:
    print(json.dumps(measured(*sys.argv[1:])))
