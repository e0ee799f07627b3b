"""One scenario from its start to what it left behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workshop_helpers.board import Board
from workshop_helpers.board.files import PART_NAME
from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.errors import WorkshopError

from .expected import allowed_codes
from .ground import Ground, files_of
from .operations import OPERATIONS, Operation
from .scenario import Scenario
from .truth import WrongDataError

CONNECT_S = 4.0
LATE_S = 60.0
"""No operation of the soak may take longer. Its own timeouts are seconds; a board that answers
each step at the last moment adds them up."""
SETTLE_S = 5.0
_OWN = ("/main.py", "/measurements.bin")  # files that faults leave
_LOOKED_AT = "/recorded/"  # by the operation itself


@dataclass
class Outcome:
    """What came of a scenario. `code`: OK, or that of the error; `faults`: what is wrong with it,
    by kind ("late", "wrong_data", "leak", "wrong_error", "files", "healthy")."""

    number: int
    operation: str
    kind: str
    what: str
    code: str = "OK"
    seconds: float = 0.0
    said: str = ""
    faults: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(scenario: Scenario, ground: Ground) -> Outcome:
    """Never raises for what the product does; takes seconds."""
    operation = OPERATIONS[scenario.operation]
    outcome = Outcome(scenario.number, scenario.operation, scenario.kind, str(scenario))
    before = _descriptors(), threading.active_count(), len(_children())
    with tempfile.TemporaryDirectory(prefix="soak_") as folder:
        flash = Path(folder) / "flash"
        shutil.copyfile(ground.image, flash)
        _operate(scenario, operation, ground, flash, outcome)
        _check_leaks(before, _board_id(flash), outcome)
        _check_healthy(scenario, operation, ground, flash, outcome)
    return outcome


def _operate(
    scenario: Scenario, operation: Operation, ground: Ground, flash: Path, outcome: Outcome
) -> None:
    virtual = VirtualBoard(flash=flash, transport=scenario.transport, faults=scenario.faults)
    board: Board | None = None
    killer: threading.Timer | None = None
    began = time.monotonic()
    try:
        virtual.start(30.0)
        began = time.monotonic()
        if scenario.kill_after_s is not None:
            killer = threading.Timer(scenario.kill_after_s, _kill, (virtual, _board_id(flash)))
            killer.start()
        board = Board(virtual.port, timeout_s=CONNECT_S)
        operation.run(board, ground, scenario.random)
    except WorkshopError as error:
        outcome.code, outcome.said = error.code, str(error)
        if error.code not in allowed_codes(scenario, operation):
            outcome.faults["wrong_error"] = str(error)
    except WrongDataError as error:
        outcome.code = "WRONG_DATA"
        outcome.faults["wrong_data"] = str(error)
    except Exception:
        outcome.code = "NOT_OURS"
        outcome.faults["wrong_error"] = traceback.format_exc()
    finally:
        outcome.seconds = time.monotonic() - began
        if killer is not None:
            killer.cancel()
            killer.join()
        if board is not None:
            board.close()
        virtual.close()
    if outcome.seconds > LATE_S:
        outcome.faults["late"] = f"{outcome.seconds:.1f} s"


def _kill(virtual: VirtualBoard, board_id: str) -> None:
    process = virtual._process
    for pid in [*_interpreters(board_id), *([process.pid] if process else [])]:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


# --- what is left over -------------------------------------------------------------------------
def _board_id(flash: Path) -> str:
    """By which its interpreters' command lines are known."""
    return hashlib.sha256(os.path.realpath(flash).encode()).hexdigest()[:16]


def _interpreters(board_id: str) -> list[int]:
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if board_id.encode() in line.read_bytes():
                found.append(int(line.parent.name))
    return found


def _children() -> list[str]:
    with contextlib.suppress(OSError):
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return [pid for pid in listed if pid]
    return []


def _descriptors() -> int:
    """Open ones of this process; 0 where that can't be told."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return len(os.listdir(folder))
    return 0


def _check_leaks(before: tuple[int, int, int], board_id: str, outcome: Outcome) -> None:
    """Nothing of the scenario is left; what is just going gets a moment."""
    end_s = time.monotonic() + SETTLE_S
    while True:
        left = {
            "descriptors": _descriptors() - before[0],
            "threads": threading.active_count() - before[1],
            "children": len(_children()) - before[2],
            "interpreters": len(_interpreters(board_id)) if sys.platform == "linux" else 0,
        }
        left = {name: n for name, n in left.items() if n > 0}
        if not left or time.monotonic() > end_s:
            break
        time.sleep(0.02)
    if left:
        outcome.faults["leak"] = str(left)


# --- what is on the flash ----------------------------------------------------------------------
def _check_healthy(
    scenario: Scenario, operation: Operation, ground: Ground, flash: Path, outcome: Outcome
) -> None:
    """The same flash in a healthy board: it connects, its files are whole, it takes another."""
    succeeded = outcome.code == "OK"
    if "main-deaf" in scenario.faults.device:
        shutil.copyfile(ground.image, flash)  # that one no board lets anybody mend
        succeeded = False
    try:
        with VirtualBoard(flash=flash) as virtual, Board(virtual.port, timeout_s=15.0) as board:
            found = files_of(board)
            if board.exists("/measurements.bin"):
                board.rm("/measurements.bin")  # no file is mended on a full flash
            if operation.look is not None and outcome.code != "NOT_OURS":
                operation.look(board)
            board.put(b"still here", "/data/again.txt")
            if board.get("/data/again.txt") != b"still here":
                outcome.faults["healthy"] = "a file reads back otherwise"
    except Exception:
        outcome.faults["healthy"] = traceback.format_exc()
        return
    wrong = _wrong_files(operation, ground, found, succeeded)
    if wrong:
        outcome.faults["files"] = ", ".join(wrong)


def _wrong_files(
    operation: Operation, ground: Ground, found: dict[str, str], succeeded: bool
) -> list[str]:
    after = operation.after
    allowed = ground.versions(after) if succeeded else ground.between(after)
    may_be_missing = set() if succeeded else ground.may_be_missing(after)
    seen = {
        path: sha
        for path, sha in found.items()
        if path not in _OWN
        and not path.endswith("/" + PART_NAME)
        and not path.startswith(_LOOKED_AT)
    }
    wrong = [
        f"{path} is neither old nor new" for path in seen if seen[path] not in allowed.get(path, ())
    ]
    wrong += [f"{path} is gone" for path in allowed.keys() - seen.keys() - may_be_missing]
    model = [seen.get(f"/models/small/{name}") for name in ("model.csv", "model.json")]
    if model[1] is not None:
        pairs = [
            [state.get(f"/models/small/{name}") for name in ("model.csv", "model.json")]
            for state in (ground.states[""], ground.states["deploy"])
        ]
        if model not in pairs:
            wrong.append("model.json describes another model.csv")
    return wrong
