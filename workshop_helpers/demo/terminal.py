"""What the demo shows in a terminal, with rich: a line a step, then the live predictions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..stream import Record, Stream
from ..text import printable

BAR_WIDTH = 30
LONG_S = 2.0  # after this a step says that it is still at it
HISTORY = 40  # predictions in the strip of ticks and crosses


@contextmanager
def step(console: Console, title: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner while the step runs, then one line with what it found and its time.

    Where nothing can spin (a file, a pipe), a step that takes long says so in a line of its own.
    """
    started = time.monotonic()
    found: list[str] = []
    waiting = threading.Timer(LONG_S, console.print, (f"  … {title}",))
    waiting.daemon = True
    with console.status(f"{title} …"):
        if not console.is_terminal:
            waiting.start()
        try:
            yield found.append
        finally:
            waiting.cancel()
    detail = escape(printable("; ".join(found)))
    seconds = time.monotonic() - started
    console.print(f"[green]✔[/] [bold]{title}[/]: {detail} [dim]({seconds:.1f} s)[/]")


class LiveTable:
    """The running predictions: what the board says, whether it is right, what the link lost."""

    def __init__(self, console: Console, stream: Stream, seconds: float) -> None:
        self._console = console
        self._stream = stream
        self._seconds = seconds
        self._started = time.monotonic()
        self._last: Record | None = None
        self._hits: list[bool] = []
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=10, transient=True
        )

    def __enter__(self) -> LiveTable:
        self._started = time.monotonic()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()
        if error is None and self._hits:
            counters = self._stream.counters
            elapsed = time.monotonic() - self._started
            how = "Live predictions" if elapsed >= self._seconds - 1 else "Live, stopped by hand"
            self._console.print(
                f"[green]✔[/] [bold]{how}[/]: {sum(self._hits)} of {len(self._hits)} "
                f"right; {counters.records} records, {counters.lost} lost "
                f"[dim]({elapsed:.1f} s)[/]"
            )

    def update(self, record: Record) -> None:
        """Take in one record; anything but a prediction only moves the counters."""
        if record.kind != "prediction":
            return
        self._last = record
        self._hits.append(record["label"] == record["truth"])
        if not self._console.is_terminal:  # a log: one plain line a prediction
            self._console.print(f"  {_sentence(record)}", highlight=False, markup=False)

    def _render(self) -> RenderableType:
        elapsed = time.monotonic() - self._started
        if self._last is None:
            body: RenderableType = Text("waiting for the first full window …", style="dim")
        else:
            body = Group(_headline(self._last), Text(), self._bars(self._last), self._strip())
        counters = self._stream.counters
        status = (
            f"{min(elapsed, self._seconds):.0f} of {self._seconds:.0f} s · "
            f"{counters.records} records · {counters.lost} lost"
        )
        return Panel(body, title="live on the board", subtitle=status, padding=(1, 2))

    def _bars(self, record: Record) -> Table:
        hello = self._stream.hello
        classes = hello["classes"] if hello else [str(i) for i in range(len(record["outputs"]))]
        table = Table.grid(padding=(0, 1))
        for name, share in zip(classes, record["outputs"], strict=False):
            filled = round(share * BAR_WIDTH)
            chosen = name == record["label"]
            table.add_row(
                Text(printable(str(name)), style="bold" if chosen else ""),
                Text("█" * filled + "·" * (BAR_WIDTH - filled), style="cyan" if chosen else "dim"),
                Text(f"{share:4.0%}"),
            )
        return table

    def _strip(self) -> Text:
        strip = Text("\n")
        for hit in self._hits[-HISTORY:]:
            strip.append("✔" if hit else "✘", style="green" if hit else "red")
        return strip


def _headline(record: Record) -> Text:
    right = record["label"] == record["truth"]
    return Text.assemble(
        (printable(str(record["label"])).upper(), "bold green" if right else "bold red"),
        (f"   really: {printable(str(record['truth']))}   this one took {record['us']} µs", "dim"),
    )


def _sentence(record: Record) -> str:
    mark = "✔" if record["label"] == record["truth"] else "✘"
    label, truth = printable(str(record["label"])), printable(str(record["truth"]))
    return f"{mark} {label} (really {truth}), {record['us']} µs"
