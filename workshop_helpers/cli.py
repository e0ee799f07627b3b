"""The `workshop` command. Each command imports what it needs when it runs: help is quick."""

from __future__ import annotations

import errno
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

from .start import end_if_damaged, forgive_encodings, settle_matplotlib

try:
    import typer
    from rich.console import Console
    from rich.text import Text

    from .bundle.commands import app as bundle_app
    from .errors import SetupError, WorkshopError
    from .failures.commands import app as docs_app
    from .firmware.commands import flash_command
    from .modules.commands import app as modules_app
    from .options import JsonOption, PortOption
except (ImportError, SyntaxError) as error:  # so early that main() is not there yet to say it
    end_if_damaged(error)
    raise

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From nothing to machine learning running live on a microcontroller.",
)
app.add_typer(modules_app, name="modules")
app.add_typer(bundle_app, name="bundle")
app.add_typer(docs_app, name="docs")
app.command("flash")(flash_command)


@app.command()
def demo(
    port: PortOption = None,
    seconds: Annotated[
        float, typer.Option(min=3, max=600, help="How long to stream; the first window takes 2 s.")
    ] = 20.0,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("out/demo"),
    as_json: JsonOption = False,
) -> None:
    """The whole loop on real data: train, convert, verify on the board, stream, report."""
    settle_matplotlib()
    from .demo import run_demo

    # With --json the only thing on standard output is the object, so that it can be piped.
    console = Console(stderr=as_json)
    result = run_demo(port=port, seconds=seconds, out_dir=out, console=console)
    if as_json:
        print(json.dumps(result.as_dict()))


@app.command()
def lab(
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Open JupyterLab on the notebooks."""
    from .course.lab import open_lab

    settle_matplotlib()
    raise typer.Exit(open_lab(browser))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run every check and test, notebooks included. What follows goes to pytest."""
    from .testing import run_tests

    raise typer.Exit(run_tests(context.args))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A file in benchmarks/, without .py.")],
) -> None:
    """Run a benchmark, as `bench stream --json`. What follows the name goes to it."""
    from .testing import run_benchmark

    raise typer.Exit(run_benchmark(name, context.args))


@app.command()
def board(
    flash: Annotated[
        Path | None, typer.Option(help="Keep the flash in this file; default: thrown away.")
    ] = None,
    flash_kib: Annotated[
        int, typer.Option(min=64, max=65536, help="Size of the flash in KiB.")
    ] = 2048,
    heap_kib: Annotated[
        int, typer.Option(min=32, max=1048576, help="Size of the heap in KiB.")
    ] = 256,
    baud: Annotated[int | None, typer.Option(min=300, help="Pace it like this UART.")] = None,
    socket: Annotated[bool, typer.Option(help="Offer it on a socket, not on a PTY.")] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=VALUE]", help="Let it misbehave; `list` shows how it can."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the faults: the same seed, the same bytes.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Run a virtual board until Ctrl-C: real MicroPython on a serial port."""
    from .board.virtual import fault_rows, fault_table, faults_from, run_board_forever

    if fault and "list" in fault:
        print(json.dumps(fault_rows())) if as_json else Console().print(fault_table())
        return
    run_board_forever(
        flash=flash,
        flash_size_bytes=flash_kib * 1024,
        heap_size_bytes=heap_kib * 1024,
        baud=baud,
        transport="socket" if socket else "auto",
        faults=faults_from(fault or [], seed),
        as_json=as_json,
    )


@app.command()
def doctor(
    port: PortOption = None,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="Write it to this file as well, with nothing private in it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at this laptop and at the board; say what is wrong and how to mend it.

    A program that runs on the board is stopped; a reset starts main.py again.
    Exit code 1 if something that matters is wrong. --json keeps paths and port names as they are:
    pass on what --report writes.
    """
    from .doctor import Check, DoctorReport, examine, failed, write_report

    console, report = Console(), DoctorReport()

    def found(check: Check) -> None:
        report.checks.append(check)
        if not as_json:
            console.print(check, soft_wrap=True)

    for check in examine(port):
        found(check)
    if report_file is not None:
        try:
            write_report(report, report_file)
            print(f"To paste when you ask for help: {report_file}", file=sys.stderr)
        except SetupError as error:  # the findings may say why
            found(failed("report", error))
    if as_json:
        print(json.dumps(report.as_dict()))
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def progress(
    reset: Annotated[bool, typer.Option("--reset", help="Forget it, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What you have shown you can do, notebook by notebook; kept on this laptop only."""
    from .course import progress as course

    if reset:
        if not yes:
            typer.confirm("Forget which exercises you have passed?", abort=True, err=as_json)
        print("Forgotten." if course.reset() else "There was nothing to forget.", file=sys.stderr)
    found = course.read_progress()
    if as_json:
        print(json.dumps(course.as_dict(found)))
    elif not reset:
        Console().print(course.table_of(found))


def _fail(error: WorkshopError) -> NoReturn:
    # Not folded at the terminal's width: a command in it is to be copied as it is.
    shown = Text.assemble(("✘", "bold red"), f" {error}")
    Console(stderr=True).print(shown, soft_wrap=True)
    if "--json" in sys.argv[1:]:  # whoever reads the last line is to find an object there
        with suppress(OSError):
            print(json.dumps({"error": error.code, "what": error.what, "mend": error.mend}))
    raise SystemExit(1) from None


def main() -> None:
    """Entry point: a known failure is two lines and exit code 1, not a traceback."""
    forgive_encodings()
    try:
        app()
    except (ImportError, SyntaxError) as error:
        end_if_damaged(error)
        raise
    except WorkshopError as error:
        _fail(error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _fail(SetupError("The disk is full.", "Make room, then run the same command again."))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
