"""`workshop flash`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..options import JsonOption, PortOption

if TYPE_CHECKING:
    from ..board.catalogue import KnownBoard


def flash_command(
    board: Annotated[
        str | None, typer.Option("--board", help="An id of the catalogue: esp32-c3, pico, ….")
    ] = None,
    port: PortOption = None,
    firmware: Annotated[
        Path | None, typer.Option(help="A firmware file; default: the newest at hand.")
    ] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="List the boards and their firmware.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Do not erase the files first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put MicroPython on a board. Everything on it is lost; a wrong chip is refused before that."""
    from ..board import catalogue
    from ..errors import FirmwareError, UnknownBoardError
    from .flash import flash
    from .image import check_image, read_image
    from .sources import find_firmware
    from .tools import refuse_by_hand

    if show_list:
        _list(as_json)
        return
    known = catalogue.find(board) if board else _plugged_in(port)
    if known is None:
        raise UnknownBoardError(
            "Which board is it?", "Name it with --board; `workshop flash --list` shows all."
        )
    refuse_by_hand(known)
    path = find_firmware(known, firmware)
    check_image(read_image(path), known)
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise FirmwareError(
                "This erases the board, and nobody is here to ask.", "Run it with --yes."
            )
        typer.confirm(f"Erase the {known.title} and write {path.name}?", abort=True, err=True)
    result = flash(known, port, path, erase=not keep, progress=not as_json)
    print(json.dumps(result.as_dict()) if as_json else repr(result)[1:-1])


def _plugged_in(port: str | None) -> KnownBoard | None:
    """The one board that USB shows, if it can be only one."""
    from ..board import catalogue, list_ports

    for record in list_ports():
        if record.vid is not None and record.pid is not None and port in (None, record.device):
            boards = catalogue.match((record.vid, record.pid))
            if len(boards) == 1:
                return boards[0]
    return None


def _list(as_json: bool) -> None:
    from ..board import catalogue

    boards = catalogue.all_boards()
    if as_json:
        rows = [
            {"id": b.id, "name": b.title, "firmware": b.firmware, "page": b.download_page}
            for b in boards
        ]
        print(json.dumps({"boards": rows}))
        return
    table = Table("id", "board", "chip", "firmware", "written by")
    for b in boards:
        ours = b.flash_method in ("esptool", "uf2")
        by = "this command" if ours else f"{b.flash_method}, by hand"
        table.add_row(b.id, b.title, b.chip, b.firmware, by)
    Console().print(table)
