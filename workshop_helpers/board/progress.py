"""Progress of a copy: nothing, a bar, or a callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

ProgressOption = bool | Callable[[int, int], None]


@contextmanager
def show_progress(
    option: ProgressOption, title: str, total_bytes: int
) -> Iterator[Callable[[int, int], None]]:
    """Gives `step(done_bytes, total_bytes)`. True: a rich bar, in a terminal or a notebook."""
    if callable(option):
        yield option
    elif not option:
        yield lambda done, total: None
    else:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns) as bar:
            task = bar.add_task(title, total=total_bytes)
            yield lambda done, total: bar.update(task, completed=done)
