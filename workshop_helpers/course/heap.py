"""A board's heap, block by block, as `micropython.mem_info(1)` prints it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..board import Board
from ..errors import BadAnswerError

_ROW_BLOCKS = 64
_ROW = re.compile(r"[0-9a-f]{5,16}: (\S{1,64})")
_FREE_ROWS = re.compile(r" *\((\d+) lines all free\)")
_COUNTS = re.compile(r"GC: total: (\d+), used: \d+, free: (\d+)")


@dataclass(frozen=True)
class HeapMap:
    """Whether each block of `block_bytes` is used, in the order of addresses."""

    used: tuple[bool, ...]
    block_bytes: int

    @property
    def free_bytes(self) -> int:
        return self.block_bytes * self.used.count(False)

    @property
    def largest_free_bytes(self) -> int:
        """The longest run of free blocks: the largest thing that can still be made."""
        runs = "".join("x" if used else "." for used in self.used).split("x")
        return self.block_bytes * max(map(len, runs))

    def __repr__(self) -> str:
        free, largest = self.free_bytes / 1024, self.largest_free_bytes / 1024
        return f"<heap: {free:.0f} KiB free, the largest piece {largest:.0f} KiB>"


def read_heap(board: Board) -> HeapMap:
    """Ask the board, after a collection.

    Raises:
        BadAnswerError: this firmware prints no map of its heap, or it came damaged.
    """
    text = board.exec(
        "import gc, micropython\ngc.collect()\nmicropython.mem_info(1)", timeout_s=60.0
    )
    return parse_heap(text)


def parse_heap(text: str) -> HeapMap:
    """The text of `mem_info(1)`; the blocks of several heap areas follow one another.

    It has no checksum, but the board counts its blocks as well: both must agree.
    """
    blocks: list[bool] = []
    for line in text.splitlines():
        row, free = _ROW.fullmatch(line.rstrip()), _FREE_ROWS.fullmatch(line.rstrip())
        if row:
            blocks += [sign != "." for sign in row[1]]
        elif free:
            blocks += [False] * (_ROW_BLOCKS * int(free[1]))
    counts = _COUNTS.search(text)
    if not blocks or counts is None:
        raise BadAnswerError(
            "This board prints no map of its heap.",
            "board.info has its free heap and its largest free block.",
        )
    total_bytes, free_bytes = int(counts[1]), int(counts[2])
    heap = HeapMap(tuple(blocks), 1 << round(math.log2(max(total_bytes / len(blocks), 1))))
    if (len(blocks) * heap.block_bytes, heap.free_bytes) != (total_bytes, free_bytes):
        raise BadAnswerError("The map of the board's heap came damaged.", "Ask for it again.")
    return heap
