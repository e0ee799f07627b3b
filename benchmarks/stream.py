"""Streams from virtual boards: how much, how late, how many, and how smooth to look at.

    python benchmarks/stream.py [--seconds N] [--boards N] [--json]

With --json it prints a list of rows with `name, value, unit, limit, ratio`.

**Throughput.** The board sends blocks of 200 samples of 6 channels as fast as it can. What counts
is every byte on the line, framing and all, from one second after the first to the last; the limit
of a paced line is its baud rate / 10. "samples ..." is the share that the samples themselves are,
2 bytes each: base64 and the record around them take the rest. An unpaced line's limit is what it
carries of a record that was made beforehand, with nobody to read what it says, measured in the same
run. The boards are virtual, and quick: this is no measurement of a microcontroller.

**Latency.** From just before `read_into` on the board, for a sample that it returned, to the record
in the loop that iterates over the stream; one sample a record, 100 a second. Both clocks are this
computer's steady clock, and that is not taken for granted: a command asks for the board's time
twenty times, and each answer must lie between the asking and the answer's arrival. If one does not,
the two clocks are matched in the middle of the quickest of these round trips instead, and the
name of the row says so. The limit is the time between two samples.

**Many boards.** 20 virtual boards, 10 records a second each, into this process. Lost are those that
the boards say they sent and that did not come.

**Views** are measured by benchmarks/stream_views.py, if it is there: `rows()` are arguments of
`row`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from workshop_helpers.board import Board
from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.model.deploy import closure
from workshop_helpers.stream import Record, Stream, open_stream

HERE = Path(__file__).parent
APP = HERE / "device" / "stream_load.py"
BAUDS = (None, 115200, 460800, 921600)
CHANNELS, BLOCK = 6, 200
LATENCY_RATE_HZ, MANY_RATE_HZ = 100, 10
WARM_UP_S = 1.0
# What a line holds when the board stops to send may take long at a low rate.
DRAIN_S = 60.0
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    parser.add_argument("--boards", type=int, default=20, help="how many at once")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    rows: list[Row] = []
    for baud in BAUDS:
        rows += throughput(baud, options.seconds)
    rows += latency(options.seconds)
    rows += many_boards(options.boards, options.seconds)
    rows += views()
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        Console().print(table(rows))
    return 0


def row(name: str, value: float, unit: str, limit: float | None = None) -> Row:
    ratio = value / limit if limit else None
    return {"name": name, "value": value, "unit": unit, "limit": limit, "ratio": ratio}


@contextlib.contextmanager
def board_with_app(baud: int | None = None) -> Iterator[Board]:
    with VirtualBoard(baud=baud) as virtual:
        board = Board(virtual.port, virtual=virtual)
        try:
            for path, source in {**closure(APP), f"/{APP.name}": APP}.items():
                board.put(source, path)
            yield board
        finally:
            board.close()


def run(board: Board, **config: Any) -> Stream:
    own = {"hello_timeout_s": 30.0, "silence_timeout_s": 30.0}
    return open_stream(board, APP.stem, {**own, "channels": CHANNELS, **config})


# --- throughput --------------------------------------------------------------------------------
def throughput(baud: int | None, seconds: float) -> list[Row]:
    with board_with_app(baud) as board:
        if baud is None:
            where = "without a pace"
            limit = float(np.median([carried(board, seconds / 3) for _ in range(3)]))
        else:
            where, limit = f"at {baud} baud", baud / 10
        stream = run(board, mode="samples", block=BLOCK, seconds=seconds + WARM_UP_S)
        meter = Meter(stream)
        with stream:
            for record in stream.records(seconds=seconds + DRAIN_S):
                meter.add(record)
            assert stream.bye is not None, "the line did not drain"
            missing = stream.bye["records"] - stream.counters.records + stream.counters.damaged
    return [
        row(f"throughput {where}", meter.bytes_per_s, "bytes/s", limit),
        row(f"samples {where}", meter.samples_bytes_per_s, "bytes/s", limit),
        row(f"lost or damaged {where}", missing, "records"),
    ]


class Meter:
    """Bytes a second on the line and in samples, once it has warmed up."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._first_s: float | None = None
        self._begun: tuple[float, int] | None = None
        self._last: tuple[float, int] = (0.0, 0)
        self._samples_bytes = 0

    def add(self, record: Record) -> None:
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        if record.kind != "samples":
            return
        if self._begun is None:
            if now_s - self._first_s > WARM_UP_S:
                self._begun = (now_s, self._stream.counters.size_bytes)
            return
        self._samples_bytes += 2 * record.samples().size
        self._last = (now_s, self._stream.counters.size_bytes)

    @property
    def _took_s(self) -> float:
        assert self._begun is not None, "the stream ended too soon"
        return self._last[0] - self._begun[0]

    @property
    def bytes_per_s(self) -> float:
        took_s = self._took_s
        assert self._begun is not None
        return (self._last[1] - self._begun[1]) / took_s

    @property
    def samples_bytes_per_s(self) -> float:
        return self._samples_bytes / self._took_s


