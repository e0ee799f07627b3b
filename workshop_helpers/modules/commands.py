"""`workshop modules ...`: list, install, verify, build."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..options import JsonOption, MirrorOption, PortOption
from ..text import printable

if TYPE_CHECKING:
    from ..board import Board
    from .inventory import BoardModule

app = typer.Typer(no_args_is_help=True, help="Native modules: list, install, verify, build them.")


@app.command("list")
def list_modules(as_json: JsonOption = False) -> None:
    """Every module there is: ours, and the official ones by the lock."""
    from .inventory import known_modules
    from .lock import load_lock
    from .tables import known_table

    lock, known = load_lock(), known_modules()
    if as_json:
        modules = [module.as_dict() for module in known]
        print(json.dumps({"official": lock.version, "abi": lock.abi, "modules": modules}))
    else:
        Console().print(known_table(lock, known))


@app.command("install")
def install_modules(
    names: Annotated[list[str], typer.Argument(help="emlearn_trees, ...; or 'all'.")],
    port: PortOption = None,
    source: Annotated[
        str, typer.Option(help="auto, official, workshop, native (ours) or plain (ours).")
    ] = "auto",
    mirror: MirrorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put modules on the board, import them there and let each predict once."""
    from ..board import connect
    from .candidates import chosen_source
    from .install import InstalledModule, install
    from .inventory import known_modules

    if names == ["all"]:
        official = chosen_source(source) == "official"
        names = [m.name for m in known_modules() if (m.official if official else m.ours)]
    done: list[InstalledModule] = []
    with connect(port) as board:
        for name in names:
            with Console(stderr=True).status(name):
                done.append(install(board, name, source, mirror=mirror))  # type: ignore[arg-type]
            if not as_json:
                print(printable(repr(done[-1])[1:-1]), flush=True)
        _say_if_gone(board)
    if as_json:
        print(json.dumps({"modules": [module.as_dict() for module in done]}))


@app.command("verify")
def verify_modules(port: PortOption = None, as_json: JsonOption = False) -> None:
    """Look at every module on the board: which build it is, and whether it still predicts.

    Known builds are imported and predict once. One of unknown make is named, and not run.
    """
    from ..board import connect
    from .inventory import board_modules

    with connect(port) as board:
        found = board_modules(board)
        _say_if_gone(board)
    ok = all(module.ok for module in found)
    if as_json:
        print(json.dumps({"ok": ok, "modules": [module.as_dict() for module in found]}))
    else:
        for module in found:
            arch = f" for {module.arch}" if module.arch else ""
            sign = "✔" if module.ok else "✘"
            what = f"{module.source}{arch}, {module.size_bytes} bytes; {_state(module)}"
            print(printable(f"{sign} {module.path}: {what}"))
        if not found:
            print("There is no module of ours or of the official set in the board's /lib.")
    raise typer.Exit(0 if ok else 1)


def _say_if_gone(board: Board) -> None:
    """A virtual board that came with the command is empty before and gone after it."""
    if board.is_virtual:
        text = (
            "This virtual board and its files end with the command; one that stays: workshop board"
        )
        print(text, file=sys.stderr)


def _state(module: BoardModule) -> str:
    from .lock import load_lock
    from .try_out import smoke_call

    if module.fault:
        return module.fault
    if module.source == "unknown":
        return "not a build that we know, so it was not tried: install it again"
    tried = smoke_call(module.name) is not None
    state = "predicts as it should" if tried else "imports; there is no trial prediction for it"
    known = load_lock().faults.get(module.name) if module.source.startswith("official") else None
    return f"{state}; known of it: {known}" if known else state


@app.command("build")
def build_modules(
    arch: Annotated[str | None, typer.Option(help="One architecture; default: all.")] = None,
    out: Annotated[Path | None, typer.Option(help="Copy the built files here.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compile every native module for every architecture; their sizes beside the official ones."""
    from rich.progress import Progress

    from .build import build_all
    from .lock import load_lock
    from .tables import size_table

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling")
        built = build_all(arch, out, progress=lambda n, of: bar.update(task, completed=n, total=of))
    lock = load_lock()
    if as_json:
        modules = [module.as_dict() for module in built]
        print(json.dumps({"official": lock.version, "modules": modules}))
    else:
        Console().print(size_table(lock, built))
