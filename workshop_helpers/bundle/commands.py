"""`workshop bundle ...`: make, verify, serve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..network import OPEN, loopback_only
from ..options import JsonOption, MirrorOption

app = typer.Typer(no_args_is_help=True, help="All that a room without Internet needs, in a folder.")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The bundle's folder.")]


@app.command("make")
def make(
    folder: Folder,
    platform: Annotated[
        list[str] | None,
        typer.Option(help="linux-x86_64, macos-arm64, windows-x86_64, ... or all; default: this."),
    ] = None,
    python: Annotated[
        list[str] | None, typer.Option(help="3.11 to 3.14, or all; default: this one.")
    ] = None,
    board: Annotated[
        list[str] | None,
        typer.Option(help="Official modules for: rp2040, esp32-s3, armv6m, ...; default: all."),
    ] = None,
    firmware: Annotated[list[Path] | None, typer.Option(help="A firmware file to add.")] = None,
    mpflash: Annotated[
        list[str] | None, typer.Option(help="A board id whose firmware mpflash fetches.")
    ] = None,
    official: Annotated[bool, typer.Option(help="With official modules and drivers.")] = True,
    wheels: Annotated[bool, typer.Option(help="With the Python packages.")] = True,
    tests: Annotated[bool, typer.Option("--tests", help="Also what the tests need.")] = False,
    mirror: MirrorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Gather modules, firmware, wheels and the workshop itself; again, it goes on or renews."""
    from ..board.commands import command_line
    from .make import ALL, Wanted, make_bundle
    from .progress import StandardError

    wanted = Wanted(
        boards=tuple(board or ALL) if official else (),
        platforms=(tuple(platform) if platform else None) if wheels else (),
        pythons=tuple(python) if python else None,
        tests=tests,
        firmware=tuple(firmware or ()),
        mpflash=tuple(mpflash or ()),
        mirror=mirror,
    )
    with StandardError() as progress:
        manifest = make_bundle(folder, wanted, progress)
    if as_json:
        facts = {
            "folder": str(folder),
            "files": len(manifest.files),
            "size_bytes": manifest.size_bytes,
            "official": manifest.official,
            "boards": list(manifest.boards),
            "wheels": [{"platform": name, "python": version} for name, version in manifest.wheels],
        }
        print(json.dumps(facts))
        return
    print(f"✔ {folder}: {len(manifest.files)} files, {manifest.size_bytes / 1e6:.0f} MB")
    if not any(name.startswith("firmware/") for name in manifest.files):
        print("  Without firmware: add files with --firmware FILE, if boards must be flashed.")
    if not manifest.wheels:
        print("  Without Python packages: only for laptops on which the workshop is set up.")
    place = command_line([str(folder)])  # in quotes if a terminal needs them
    print(f"  Use it:   python3 workshop.py --bundle {place} demo")
    print(f"  Offer it: workshop bundle serve {place} --host 0.0.0.0")


@app.command("verify")
def verify(folder: Folder, as_json: JsonOption = False) -> None:
    """Check every file of a bundle by its SHA-256, and against the workshop's own locks."""
    from .manifest import verify_bundle
    from .progress import StandardError

    with StandardError() as progress:
        report = verify_bundle(folder, progress)
    if as_json:
        print(json.dumps(report.as_dict()))
    else:
        for path, fault in report.faults.items():
            print(f"✘ {path}: {fault}")
        for path in report.extra:
            print(f"  {path}: not in the manifest, so nobody uses it")
        if report.ok:
            size = f"{report.size_bytes / 1e6:.0f} MB"
            print(f"✔ {folder}: {report.files} files, {size}, all as they should be")
    raise typer.Exit(0 if report.ok else 1)


@app.command("serve")
def serve(
    folder: Folder,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0: every network.")
    ] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8765,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle, then offer it over plain HTTP until Ctrl-C."""
    from .manifest import verify_bundle
    from .progress import StandardError
    from .serve import BundleServer

    with StandardError() as progress:
        verify_bundle(folder, progress).require()
    server = BundleServer(folder, host, http_port)
    try:
        if as_json:
            print(json.dumps({"urls": server.urls, "host": host, "port": server.port}), flush=True)
        else:
            print("The bundle is at " + " and ".join(server.urls))
            if loopback_only(host):
                print("  On this laptop only. For the room: --host 0.0.0.0")
            else:
                print(f"  {OPEN}")
            print(f"  In the room: python3 workshop.py --bundle {server.urls[0]} demo")
            print("  Ctrl-C ends it.", flush=True)
        server.serve_forever()
    finally:
        server.close()