def carried(board: Board, seconds: float) -> float:
    """Bytes a second that the line carries of a record made beforehand, without a parser."""
    config = {"mode": "raw", "block": BLOCK, "channels": CHANNELS, "seconds": seconds}
    board.soft_reset()
    running = board.start(f"import {APP.stem}\n{APP.stem}.main({config!r})\n")
    n_bytes, first_s, last_s = 0, None, 0.0
    while not running.ended:
        if data := running.read(timeout_s=1.0):
            last_s = time.monotonic()
            if first_s is None:
                first_s = last_s
            else:
                n_bytes += len(data)
    assert first_s is not None and running.error is None, running.error
    return n_bytes / (last_s - first_s)


# --- latency -----------------------------------------------------------------------------------
def latency(seconds: float) -> list[Row]:
    with board_with_app() as board:
        stream = run(board, mode="clocked", rate_hz=LATENCY_RATE_HZ, seconds=seconds + WARM_UP_S)
        with stream:
            offset_s, how = clock_offset_s(stream)
            took_ms = [
                1e3 * (time.monotonic() - record["read_us"] / 1e6 - offset_s)
                for record in stream.records(seconds=seconds + DRAIN_S, kind="reading")
            ]
            assert stream.counters.lost == 0
    took_ms = took_ms[LATENCY_RATE_HZ // 2 :]  # those before waited for the clocks to be matched
    limit_ms = 1e3 / LATENCY_RATE_HZ
    return [
        row(f"latency, median{how}", float(np.median(took_ms)), "ms", limit_ms),
        row(f"latency, 99th percentile{how}", float(np.percentile(took_ms, 99)), "ms", limit_ms),
    ]


def clock_offset_s(stream: Stream) -> tuple[float, str]:
    """What to add to the board's clock, s; and what to say about it."""
    trips = []
    for _ in range(20):
        asked_s = time.monotonic()
        board_s = stream.command("clock", timeout_s=10.0)["ticks_us"] / 1e6
        trips.append((time.monotonic() - asked_s, asked_s, board_s))
    if all(asked_s <= board_s <= asked_s + trip_s for trip_s, asked_s, board_s in trips):
        return 0.0, ""
    trip_s, asked_s, board_s = min(trips)
    return asked_s + trip_s / 2 - board_s, f" (clocks matched to {1e3 * trip_s / 2:.1f} ms)"


# --- many boards -------------------------------------------------------------------------------
def many_boards(n_boards: int, seconds: float) -> list[Row]:
    with contextlib.ExitStack() as stack:
        boards = [stack.enter_context(board_with_app()) for _ in range(n_boards)]
        config = {"mode": "clocked", "rate_hz": MANY_RATE_HZ, "channels": 1, "seconds": 3600}
        streams = [stack.enter_context(run(board, **config)) for board in boards]
        before, begun_s = came(streams), time.monotonic()
        time.sleep(seconds)
        per_s = (came(streams) - before) / (time.monotonic() - begun_s)
        threads = [threading.Thread(target=stream.stop) for stream in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DRAIN_S)
        byes = [stream.bye for stream in streams if stream.bye is not None]
        sent = sum(bye["records"] for bye in byes)
        missing = sent - came(streams) + sum(stream.counters.damaged for stream in streams)
    what = f"{n_boards} boards into one process"
    return [
        row(f"{what}, ended well", len(byes), "boards", n_boards),
        row(f"{what}, all at once", per_s, "records/s", n_boards * MANY_RATE_HZ),
        row(f"{what}, lost or damaged", missing, "records"),
    ]


def came(streams: list[Stream]) -> int:
    return sum(stream.counters.records for stream in streams)


# --- views -------------------------------------------------------------------------------------
def views() -> list[Row]:
    path = HERE / "stream_views.py"
    if not path.is_file():
        return []
    spec = importlib.util.spec_from_file_location("stream_views", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [row(*each) for each in module.rows()]


def table(rows: list[Row]) -> Table:
    made = Table(title="Streams from virtual boards on this computer")
    made.add_column("what")
    for column in ("value", "unit", "limit", "ratio"):
        made.add_column(column, justify="right")
    for each in rows:
        limit, ratio = each["limit"], each["ratio"]
        made.add_row(
            each["name"],
            f"{each['value']:,.1f}",
            each["unit"],
            "-" if limit is None else f"{limit:,.0f}",
            "-" if ratio is None else f"{ratio:.3f}",
        )
    return made


if __name__ == "__main__":
    raise SystemExit(main())
