"""Checks of the exercises in notebook 04."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from ..board import Board
from ..errors import DeviceError
from .boot import watch_boot
from .checks import Verdict, check_for
from .field import CASES, WORDS, FieldBoards, case_of

SAMPLES = 500
WINDOW_S = 2.5  # half a second less than asked for
WATCH_S = 7.0
OTHER_TYPES = {
    "H": "'H' holds no negative numbers",
    "b": "'b' ends at -128 and 127",
    "i": "'i' takes four bytes a number, twice what is needed",
    "f": "'f' is for fractions, and takes four bytes a number",
}


@check_for("04.1", skill="keep numbers on a board in as little memory as they need")
def array_of_samples(board: Board) -> Verdict:
    try:
        kind = board.eval("type(samples).__name__")
        empty = str(board.eval("repr(samples[:0])"))
        length = board.eval("len(samples)")
    except DeviceError as error:
        return Verdict(False, f"No samples to look at on the board: {error.what}")
    if kind != "array":
        return Verdict(False, f"samples is a {kind}, not an array: from array import array.")
    code = empty[7:8]
    if code != "h":
        why = OTHER_TYPES.get(code, f"{code!r} is not int16")
        return Verdict(False, f"The type code is not right: {why}.")
    if length == SAMPLES // 2:
        return Verdict(False, f"bytes({SAMPLES}) are only {length} numbers of two bytes each.")
    if length != SAMPLES:
        return Verdict(False, f"samples holds {length} numbers, not {SAMPLES}.")
    return Verdict(True, f"{SAMPLES} numbers in {2 * SAMPLES} bytes.")


@check_for("04.2", skill="compare times so that it also works when the clock starts again at 0")
def due_across_the_wrap(source: str, board: Board) -> Verdict:
    if not isinstance(source, str) or "def is_due" not in source:
        return Verdict(False, "Leave `def is_due(now, last, period):` in the text.")
    program = "import time\n" + source
    board.eval(f"exec({program!r})")  # unlike exec, it runs nothing that a bad cable has changed
    cases = [
        (5000, 400, False, "is not over"),
        (5000, 1000, True, "is over"),
        (-500, 400, False, "is not over, both times being just before the wrap"),
        (-500, 1200, True, "is over, and the clock has started again at 0 meanwhile"),
        (-500, 700, False, "is not over, though the clock has started again at 0 meanwhile"),
    ]
    for last, elapsed, wanted, why in cases:
        call = f"is_due(time.ticks_add(0, {last + elapsed}), time.ticks_add(0, {last}), 1000)"
        got = board.eval(f"bool({call})")
        if got is not wanted:
            return Verdict(
                False, f"{elapsed} µs after the last time it says {got}, but 1000 µs {why}."
            )
    return Verdict(True, "That will also be right after 18 minutes on an ESP32.")


@check_for("04.3", skill="make a board run your program by itself, and still get back in")
def blinking_main(board: Board) -> Verdict:
    if not board.exists("/main.py"):
        return Verdict(False, "There is no /main.py on the board yet: board.put(bytes, path).")
    source = board.get("/main.py").decode("utf-8", "replace")
    if re.search(r"except\s*(BaseException\s*)?:", source):
        return Verdict(
            False,
            "`except:` catches Ctrl-C as well, and nobody gets in again: name what you catch.",
        )
    boot = watch_boot(board, WATCH_S)
    text = [line for _, line in boot.lines]
    if any(line.startswith("Traceback") for line in text):
        error = next((s for s in reversed(text) if re.match(r"\w+(Error|Exception)\b", s)), "")
        return Verdict(False, f"After the reset your main.py stopped: {error or text[-1]}")
    changes = [at_s for at_s, line in boot.lines if line in ("led on", "led off")]
    if not changes:
        return Verdict(False, "After a reset the LED did not change: LED() and its toggle().")
    if changes[0] < WINDOW_S:
        return Verdict(
            False, f"It blinks {changes[0]:.1f} s after the reset: leave a window of 3 s first."
        )
    if boot.ended:
        return Verdict(False, "It blinked and ended: `while True:` goes on for ever.")
    if len(changes) < 3:
        return Verdict(
            False, f"{len(changes)} changes in {WATCH_S:g} s is no blinking: every half second."
        )
    return Verdict(True, f"{len(changes)} changes, all by itself, and we still got in.")


@check_for("04.4", skill="find out by a few observations what a board suffers from")
def diagnoses(findings: object, field: FieldBoards) -> Verdict:
    if not isinstance(field, FieldBoards):
        return Verdict(False, "Give it the boards as well: field = field_boards().")
    if not isinstance(findings, Mapping):
        return Verdict(False, f'Write the findings as {{"A": "{WORDS[0]}", ...}}.')
    if strange := [str(label) for label in findings if label not in field]:
        there = ", ".join(field)
        return Verdict(False, f"No board {', '.join(strange)} came back: there are {there}.")
    open_ones = [label for label in field if findings.get(label) is None]
    lines = [_about(field, label, findings[label]) for label in field if label not in open_ones]
    right = sum(good for good, _ in lines)
    said = [f"{right} of {len(field)} found.", *(line for _, line in lines)]
    if open_ones:
        said.append(f"{', '.join(open_ones)}: nothing written down yet.")
    return Verdict(right == len(field), "\n".join(said))


def _about(field: FieldBoards, label: str, found: object) -> tuple[bool, str]:
    """Whether the word for one board is right, and what there is to say about it."""
    case, fault = case_of(field, label)
    word = str(found).strip().lower()
    if word == fault.word:
        return True, f"{label}: yes, `{word}`. The mend: {fault.mend}"
    others = {other.word: other for case in CASES for other in case.faults}
    if word not in others:
        near = get_close_matches(word, WORDS, n=1, cutoff=0.4)
        hint = f"; do you mean `{near[0]}`?" if near else "."
        return False, f"{label}: {str(found)[:40]!r} is not in the list{hint}"
    return False, f"{label}: not `{word}`: {others[word].not_it}. {case.look}"
