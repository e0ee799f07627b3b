"""From a board's prompt to a first inference, each step with its mend."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict

from ..board import Board, catalogue, connect
from ..errors import (
    BoardGoneError,
    DeviceMemoryError,
    FlashFullError,
    NoFileSystemError,
    NoPromptError,
    SetupError,
    WorkshopError,
)
from ..firmware.image import check_version
from ..text import printable
from .laptop import compiler_abi
from .report import Check, failed, guard

# What an app with a small model wants in one piece, and what its files take.
_LEAST_BLOCK_BYTES = 24 * 1024
_LEAST_FLASH_BYTES = 64 * 1024
_PLAIN_INSTEAD = (
    "Nothing to do: plain Python modules take its place, slower; or flash a newer MicroPython."
)
_RUN_AGAIN = "To start it again, press RESET on the board or plug it in again."
_TRIAL = "/.doctor.tmp"
_TRIAL_BYTES = 1024


def check_board(which: Board | str | None) -> Iterator[Check]:
    """From the port to a first inference, stopping where nothing more can be asked."""
    try:
        ours = None if isinstance(which, Board) else connect(which)
    except WorkshopError as error:
        yield failed("board", error)
        return
    board = which if isinstance(which, Board) else ours
    assert board is not None
    with ours or nullcontext():
        prompt = guard("board", lambda: check_prompt(board))
        yield prompt
        if not prompt.facts:
            return  # it does not answer
        for name, look in _AT_THE_PROMPT.items():
            found = guard(name, lambda look=look: look(board))  # type: ignore[misc]
            yield found
            if found.code == BoardGoneError.code:
                return  # whatever answers there now, to say it would only mislead


def check_prompt(board: Board) -> Check:
    """Does it answer, is its firmware new enough, and what ran there until we came?"""
    ran, info = board.interrupted, board.info
    stopped = f"{ran} was running and is stopped" if ran else ""
    known = catalogue.match(info)
    name = known[0].title if len(known) == 1 else info.name
    found = printable(f"{name} at {board.port}: MicroPython {info.version}")
    if board.eval("1 + 1") != 2:
        raise NoPromptError(f"What answers at {board.port} can't add.")
    facts = {"port": board.port, "interrupted": ran, **asdict(info)}
    numbers = re.findall(r"\d+", info.version)[:3]
    try:
        check_version(f"What runs at {board.port}", tuple(map(int, numbers)) or None)
    except WorkshopError as error:
        what = f"{error.what} {stopped}." if ran else error.what
        return Check("board", False, what, error.mend, error.code, facts)
    mend = _RUN_AGAIN if ran in ("main.py", "boot.py") else None
    return Check("board", True, f"{found}; {stopped}" if ran else found, mend, facts=facts)


def check_native(board: Board) -> Check:
    """Does it load what our compiler writes?"""
    info, ours = board.info, None
    with suppress(SetupError):  # of which another check tells
        ours = compiler_abi()
    facts = {"arch": info.arch, "board_abi": info.abi, "compiler_abi": ours}
    found = f"{info.arch or 'none'}, .mpy {info.abi or 'unknown'}"
    if ours is None:
        return Check("native code", True, found, facts=facts)
    found += f"; mpy-cross writes {ours}"
    if info.abi is not None and info.abi.split(".")[0] != ours.split(".")[0]:
        mend = "Flash a current MicroPython: `workshop flash --list` names it."
        return Check("native code", False, found, mend, "MODULE_ARCH", facts)
    if info.arch is None or info.abi != ours:
        return Check("native code", True, found, _PLAIN_INSTEAD, "MODULE_ARCH", facts)
    return Check("native code", True, found, facts=facts)


def check_heap(board: Board) -> Check:
    """How much is free, and how much of it in one piece?"""
    info = board.info
    free, largest = info.heap_free_bytes, info.largest_free_block_bytes
    if free is None or largest is None:
        return Check("heap", True, "the board does not say")
    found = f"{_kib(free)} free, {_kib(largest)} of it in one piece"
    facts = {"free_bytes": free, "largest_block_bytes": largest}
    if largest < _LEAST_BLOCK_BYTES:
        mend = f"Below {_kib(_LEAST_BLOCK_BYTES)} little fits. {DeviceMemoryError.default_mend}"
        return Check("heap", True, found, mend, DeviceMemoryError.code, facts)
    return Check("heap", True, found, facts=facts)


def check_flash(board: Board) -> Check:
    """Room, and a small file that is written, read back and removed."""
    info = board.info
    free, total = info.flash_free_bytes, info.flash_total_bytes
    facts = {"free_bytes": free, "total_bytes": total}
    if total is None:
        error = NoFileSystemError("The board has no file system mounted.")
        return Check("flash", False, error.what, error.mend, error.code, facts)
    try:
        # Never what is there already, which put() would skip. Both compare SHA-256 with the board.
        board.put(os.urandom(_TRIAL_BYTES), _TRIAL)
        board.get(_TRIAL)
    except WorkshopError as fault:
        return Check("flash", False, fault.what, fault.mend, fault.code, facts)
    finally:
        with suppress(WorkshopError):
            board.rm(_TRIAL)
    found = f"{_kib(free)} free of {_kib(total)}"
    if free is not None and free < _LEAST_FLASH_BYTES:
        mend = FlashFullError.default_mend
        return Check("flash", True, found, mend, FlashFullError.code, facts)
    return Check("flash", True, f"{found}; a file was written and read back", facts=facts)


def check_modules(board: Board) -> Check:
    """Which modules are there, whose builds are they, and do those we know predict?"""
    from ..modules.inventory import board_modules

    there = board_modules(board)
    shown = [f"{m.name}: {m.source}, SHA-256 {m.sha256[:12]}" for m in there]
    found = printable("; ".join(shown) or "none in /lib yet")
    facts = {"modules": [module.as_dict() for module in there]}
    broken = [module for module in there if module.fault]
    unknown = [module for module in there if module.source == "unknown"]
    if broken:
        names = ", ".join(f"{module.name} ({module.fault})" for module in broken)
        mend = f"board.install({broken[0].name!r}) puts one that works."
        return Check("modules", False, printable(f"{found}. Wrong: {names}"), mend, "MODULE", facts)
    if unknown:
        mend = f"Not tried, of unknown make: board.install({unknown[0].name!r}) puts a known one."
        return Check("modules", True, found, mend, "MODULE", facts)
    return Check("modules", True, found, facts=facts)


def check_inference(board: Board) -> Check:
    """Does a module install, import and predict?"""
    module = board.install("emlearn_trees")
    found = f"emlearn_trees ({module.source}) answers on the board"
    if module.source == "workshop plain" and board.info.arch is not None:  # else said already
        why = [note for note in module.notes if note.startswith("workshop native")]
        found = printable("; ".join([found, *why]))
        return Check("first inference", True, found, _PLAIN_INSTEAD, "MODULE", module.as_dict())
    return Check("first inference", True, found, facts=module.as_dict())


_AT_THE_PROMPT = {
    "native code": check_native,
    "heap": check_heap,
    "flash": check_flash,
    "modules": check_modules,
    "first inference": check_inference,
}


def _kib(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else f"{size_bytes / 1024:,.0f} KiB"
