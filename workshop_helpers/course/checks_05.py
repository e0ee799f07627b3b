"""Checks of the exercises in notebook 05."""

from __future__ import annotations

from collections.abc import Callable

from ..modules import ARCHES, arch_of
from .checks import Verdict, check_for

PICO2_MPY = 7942


@check_for("05.1", skill="read off a board which native code it can load")
def read_the_number(arch: object, abi: object) -> Verdict:
    wanted_arch, wanted_abi = arch_of(PICO2_MPY)
    if arch is None or abi is None:
        return Verdict(False, "Two answers are wanted: a name from ARCHES, and text like '6.3'.")
    if isinstance(arch, int):
        return Verdict(False, f"{arch} is a number; ARCHES[{arch}] is its name.")
    if arch not in ARCHES:
        return Verdict(False, f"{arch!r} is not one of ARCHES.")
    if arch != wanted_arch:
        return Verdict(False, f"Not {arch}: look at the four bits from bit 10 on.")
    if isinstance(abi, int | float):
        return Verdict(False, "Give the ABI as text, like '6.3': 6.10 would be another than 6.1.")
    if abi != wanted_abi:
        return Verdict(False, f"The architecture is right; the ABI is not {abi!r}: bits 0 to 9.")
    return Verdict(True, "A Cortex-M33 with a single-precision float unit.")


@check_for("05.2", skill="choose the build of a module that fits a board")
def choose_a_build(choose: Callable[[int, list[str]], object]) -> Verdict:
    def says(arch: str | None) -> int:
        return ARCHES.index(arch) << 10 | 3 << 8 | 6

    six = ["armv6m", "armv7m", "armv7emsp", "x64", "xtensawin", "rv32imc"]
    cases: list[tuple[str | None, list[str], str | None, str]] = [
        ("xtensawin", six, "xtensawin", "an exact match is there"),
        ("armv7emsp", six, "armv7emsp", "an exact match is there"),
        ("armv7em", six, "armv7m", "the nearest before it is armv7m, not armv6m"),
        ("armv7emdp", six, "armv7emsp", "the nearest before it is armv7emsp"),
        ("armv6m", ["armv7m", "x64"], None, "an armv6m can't run what was made for a larger chip"),
        ("x86", six, None, "x86 loads nothing but x86"),
        (None, six, None, "it loads no native code at all: arch_of says None"),
    ]
    for arch, there, wanted, why in cases:
        board = arch or "a board without an architecture"
        try:
            got = choose(says(arch), list(there))
        except Exception as error:  # whatever the learner's code raises is feedback, not a crash
            return Verdict(False, f"choose for {board} raised {type(error).__name__}: {error}")
        if got != wanted:
            return Verdict(False, f"For {board} it chose {got!r} of {there}, but {why}.")
    return Verdict(True, "That is what install() does, too.")
