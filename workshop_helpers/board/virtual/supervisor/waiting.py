"""Waiting for file descriptors: poll() where there is one, select() on sockets on Windows."""

from __future__ import annotations

import select
import sys

READ, WRITE = 1, 2


def wait(wanted: dict[int, int], timeout_s: float) -> set[int]:
    """Which of `wanted` (descriptor: READ, WRITE or both) can be used, within `timeout_s`."""
    if sys.platform == "win32":
        readers = [fd for fd, events in wanted.items() if events & READ]
        writers = [fd for fd, events in wanted.items() if events & WRITE]
        readable, writable, broken = select.select(readers, writers, readers + writers, timeout_s)
        return {*readable, *writable, *broken}
    poller = select.poll()
    for fd, events in wanted.items():
        mask = (select.POLLIN if events & READ else 0) | (select.POLLOUT if events & WRITE else 0)
        poller.register(fd, mask)
    return {fd for fd, _ in poller.poll(timeout_s * 1000)}
