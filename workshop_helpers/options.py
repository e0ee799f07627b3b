"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        envvar="WORKSHOP_PORT",
        help="COM5, /dev/ttyUSB0, socket://host:port, rfc2217://… or 'virtual'. "
        "Default: a plugged-in board, else the virtual one.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]
MirrorOption = Annotated[
    str | None,
    typer.Option(
        "--mirror",
        envvar="WORKSHOP_MIRROR",
        help="Where to get official modules: http://host:port, a bundle's folder, or 'none'.",
    ),
]
