"""The operations that are tried, and what each must leave behind.

An operation raises WrongDataError if it was given something else than the truth; what a
WorkshopError says is its outcome.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from workshop_helpers.board import Board
from workshop_helpers.errors import WorkshopError
from workshop_helpers.model import verify

from .ground import APP, Ground
from .recordings import look_at_recordings, record, record_here
from .scenario import Extent
from .truth import expect

MODULO = 1000003


@dataclass(frozen=True)
class Operation:
    """One thing to do with a connected board.

    changes_files: `Ground.states` has what its success leaves.
    unchecked: its own code can be spoilt unnoticed, so the board may raise anything.
    look: what is looked at afterwards, in a healthy board with the same flash.
    """

    name: str
    run: Callable[[Board, Ground, random.Random], None]
    extent: Extent
    changes_files: bool = False
    unchecked: bool = False
    look: Callable[[Board], None] | None = None

    @property
    def after(self) -> str:
        """The name of what it leaves among `Ground.states`."""
        return self.name if self.changes_files else ""


# --- code --------------------------------------------------------------------------------------
def connect_only(board: Board, ground: Ground, chance: random.Random) -> None:
    """The connection is made before."""


def run_exec(board: Board, ground: Ground, chance: random.Random) -> None:
    lines = chance.randint(1, 200)
    board.exec(f"for i in range({lines}):\n print(i, i * 7919 % {MODULO})", timeout_s=3.0)


def run_eval(board: Board, ground: Ground, chance: random.Random) -> None:
    first = chance.randrange(1000)
    numbers = [(first + i) * 7919 % MODULO for i in range(50)]
    expect(
        board.eval(f"[({first} + i) * 7919 % {MODULO} for i in range(50)]", timeout_s=3.0), numbers
    )


def run_call(board: Board, ground: Ground, chance: random.Random) -> None:
    first, n = chance.randrange(1000), chance.randint(1, 300)
    numbers = [(first + i) * 7919 % MODULO for i in range(n)]
    expect(board.call(f"{APP}.numbers", first, n, timeout_s=3.0), numbers)


def run_too_long(board: Board, ground: Ground, chance: random.Random) -> None:
    with contextlib.suppress(WorkshopError):
        board.exec("print('on')\nwhile True:\n    pass", timeout_s=0.5)
    expect(board.eval("6 * 7", timeout_s=3.0), 42)


def run_start(board: Board, ground: Ground, chance: random.Random) -> None:
    running = board.start(f"for i in range(2000):\n print(i * 7919 % {MODULO})")
    end_s = time.monotonic() + chance.choice((0.05, 5.0))
    while not running.ended and time.monotonic() < end_s:
        running.read(0.1)
    running.stop(3.0)
    expect(board.eval("6 * 7", timeout_s=3.0), 42)


def read_info(board: Board, ground: Ground, chance: random.Random) -> None:
    info = board.info
    expect((info.name, info.version), (ground.info.name, ground.info.version))
    expect(info.flash_total_bytes in (None, ground.info.flash_total_bytes), True)


# --- files -------------------------------------------------------------------------------------
def put_new(board: Board, ground: Ground, chance: random.Random) -> None:
    board.put(ground.new["/data/new.bin"], "/data/new.bin")


def put_over(board: Board, ground: Ground, chance: random.Random) -> None:
    board.put(ground.new["/data/old.bin"], "/data/old.bin")


def put_equal(board: Board, ground: Ground, chance: random.Random) -> None:
    board.put(ground.old["/data/old.bin"], "/data/old.bin")


def put_deep(board: Board, ground: Ground, chance: random.Random) -> None:
    board.put(ground.new["/a/b/c.txt"], "/a/b/c.txt")


def get_file(board: Board, ground: Ground, chance: random.Random) -> None:
    path = chance.choice(("/data/old.bin", "/data/keep.txt"))
    with tempfile.TemporaryDirectory(prefix="soak_") as folder:
        target = Path(folder) / "target"
        target.write_bytes(b"old")
        try:
            expect(board.get(path, target), ground.old[path])
        except WorkshopError:
            expect(target.read_bytes(), b"old")
            raise
        expect(target.read_bytes(), ground.old[path])


def list_files(board: Board, ground: Ground, chance: random.Random) -> None:
    found = {file.path: file.size_bytes for file in board.ls("/data", recursive=True)}
    sizes = {p: len(data) for p, data in ground.old.items() if p.startswith("/data/")}
    expect(found, {**sizes, "/data/sub": 0})


def ask_exists(board: Board, ground: Ground, chance: random.Random) -> None:
    expect(board.exists("/data/keep.txt"), True)
    expect(board.exists("/data/none.txt"), False)


def make_folder(board: Board, ground: Ground, chance: random.Random) -> None:
    board.mkdir("/a/b/c")


def remove_file(board: Board, ground: Ground, chance: random.Random) -> None:
    board.rm("/data/keep.txt")


def remove_folder(board: Board, ground: Ground, chance: random.Random) -> None:
    board.rm("/data", recursive=True)


# --- the workshop's work -----------------------------------------------------------------------
def install(board: Board, ground: Ground, chance: random.Random) -> None:
    board.install("emlearn_iir", source="workshop")


def deploy(board: Board, ground: Ground, chance: random.Random) -> None:
    board.deploy(ground.model("new"), app="har_live")


def verify_model(board: Board, ground: Ground, chance: random.Random) -> None:
    report = verify(ground.model("new"), ground.rows, board)
    expect((report.rows, report.host_matches_device), (len(ground.rows), True))


def stream(board: Board, ground: Ground, chance: random.Random) -> None:
    n = chance.randint(5, 60)
    settings = {"records": n, "period_ms": chance.choice((0, 5))}
    last = -1
    with board.stream(APP, hello_timeout_s=4.0, silence_timeout_s=3.0, **settings) as records:
        for record in records.records(seconds=6.0):
            if record.kind == "value":
                expect(record["value"], record["n"] * 7919 % MODULO)
                expect(last < record["n"] < n, True)
                last = record["n"]
            elif record.kind == "hello":
                expect(record["records"], n)
        if records.bye is not None:
            expect(records.bye["records"], n + 2)


def command(board: Board, ground: Ground, chance: random.Random) -> None:
    settings = {"records": 1000, "period_ms": 5}
    with board.stream(APP, hello_timeout_s=4.0, silence_timeout_s=3.0, **settings) as records:
        step = chance.randint(1, 1000)
        expect(records.command("set", name="step", value=step)["value"], step)


# --- resets and the connection -----------------------------------------------------------------
def soft_reset(board: Board, ground: Ground, chance: random.Random) -> None:
    board.soft_reset(timeout_s=4.0)
    expect(board.eval("6 * 7", timeout_s=3.0), 42)


def hard_reset(board: Board, ground: Ground, chance: random.Random) -> None:
    board.hard_reset(timeout_s=5.0)
    expect(board.eval("6 * 7", timeout_s=3.0), 42)


def interrupt(board: Board, ground: Ground, chance: random.Random) -> None:
    board.start("while True:\n    pass")
    board.interrupt(timeout_s=3.0)
    expect(board.eval("6 * 7", timeout_s=3.0), 42)


def reconnect(board: Board, ground: Ground, chance: random.Random) -> None:
    with contextlib.suppress(WorkshopError):
        board.exec("x = 1\n" * chance.randint(1, 300), timeout_s=3.0)
    board.reconnect(timeout_s=5.0)
    expect(board.eval("6 * 7", timeout_s=3.0), 42)


def _named(operations: Iterable[Operation]) -> dict[str, Operation]:
    return {operation.name: operation for operation in operations}


OPERATIONS = _named(
    (
        Operation("connect", connect_only, Extent(160, 5, 0.1)),
        Operation("exec", run_exec, Extent(1000, 5, 0.2), unchecked=True),
        Operation("eval", run_eval, Extent(1400, 5, 0.2)),
        Operation("call", run_call, Extent(3500, 5, 0.2)),
        Operation("exec too long", run_too_long, Extent(1150, 5, 1.0)),
        Operation("start", run_start, Extent(15_000, 5, 0.4), unchecked=True),
        Operation("info", read_info, Extent(2000, 5, 0.2)),
        Operation("put new", put_new, Extent(18_000, 90, 0.3), changes_files=True),
        Operation("put over", put_over, Extent(15_000, 65, 0.3), changes_files=True),
        Operation("put equal", put_equal, Extent(3200, 5, 0.2)),
        Operation("put deep", put_deep, Extent(6700, 40, 0.3), changes_files=True),
        Operation("get", get_file, Extent(13_000, 5, 0.2)),
        Operation("ls", list_files, Extent(1450, 5, 0.2)),
        Operation("exists", ask_exists, Extent(1800, 5, 0.2)),
        Operation("mkdir", make_folder, Extent(1250, 12, 0.2)),
        Operation("rm", remove_file, Extent(1250, 6, 0.2), changes_files=True),
        Operation("rm folder", remove_folder, Extent(1250, 12, 0.2), changes_files=True),
        Operation("install", install, Extent(19_000, 80, 0.5), changes_files=True),
        Operation("deploy", deploy, Extent(84_000, 40, 1.5), changes_files=True),
        Operation("verify", verify_model, Extent(55_000, 90, 1.0), changes_files=True),
        Operation("stream", stream, Extent(8000, 5, 0.6)),
        Operation("command", command, Extent(6800, 5, 0.6)),
        Operation("record", record, Extent(7200, 200, 1.4), look=look_at_recordings),
        Operation("record here", record_here, Extent(37_000, 5, 1.4)),
        Operation("soft reset", soft_reset, Extent(920, 5, 0.3)),
        Operation("hard reset", hard_reset, Extent(1350, 5, 0.5)),
        Operation("interrupt", interrupt, Extent(1000, 5, 0.3)),
        Operation("reconnect", reconnect, Extent(1900, 5, 0.3)),
    )
)
EXTENTS = {name: operation.extent for name, operation in OPERATIONS.items()}
