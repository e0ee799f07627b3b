"""Entry: reads the configuration, offers the port, obeys its parent until that is gone.

The parent writes one line of JSON (the configuration), then one command a line: `power_cut`,
`power_on`. It gets one line of JSON for each event. The end of stdin is the end of the board.
"""

from __future__ import annotations

from .config import Config


def main() -> None:
    with open(0, "rb", buffering=0, closefd=False) as stdin:  # unbuffered: commands follow
        config = Config.from_json(stdin.readline().decode())
    from .loop import Loop

    Loop(config).run()
