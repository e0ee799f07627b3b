"""Worker processes that run scenarios, and the watch over them."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from .operations import EXTENTS
from .scenario import Scenario, draw
from .trial import Outcome

WATCHDOG_S = 180.0  # for a whole scenario, the looks at what it left included


def scenario(seed: int, number: int) -> Scenario:
    return draw(seed, number, EXTENTS)


class Worker:
    """One process; `python -m soak_parts.worker`, a number in, an outcome out, a line each."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.number = -1
        self.since_s = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "soak_parts.worker", str(folder), str(seed)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=sys.platform != "win32",  # Ctrl-C in a terminal is not for it
        )

    def give(self, number: int) -> None:
        """Let it run a scenario; -1: none."""
        assert self.process.stdin is not None
        if number < 0:
            return
        self.number, self.since_s = number, time.monotonic()
        with contextlib.suppress(OSError):  # it has died, which is noticed elsewhere
            self.process.stdin.write(f"{number}\n")
            self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # what could not be written to it
                if pipe is not None:
                    pipe.close()


class Crew:
    """So many workers; a context manager."""

    def __init__(self, folder: Path, seed: int, n_workers: int) -> None:
        self._folder, self._seed = folder, seed
        self._said: queue.Queue[tuple[Worker, str]] = queue.Queue()
        self._workers = [self._hire() for _ in range(n_workers)]

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.close()

    def outcomes(self, numbers: Iterable[int], end_s: float) -> Iterator[Outcome]:
        """As they come, until there are no more numbers or the time (of time.monotonic) is over."""
        waiting = iter(numbers)
        for worker in self._workers:
            worker.give(next(waiting, -1))
        while any(worker.number >= 0 for worker in self._workers):
            worker, outcome = self._next()
            if time.monotonic() < end_s:
                worker.give(next(waiting, -1))
            yield outcome

    def _next(self) -> tuple[Worker, Outcome]:
        """The next outcome and a worker without work."""
        while True:
            for place, worker in enumerate(self._workers):
                if worker.number >= 0 and time.monotonic() - worker.since_s > WATCHDOG_S:
                    return self._replaced(place, "hang", "the watchdog ended it")
            try:
                worker, line = self._said.get(timeout=0.5)
            except queue.Empty:
                continue
            if worker not in self._workers or worker.number < 0:
                continue  # one that was ended, or had nothing to do
            if not line:
                place = self._workers.index(worker)
                return self._replaced(place, "wrong_error", "its process ended by itself")
            worker.number = -1
            return worker, Outcome(**json.loads(line))

    def _replaced(self, place: int, fault: str, why: str) -> tuple[Worker, Outcome]:
        worker = self._workers[place]
        it = scenario(self._seed, worker.number)
        seconds = time.monotonic() - worker.since_s
        worker.close()
        self._workers[place] = self._hire()
        outcome = Outcome(it.number, it.operation, it.kind, str(it), "HANG", seconds)
        outcome.faults[fault] = why
        return self._workers[place], outcome

    def _hire(self) -> Worker:
        worker = Worker(self._folder, self._seed)

        def listen(stdout: Any) -> None:
            try:
                for line in stdout:
                    self._said.put((worker, line))
            except ValueError:  # closed
                pass
            self._said.put((worker, ""))

        threading.Thread(target=listen, args=(worker.process.stdout,), daemon=True).start()
        return worker
