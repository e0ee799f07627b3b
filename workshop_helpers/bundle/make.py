"""Make a bundle: official modules, firmware, wheels, the workshop itself, and the manifest last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..board import catalogue
from ..errors import BundleError, ModuleError
from ..files import write_whole
from ..modules.arch import compatible
from ..modules.drivers import drivers, fetch_driver
from ..modules.drivers import notice as drivers_notice
from ..modules.lock import Lock, LockedModule, load_lock
from ..modules.official import fetch
from . import firmware as firmware_files
from .flash_tools import get_flash_tools
from .manifest import MANIFEST, Manifest, Progress, describe, listed_in, project_version
from .pages import index_page, modules_notice
from .project import project_zip
from .requirements import (
    PLATFORMS,
    PYTHONS,
    project_lock_sha256,
    this_platform,
    this_python,
)
from .wheels import get_wheels

# While a bundle is being made, this stands where the manifest will be.
INCOMPLETE = "workshop-bundle-incomplete"
# Boards and chips by name, beside the architectures themselves: the catalogue's, and a few more.
BOARDS = {
    "virtual": "x64",
    "esp32-s2": "xtensawin",
    "stm32f4": "armv7emsp",
    "stm32f7": "armv7emsp",
    **{board.chip.lower(): board.arch for board in catalogue.all_boards()},
    **{board.id: board.arch for board in catalogue.all_boards()},
}
ALL = ("all",)


@dataclass(frozen=True)
class Wanted:
    """What to gather; the defaults are for a room of laptops like this one.

    boards: chips or architectures, see `BOARDS`; ("all",): every official architecture; (): no
    official modules, and no drivers of sensors. platforms, pythons: ("all",) or names; () for
    platforms: no wheels; None: this laptop's. tests: what `workshop test` needs, too. firmware:
    files, mpflash: board ids.
    """

    boards: tuple[str, ...] = ALL
    platforms: tuple[str, ...] | None = None
    pythons: tuple[str, ...] | None = None
    tests: bool = False
    firmware: tuple[Path, ...] = ()
    mpflash: tuple[str, ...] = ()
    mirror: str | None = None


def make_bundle(
    folder: Path | str, wanted: Wanted | None = None, progress: Progress | None = None
) -> Manifest:
    """Make a bundle in `folder`, or make the one there anew; what is good in it is kept.

    Without a manifest it is no bundle, so one that was cut short is never taken for whole; the
    same call goes on with it. `progress(what, done, total)` follows.

    Raises:
        BundleError: the folder holds other things, a choice is unknown, or something can't be had.
    """
    wanted, step = wanted or Wanted(), progress or (lambda what, done, total: None)
    folder = Path(folder)
    lock = load_lock()
    arches = _arches(lock, wanted.boards)
    targets = _targets(wanted)
    try:
        _claim(folder)
        _modules(folder, lock, arches, wanted.mirror, step)
        _drivers(folder, bool(arches), wanted.mirror, step)
        _keep_only(folder / "firmware", set())
        firmware_files.gather(folder / "firmware", wanted.firmware, wanted.mpflash, step)
        step("the workshop itself", 0, 1)
        write_whole(folder / "workshop.zip", project_zip(avoid=folder))
        if targets:
            get_wheels(folder / "wheels", targets, tests=wanted.tests, progress=step)
        else:
            _keep_only(folder / "wheels", set())
        get_flash_tools(folder / "flash", targets, step)
        return _finish(folder, lock, arches, targets, wanted.tests, step)
    except OSError as error:
        raise BundleError(
            f"The bundle can't be written: {error}.", "Look at the disk's free space and rights."
        ) from None


def _finish(
    folder: Path,
    lock: Lock,
    arches: list[str],
    targets: list[tuple[str, str]],
    tests: bool,
    step: Progress,
) -> Manifest:
    (folder / INCOMPLETE).unlink()
    ours = ("builds/", "drivers/", "firmware/", "flash/", "wheels/", "workshop.zip")
    names = {name for name in listed_in(folder) if name.startswith(ours)}
    manifest = Manifest(
        workshop=project_version(),
        lock_sha256=project_lock_sha256(),
        official=lock.version if arches else None,
        boards=tuple(arches),
        wheels=tuple(targets),
        tests=tests,
        files=describe(folder, names, step),
    )
    page = index_page(manifest, "THIS-FOLDER").encode()
    write_whole(folder / "index.html", page)
    manifest.files.update(describe(folder, {"index.html"}, step))
    manifest.write(folder)
    return manifest


def _claim(folder: Path) -> None:
    """Make the folder ours, and a bundle in the making. What is not of a bundle stays."""
    free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not free and not (folder / INCOMPLETE).is_file() and not _is_bundle(folder):
        raise BundleError(
            f"{folder} is there and is not a bundle.", "Name a new or an empty folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INCOMPLETE).touch()
    (folder / MANIFEST).unlink(missing_ok=True)


def _is_bundle(folder: Path) -> bool:
    try:
        Manifest.read(folder)
    except BundleError:
        return False
    return True


def _modules(
    folder: Path, lock: Lock, arches: list[str], mirror: str | None, step: Progress
) -> None:
    chosen: list[LockedModule] = [locked for locked in lock.all() if locked.arch in arches]
    for done, locked in enumerate(chosen):
        step("official modules", done, len(chosen))
        try:
            data = fetch(locked, mirror).read_bytes()
        except ModuleError as error:
            raise BundleError(
                error.what,
                "Connect to the network, give --mirror, or leave them out with --no-official: "
                "boards then get the workshop's own.",
            ) from error
        target = folder / locked.path
        if not target.is_file() or target.read_bytes() != data:
            write_whole(target, data)
    _keep_only(folder / "builds", {folder / locked.path for locked in chosen})
    if chosen:
        write_whole(folder / "builds" / "README.txt", modules_notice(lock).encode())
        step("official modules", len(chosen), len(chosen))


def _drivers(folder: Path, wanted: bool, mirror: str | None, step: Progress) -> None:
    """What sensors take from micropython-lib."""
    chosen = drivers() if wanted else {}
    for done, (name, locked) in enumerate(chosen.items()):
        step("drivers of sensors", done, len(chosen))
        try:
            data = fetch_driver(name, mirror)
        except ModuleError as error:
            raise BundleError(
                error.what,
                "Connect to the network, give --mirror, or leave them out with --no-official.",
            ) from error
        write_whole(folder / locked.path, data)
    _keep_only(folder / "drivers", {folder / locked.path for locked in chosen.values()})
    if chosen:
        write_whole(folder / "drivers" / "README.txt", drivers_notice().encode())
        step("drivers of sensors", len(chosen), len(chosen))


def _keep_only(folder: Path, wanted: set[Path]) -> None:
    for path in list(folder.rglob("*")):
        if path not in wanted and (path.is_symlink() or not path.is_dir()):
            path.unlink()


def _arches(lock: Lock, boards: Iterable[str]) -> list[str]:
    """Architectures of official builds that the boards load, each board's best."""
    every = sorted({locked.arch for locked in lock.all()})
    found = set()
    for board in boards:
        if board == "all":
            return every
        arch = BOARDS.get(board.lower(), board)
        best = next((a for a in compatible(arch) if a in every), None)
        if best is None:
            raise BundleError(
                f"There are no official modules for {board!r}.",
                f"There are for: {', '.join([*BOARDS, *every])}, or 'all'.",
            )
        found.add(best)
    return sorted(found)


def _targets(wanted: Wanted) -> list[tuple[str, str]]:
    platforms = (this_platform(),) if wanted.platforms is None else wanted.platforms
    pythons = (this_python(),) if wanted.pythons is None else wanted.pythons
    platforms = tuple(PLATFORMS) if platforms == ALL else platforms
    pythons = PYTHONS if pythons == ALL else pythons
    for chosen, there in ((platforms, PLATFORMS), (pythons, PYTHONS)):
        for name in chosen:
            if name not in there:
                raise BundleError(
                    f"There are no wheels for {name!r}.", f"There are: {', '.join(there)}, 'all'."
                )
    return [(name, python) for name in platforms for python in pythons]
