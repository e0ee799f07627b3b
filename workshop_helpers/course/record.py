"""What a learner has tried and shown, kept in one small file on this laptop.

For each exercise how often it was checked, and whether it ever passed. No answers, no names, no
times; nothing leaves the laptop.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..paths import progress_file
from .display import show_line

FORMAT = 1
_unsaved: dict[str, Tried] = {}  # since the kernel started, where the file can't be written
_said: set[str] = set()


@dataclass(frozen=True)
class Tried:
    """One exercise: checks so far, and whether one of them passed."""

    tries: int
    passed: bool


def read_record() -> dict[str, Tried]:
    """Exercise -> what was tried. A file that can't be understood is set aside, with a word."""
    path = progress_file()
    try:
        found = _parse(path.read_bytes())
    except FileNotFoundError:
        found = {}
    except OSError as error:
        _say_once(f"Your progress in {path} can't be read: {error.strerror}.")
        found = {}
    except (ValueError, KeyError, TypeError, AttributeError):
        _set_aside(path)
        found = {}
    return found | _unsaved


def note(exercise: str, passed: bool) -> None:
    """One more try. What was shown once stays shown. Never raises for a file it can't write."""
    record = read_record()
    before = record.get(exercise, Tried(0, False))
    record[exercise] = Tried(before.tries + 1, before.passed or passed)
    rows = {key: {"tries": t.tries, "passed": t.passed} for key, t in sorted(record.items())}
    text = json.dumps({"format": FORMAT, "exercises": rows}, indent=1) + "\n"
    path = progress_file()
    try:
        write_whole(path, text.encode("ascii"))
    except OSError as error:
        _unsaved[exercise] = record[exercise]
        _say_once(
            f"Your progress can't be kept in {path}: {error.strerror}. Until this kernel ends it "
            "is remembered; WORKSHOP_PROGRESS can name another file."
        )
    else:
        _unsaved.clear()


def forget() -> bool:
    """Remove the file; whether there was one. Raises OSError if it can't be removed."""
    _unsaved.clear()
    try:
        progress_file().unlink()
    except FileNotFoundError:
        return False
    return True


def _parse(data: bytes) -> dict[str, Tried]:
    known: dict[str, Any] = json.loads(data)
    if known["format"] != FORMAT:
        raise ValueError("another format")
    found = {}
    for exercise, row in known["exercises"].items():
        if type(row["tries"]) is not int or type(row["passed"]) is not bool:
            raise ValueError("another type")
        found[exercise] = Tried(row["tries"], row["passed"])
    return found


def _set_aside(path: Path) -> None:
    number = 1
    while (kept := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    try:
        os.replace(path, kept)
    except OSError as error:
        _say_once(f"Your progress in {path} is damaged, and stays there: {error.strerror}.")
    else:
        show_line("·", f"Your progress file was damaged. It is kept as {kept}.", good=None)


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        show_line("·", text, good=None)
