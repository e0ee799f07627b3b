"""Progress of long work on standard error: one line that changes, or a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Self

_REDRAW_S, _LINE_S = 0.1, 5.0


class StandardError:
    """`progress(what, done, total)`; in a pipe, each new thing and then one line in 5 s.

    A context manager: at its end it leaves the line that changes.
    """

    def __init__(self) -> None:
        self._what = ""
        self._shown_at = 0.0
        self._tty = sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        now, new = time.monotonic(), what != self._what
        wait_s = _REDRAW_S if self._tty else _LINE_S
        if not new and now - self._shown_at < wait_s:
            return
        self._shown_at = now
        share = f" {100 * done // total} %" if total > 1 and (done or not new) else ""
        if self._tty:
            end = "\n" if new and self._what else ""
            sys.stderr.write(f"{end}\r\x1b[K  {what}{share}")
        else:
            sys.stderr.write(f"  {what}{share}\n")
        sys.stderr.flush()
        self._what = what

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._tty and self._what:
            sys.stderr.write("\n")
