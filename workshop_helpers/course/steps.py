"""What a checkpoint is made of: steps that each bring one thing back, and say how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from ..board import Board


@dataclass(frozen=True)
class Step:
    """One thing to bring back. `restore` does it and says how it went, in a few words.

    A second run of it changes nothing.
    """

    what: str
    restore: Callable[[Board], str]


def fresh_board() -> Step:
    """The board at its prompt with an empty heap, and no `main.py` that gets in the way.

    Another notebook's or the learner's own `main.py` is renamed, not removed.
    """

    def restore(board: Board) -> str:
        board.interrupt()
        said = "at its prompt"
        if board.exists("/main.py"):
            main = board.get("/main.py")
            names = (f"/main_aside{'' if n == 1 else n}.py" for n in count(1))
            aside = next(n for n in names if not board.exists(n) or board.get(n) == main)
            board.put(main, aside)
            board.rm("/main.py")
            said += f", its main.py kept as {aside}"
        board.soft_reset()
        return said

    return Step("the board, with an empty heap", restore)


def module(name: str) -> Step:
    """A native module in /lib; one that is there, whichever build, stays."""

    def restore(board: Board) -> str:
        if board.exists(f"/lib/{name}.mpy"):
            return "already there"
        found = board.install(name)
        return f"{found.source}, {found.size_bytes} bytes" if found.path else found.source

    return Step(f"the module {name}", restore)
