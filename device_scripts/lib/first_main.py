"""A main.py to learn from: leaves a window to stop it, counts the board's starts, then ticks.

Runs under: MicroPython, as /main.py.
Memory: some hundred bytes; one small file, /starts.txt.
"""

import time

WINDOW_S = 3


def count_start(path="/starts.txt"):
    """One more start; how many there were."""
    try:
        with open(path) as file:
            starts = int(file.read())
    except (OSError, ValueError):  # the first start, or a file that was cut short
        starts = 0
    with open(path, "w") as file:
        file.write(str(starts + 1))
    return starts + 1


def main():
    print("Ctrl-C within", WINDOW_S, "s stops me")
    time.sleep(WINDOW_S)
    print("start number", count_start())
    while True:
        print("tick")
        time.sleep_ms(500)


if __name__ == "__main__":
    main()
