"""Progress over rows: nothing, a bar, or a callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

ProgressOption = bool | Callable[[int, int], None]


@contextmanager
def row_progress(option: ProgressOption, title: str) -> Iterator[Callable[[int, int], None]]:
    """Gives `step(done_rows, total_rows)`. True: a rich bar, in a terminal or a notebook."""
    if callable(option):
        yield option
    elif not option:
        yield lambda done, total: None
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
