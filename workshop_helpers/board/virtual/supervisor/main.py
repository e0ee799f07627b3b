"""Entry: reads the configuration, offers the port, obeys its parent until that is gone.

The parent writes one line of JSON (the configuration), then one command a line: `power_cut`,
`power_on`. It gets one line of JSON for each event. The end of stdin is the end of the board.
"""

from __future__ import annotations

import sys

from .config import Config


def main() -> None:
    config = Config.from_json(sys.stdin.buffer.raw.readline().decode())  # type: ignore[attr-defined]
    from .loop_posix import Loop

    Loop(config).run()
