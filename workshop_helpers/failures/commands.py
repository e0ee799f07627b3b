"""`workshop docs ...`: pages that are made, not written."""

from __future__ import annotations

from typing import Annotated

import typer

from ..error_page import PAGE

app = typer.Typer(no_args_is_help=True, help="Pages of docs/ that are made from data.")


@app.callback()
def _docs() -> None:
    """With one command only, typer would leave its name out."""


@app.command("errors")
def errors(
    check: Annotated[bool, typer.Option("--check", help="Only look; exit 1 if it is old.")] = False,
) -> None:
    """Make docs/errors.md from the table of failures."""
    from .page import write_page

    if not write_page(check=check):
        print(f"{PAGE} is not what the table says: run `workshop docs errors`.")
        raise typer.Exit(1)
    print(f"{PAGE} is as the table says.")
