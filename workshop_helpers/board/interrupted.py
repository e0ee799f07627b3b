"""What ran on a board when its prompt was taken, by the traceback that it left."""

from __future__ import annotations

import re

_FILE = re.compile(rb'  File "/?(main|boot)\.py", line ')


def interrupted(said: bytes) -> str | None:
    """ "main.py", "boot.py" or "a program", if Ctrl-C ended one; None if no traceback says so.

    A program that catches KeyboardInterrupt and says nothing can't be told from a silent prompt.

    Args:
        said: what came from the first Ctrl-C until the prompt.
    """
    if b"KeyboardInterrupt" not in said:
        return None
    file = _FILE.search(said)
    return f"{file[1].decode()}.py" if file else "a program"
