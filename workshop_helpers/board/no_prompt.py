"""Something is on the port, but no MicroPython prompt: what to press, for the board that it is."""

from __future__ import annotations

from ..errors import NoPromptError
from . import catalogue

_SHOWN_BYTES = 80
_MOST_GROUPS = 4


def no_prompt(
    port: str, seen: bytes, timeout_s: float, usb: tuple[int, int] | None = None
) -> NoPromptError:
    """The error for a port on which `seen` came within `timeout_s`, and no prompt.

    Args:
        usb: vendor and product of the port, as the system lists it. The catalogue knows the
            buttons of the board that has them.
    """
    loader = b"waiting for download" in seen
    if seen:
        tail = repr(seen[-_SHOWN_BYTES:])[2:-1]
        what = f"What answers on {port} is not a MicroPython prompt. It said: {tail}"
    else:
        what = f"Nothing came back from {port} within {timeout_s:g} s."
    mend = steps(catalogue.match(usb) if usb else (), loader=loader)
    if mend is None and loader:
        mend = "The board is in its boot loader: press RESET without holding BOOT."
    return NoPromptError(what, mend, port=port, seen=seen)


def steps(boards: tuple[catalogue.KnownBoard, ...], *, loader: bool) -> str | None:
    """How to reset a board and how to reach its boot loader, in one line; None for no board.

    One USB identity may stand for several boards: each group with the same buttons by its names.

    Args:
        loader: it is in its boot loader already.
    """
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[catalogue.KnownBoard]] = {}
    for board in boards:
        groups.setdefault((board.reset_steps, board.boot_steps), []).append(board)
    if not groups:
        return None
    parts = []
    largest_first = sorted(groups.items(), key=lambda group: -len(group[1]))
    for (reset, boot), same in largest_first[:_MOST_GROUPS]:
        text = f"{', '.join(board.name for board in same)}: {' '.join(reset)}"
        if not loader:
            text += f" If that changes nothing, BOOT: {' '.join(boot)}"
        parts.append(text)
    before = "It is in its boot loader; reset it. " if loader else ""
    after = "" if loader else " Then flash it: `workshop flash --list`."
    return before + " | ".join(parts) + after
