"""What a checkpoint is made of: steps that each bring one thing back, and say how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from ..board import Board
from ..errors import ModelFileError
from ..model import DeviceModel
from ..paths import work_dir


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


def file(path: str, content: Callable[[], bytes]) -> Step:
    """A file on the board; another one of that name is replaced."""

    def restore(board: Board) -> str:
        report = board.put(content(), path)
        return "already there" if report.skipped else f"{report.size_bytes} bytes"

    return Step(f"the file {path} on the board", restore)


def saved_model(name: str, make: Callable[[], DeviceModel]) -> Step:
    """A model in the learner's work folder; the learner's own, if it can be read, stays."""

    def restore(board: Board) -> str:
        own = _load(name)
        if own is not None:
            return f"already there, {own.size_bytes} bytes"
        return f"trained and converted, {_made(name, make).size_bytes} bytes"

    return Step(f"the model {name} in the work folder", restore)


def deployed_model(name: str, make: Callable[[], DeviceModel]) -> Step:
    """The model of the work folder (made if missing) on the board, with its module."""

    def restore(board: Board) -> str:
        model = _load(name) or _made(name, make)
        report = board.deploy(model)
        return f"{report.sent_bytes} bytes sent" if report.sent else "already there"

    return Step(f"the model {name} on the board", restore)


def _load(name: str) -> DeviceModel | None:
    try:
        return DeviceModel.load(work_dir() / name)
    except ModelFileError:  # not there, or damaged: made anew
        return None


def _made(name: str, make: Callable[[], DeviceModel]) -> DeviceModel:
    model = make()
    model.save(work_dir() / name)
    return model
