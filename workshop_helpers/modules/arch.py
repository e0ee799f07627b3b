"""Which native code a board can load."""

from __future__ import annotations

# MicroPython's numbers for native architectures, in their order (py/persistentcode.h).
ARCHES: tuple[str | None, ...] = (
    None,
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)
# What we build: `armv6` and `rv64imc` are not among the boards of the course.
BUILT_ARCHES: tuple[str, ...] = (
    "x64",
    "x86",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
)
# Those with instructions for floats, which MicroPython's inline assembler has too.
FPU_ARCHES: tuple[str, ...] = ("armv7emsp", "armv7emdp")
# A Cortex-M loads every file from armv6m up to its own architecture. All have Thumb code.
CORTEX_M = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")


def arch_of(mpy: int) -> tuple[str | None, str]:
    """Read `sys.implementation._mpy`: (architecture or None, `.mpy` version).

    `arch_of(2822)` is `("x64", "6.3")`. None: the board loads no native code, or code for an
    architecture that is newer than this table.
    """
    number = (mpy >> 10) & 15  # bits above are flags of RISC-V extensions
    arch = ARCHES[number] if number < len(ARCHES) else None
    return arch, f"{mpy & 0xFF}.{(mpy >> 8) & 3}"


def compatible(arch: str | None) -> tuple[str, ...]:
    """The architectures whose files this one loads, best first; () for None."""
    if arch is None:
        return ()
    if arch in CORTEX_M:
        return CORTEX_M[CORTEX_M.index(arch) :: -1]
    return (arch,)
