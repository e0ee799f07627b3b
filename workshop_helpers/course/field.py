"""Notebook 04's boards that came back from the field: virtual ones, each with one real fault."""

from __future__ import annotations

import html
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..board import Board
from ..board.virtual import Faults, VirtualBoard
from ..errors import CourseError

LABELS = "ABC"
_BAUD = 115200
_FIRST = ("main-resets", "heap-fragmented", "clock-back")


@dataclass(frozen=True)
class FieldFault:
    """A fault that a board may have.

    word: what a learner writes down. not_it: what every board without it shows, however ill it is
    otherwise. mend: what one would do.
    """

    name: str
    word: str
    not_it: str
    mend: str


@dataclass(frozen=True)
class Case:
    """Two faults that people complain of in the same words, and how to tell them apart."""

    complaint: str
    look: str
    faults: tuple[FieldFault, FieldFault]


CASES = (
    Case(
        "Its battery lasts an hour instead of a week. At its prompt all seems well.",
        "See what it does when it is left alone, with `watch_boot`, and what its files say.",
        (
            FieldFault(
                "main-resets",
                "main.py resets",
                "`watch_boot` for 3 s shows one start at most, not one after another",
                '`rm("/main.py")`, then find out what made it call `machine.reset()`.',
            ),
            FieldFault(
                "main-floods",
                "main.py floods",
                "`watch_boot` for 3 s shows a few lines, no flood",
                'a `time.sleep()` in its `/main.py`, or `rm("/main.py")`.',
            ),
        ),
    ),
    Case(
        "The new model does not load: MemoryError.",
        "Look at its memory: `.info` has the size of the heap, `read_heap` the largest free piece.",
        (
            FieldFault(
                "heap-fragmented",
                "heap in crumbs",
                "the largest free piece of its heap is over a third of what is free",
                "make large things first, and once.",
            ),
            FieldFault(
                "heap-small",
                "heap too small",
                "its heap has over 200 KiB, as that of a healthy virtual board",
                "a smaller model, or a board with more memory.",
            ),
        ),
    ),
    Case(
        "Some of the times that it reports make no sense.",
        "Ask it the same ten times: how long a piece of work took on it; then a long answer, such "
        'as that of `.eval("list(range(200))")`.',
        (
            FieldFault(
                "clock-back",
                "clock steps back",
                "of twenty durations in a row, taken on it with `ticks_diff`, none is below 0",
                "measure several times, leave out what can't be, take the median.",
            ),
            FieldFault(
                "flip",
                "line flips bits",
                "its answers come whole, long ones too: no BAD_ANSWER in ten",
                "a shorter cable or another port; and believe only answers with a checksum.",
            ),
        ),
    ),
    Case(
        "It saves nothing: its program stops with an OSError.",
        'Look at its flash: the room in `.info`, the files, and what `.put(b"x", "/x")` says.',
        (
            FieldFault(
                "flash-full",
                "flash full",
                "`.info` shows over 1000 KiB of free flash",
                "fetch and remove old files; let the program look for room before it writes.",
            ),
            FieldFault(
                "flash-broken",
                "flash worn out",
                "a small `.put` does not end in a `can't read or write`",
                "save its files with `.get`, then make the file system anew, or change the board.",
            ),
        ),
    ),
)
WORDS = tuple(sorted(fault.word for case in CASES for fault in case.faults))


class FieldBoards:
    """Boards "A", "B" and "C", each with a complaint; what they have is not shown.

    Each starts when it is first asked for, and again after it was closed.
    """

    def __init__(self, given: Mapping[str, tuple[Case, FieldFault]], seed: int) -> None:
        self._given = dict(given)
        self._seed = seed
        self._boards: dict[str, Board] = {}
        self._closed = False

    def __getitem__(self, label: str) -> Board:
        """The board. Raises CourseError if there is none of this name or all are closed, SetupError
        or BoardError if this computer has no virtual board or it does not start."""
        if label not in self:
            raise CourseError(f"No board {label!r} came back.", f"There are: {', '.join(self)}.")
        if self._closed:
            raise CourseError("These boards are closed.", "Run the cell with field_boards() again.")
        board = self._boards.get(label)
        if board is None or board.virtual is None or not board.virtual.alive:
            virtual = _virtual(self._given[label][1], self._seed).start()
            board = self._boards[label] = Board(virtual.port, virtual=virtual)
        return board

    def __contains__(self, label: object) -> bool:
        return label in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def close(self) -> None:
        """End the boards. A second time does nothing."""
        self._closed = True
        for board in self._boards.values():
            board.close()

    def __repr__(self) -> str:
        rows = [f"{label}  {case.complaint}" for label, (case, _) in self._given.items()]
        return "\n".join([*rows, f"Each has one of these: {', '.join(WORDS)}"])

    def _repr_html_(self) -> str:
        left = "<td style='text-align:left'>"
        rows = "".join(
            f"<tr><th>{label}</th>{left}{html.escape(case.complaint)}</td></tr>"
            for label, (case, _) in self._given.items()
        )
        words = " · ".join(
            f"<code style='white-space:nowrap'>{html.escape(word)}</code>" for word in WORDS
        )
        return f"<table>{rows}</table><p>Each has one of these: {words}</p>"


_open: list[FieldBoards] = []


def field_boards(seed: int = 0) -> FieldBoards:
    """Three virtual boards with one fault each; those of an earlier call end.

    Args:
        seed: which three; the same brings the same again.
    """
    while _open:
        _open.pop().close()
    _open.append(FieldBoards(dict(zip(LABELS, _draw(seed), strict=True)), seed))
    return _open[-1]


def case_of(field: FieldBoards, label: str) -> tuple[Case, FieldFault]:
    """What board `label` has: for the check."""
    return field._given[label]


def _draw(seed: int) -> list[tuple[Case, FieldFault]]:
    if seed == 0:
        known = {fault.name: (case, fault) for case in CASES for fault in case.faults}
        return [known[name] for name in _FIRST]
    draw = random.Random(seed)
    # In Windows a folder is the virtual board's flash: it is never full, and never worn out.
    cases = CASES[:-1] if sys.platform == "win32" else CASES
    return [(case, draw.choice(case.faults)) for case in draw.sample(cases, len(LABELS))]


def _virtual(fault: FieldFault, seed: int) -> VirtualBoard:
    if fault.name == "flip":
        # Not in its first words: else it could happen that nobody ever gets to its prompt.
        numbers = random.Random(seed).sample(range(2000, 400_000), 500)
        return VirtualBoard(
            faults=Faults(seed=seed, flip_at=tuple(sorted(numbers)), direction="to_host")
        )
    # At the speed of this computer, a flood would fill the notebook.
    baud = _BAUD if fault.name == "main-floods" else None
    return VirtualBoard(faults=Faults.named(fault.name, seed=seed), baud=baud)
