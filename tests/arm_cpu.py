"""An emulated ARM microcontroller: a Cortex-M0 (armv6m) or M4 (armv7em, armv7emsp), memory and
buffers. The M4's float unit is on; what is compiled for armv7em has no instructions for it.

Stricter than the real ones. Each buffer ends at an unmapped page and what lies around it is
checked, so that no access beside a buffer goes unseen; code can't be written, nor data executed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import unicorn
from unicorn import arm_const as arm

PAGE = 4096
OBJECTS, OBJECTS_END = 0x6000_0000, 0x6010_0000  # the code may only read there
CODE, TABLES, STUBS, STACK, HEAP, HEAP_END = (
    0x0800_0000, 0x1000_0000, 0x1800_0000, 0x1FF0_0000, 0x2000_0000, 0x4000_0000,
)  # fmt: skip
STACK_BYTES = 8192
RETURN = STUBS + PAGE - 4  # where the outermost function returns to
MODELS = {
    "armv6m": arm.UC_CPU_ARM_CORTEX_M0,
    "armv7em": arm.UC_CPU_ARM_CORTEX_M4,
    "armv7emsp": arm.UC_CPU_ARM_CORTEX_M4,
}
_R = [getattr(arm, f"UC_ARM_REG_R{i}") for i in range(13)]
SP, LR, PC = arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_PC
SAVED = (*_R[4:12], SP, LR)  # what a function leaves as it was
SAVED_FLOATS = tuple(getattr(arm, f"UC_ARM_REG_S{i}") for i in range(16, 32))
_PATTERN = b"\xa5"


class ArmFault(Exception):
    """The code did what a real chip or a careful reader would not let pass."""


@dataclass
class _Buffer:
    owner: Any
    base: int
    address: int
    size: int
    before: bytes  # what the owner held when it was last written to the memory


def _pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


def _count(code: bytes) -> int:
    """How many instructions there are in Thumb code."""
    at = n = 0
    while at < len(code):
        at += 4 if code[at + 1] >> 3 >= 0b11101 else 2
        n += 1
    return n


class Cpu:
    """`functions`: machine code by name; it is laid out in flash one after the other.

    To count instructions makes it many times slower.
    """

    def __init__(
        self, arch: str, functions: dict[str, bytes], max_instructions: int, counting: bool = False
    ) -> None:
        self.arch = arch
        self._max = max_instructions
        self.instructions: Counter[str] = Counter()
        self._blocks: dict[tuple[int, int], tuple[str, int]] = {}
        # Without UC_MODE_MCLASS: with it, unicorn 2.1 takes a Cortex-M33 whatever it is told.
        self._uc = uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        uc.ctl_set_cpu_model(MODELS[arch])
        assert uc.ctl_get_cpu_model() == MODELS[arch]
        if arch == "armv7emsp":
            for i, r in enumerate(SAVED_FLOATS):
                uc.reg_write(r, 0x4100_0000 + i)
        self.entry: dict[str, int] = {}
        flash = bytearray()
        for name, code in functions.items():
            flash += bytes(-len(flash) % 16)
            self.entry[name] = CODE + len(flash)
            flash += code
        self._starts, self._names = list(self.entry.values()), list(self.entry)
        self._map(CODE, bytes(flash), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        bx_lr = b"\x70\x47"
        self._map(STUBS, bx_lr * (PAGE // 2), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self._map(STACK - STACK_BYTES, bytes(STACK_BYTES))
        self._map(OBJECTS, bytes(OBJECTS_END - OBJECTS), unicorn.UC_PROT_READ)
        uc.reg_write(SP, STACK)
        self._buffers: dict[int, _Buffer] = {}
        self._free: dict[int, list[int]] = {}  # number of bytes -> addresses
        self._next = HEAP
        self._stub: int | None = None
        self._error: ArmFault | None = None
        if counting:
            uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block, begin=CODE, end=CODE + len(flash))
        if arch == "armv6m":
            uc.hook_add(unicorn.UC_HOOK_EDGE_GENERATED, self._on_new_code)
        uc.hook_add(unicorn.UC_HOOK_CODE, self._on_stub, begin=STUBS, end=STUBS + PAGE)

    def _map(self, address: int, data: bytes, rights: int = 3) -> None:
        self._uc.mem_map(address, _pages(len(data)), rights)
        self._uc.mem_write(address, data)

    def tables(self, words: list[int]) -> None:
        """Read-only words at TABLES."""
        data = b"".join(word.to_bytes(4, "little") for word in words)
        self._map(TABLES, data, unicorn.UC_PROT_READ)

    # Registers and memory, as the functions of the runtime see them.

    def argument(self, i: int) -> int:
        return self._uc.reg_read(_R[i])

    def words(self, address: int, n: int) -> list[int]:
        data = bytes(self._uc.mem_read(address, 4 * n))
        return [int.from_bytes(data[i : i + 4], "little") for i in range(0, 4 * n, 4)]

    def write_words(self, address: int, *words: int) -> None:
        self._uc.mem_write(address, b"".join(word.to_bytes(4, "little") for word in words))

    def state(self) -> list[int]:
        return [self._uc.reg_read(r) for r in SAVED]

    def float_state(self) -> list[int]:
        return [self._uc.reg_read(r) for r in SAVED_FLOATS]

    def restore(self, state: list[int]) -> None:
        for r, value in zip(SAVED, state, strict=True):
            self._uc.reg_write(r, value)

    # Running

    def push(self, words: list[int]) -> int:
        """Words onto the stack, which stays aligned to 8 bytes; their address."""
        sp = self._uc.reg_read(SP) - (4 * len(words) + 7 & ~7)
        self._uc.reg_write(SP, sp)
        self.write_words(sp, *words)
        return sp

    def enter(self, name: str, arguments: Sequence[int]) -> int | None:
        """Call a function with four words; see `_run` for the answer."""
        for r, value in zip(_R, arguments, strict=False):
            self._uc.reg_write(r, value)
        self._uc.reg_write(LR, RETURN | 1)
        return self._run(self.entry[name])

    def resume(self, result: int) -> int | None:
        """Return from a function of the runtime."""
        self._uc.reg_write(_R[0], result & 0xFFFF_FFFF)
        return self._run(self._uc.reg_read(LR) & ~1)

    def _run(self, address: int) -> int | None:
        """Until a function of the runtime is called: its number; None if the outermost returned.

        The limit of instructions holds for each such stretch.
        """
        self._stub = self._error = None
        try:
            self._uc.emu_start(address | 1, 0xFFFF_FFFE, count=self._max)
        except unicorn.UcError as error:
            self._error = self._error or ArmFault(f"{error}, at {self._where()}")
        if self._error:
            raise self._error
        if self._stub is None:
            raise ArmFault(f"no end within {self._max} instructions, at {self._where()}")
        return None if self._stub == RETURN else (self._stub - STUBS) // 4

    def _on_stub(self, uc: object, address: int, size: int, user: object) -> None:
        self._stub = address
        self._uc.emu_stop()

    def _on_block(self, uc: object, address: int, size: int, user: object) -> None:
        if (address, size) not in self._blocks:
            name = self._names[bisect_right(self._starts, address) - 1]
            code = bytes(self._uc.mem_read(address, size))
            self._blocks[address, size] = (name, _count(code))
        name, n = self._blocks[address, size]
        self.instructions[name] += n

    def _on_new_code(self, uc: object, block: Any, before: object, user: object) -> None:
        """Unicorn's Cortex-M0 refuses what is wider than 16 bits, but not these two."""
        code = bytes(self._uc.mem_read(block.pc & ~1, block.size))
        for at in range(0, len(code), 2):
            half = code[at] | code[at + 1] << 8
            is_wide = at >= 2 and code[at - 1] >> 3 >= 0b11101  # the second half of a `bl`
            is_cbz, is_it = half & 0xF500 == 0xB100, half >> 8 == 0xBF and half & 15
            if not is_wide and (is_cbz or is_it):
                self._error = ArmFault(f"armv6m has no instruction {half:#06x}")
                self._uc.emu_stop()

    def _where(self) -> str:
        pc = self._uc.reg_read(PC)
        i = bisect_right(self._starts, pc) - 1
        registers = " ".join(f"r{j}={self._uc.reg_read(r):#x}" for j, r in enumerate(_R[:8]))
        return f"{self._names[i]}+{pc - self._starts[i]:#x} ({registers})"

    # Buffers: the objects stay Python's, and are copied in and out around each stretch.

    def address(self, owner: Any) -> int:
        """Of the first byte of a buffer, which from now on is in the memory."""
        data = bytes(owner)
        buffer = self._buffers.get(id(owner))
        if buffer is None or buffer.size != len(data):
            room = -(-len(data) // 4) * 4
            base, pages = self._allocate(room + 1)
            buffer = _Buffer(owner, base, base + pages - room, len(data), b"")
            self._buffers[id(owner)] = buffer
        self._copy_in(buffer, data)
        return buffer.address

    def _allocate(self, size: int) -> tuple[int, int]:
        pages = _pages(size)
        free = self._free.setdefault(pages, [])
        if not free:
            self._map(self._next, _PATTERN * pages)
            free.append(self._next)
            self._next += pages + PAGE
            assert self._next < HEAP_END
        return free.pop(), pages

    def release(self) -> None:
        """Forget the buffers: in the next call they may be elsewhere.

        A bytearray stays, since a module may know its address.
        """
        for buffer in [b for b in self._buffers.values() if type(b.owner) is not bytearray]:
            del self._buffers[id(buffer.owner)]
            pages = buffer.address + -(-buffer.size // 4) * 4 - buffer.base
            self._uc.mem_write(buffer.base, _PATTERN * pages)
            self._free[pages].append(buffer.base)

    def _copy_in(self, buffer: _Buffer, data: bytes) -> None:
        if buffer.before != data:
            self._uc.mem_write(buffer.address, data)
            buffer.before = data

    def copy_in(self) -> None:
        for buffer in self._buffers.values():
            data = bytes(buffer.owner)
            if len(data) == buffer.size:
                self._copy_in(buffer, data)

    def copy_out(self) -> None:
        """What the code has written goes to the Python objects; nothing else may have changed."""
        for buffer in self._buffers.values():
            room = -(-buffer.size // 4) * 4
            data = bytes(self._uc.mem_read(buffer.base, buffer.address + room - buffer.base))
            at = buffer.address - buffer.base
            if (data[:at] + data[at + buffer.size :]).strip(_PATTERN):
                raise ArmFault(f"a write beside {type(buffer.owner)} of {buffer.size} bytes")
            data = data[at : at + buffer.size]
            if data != buffer.before:
                with memoryview(buffer.owner) as view:
                    # A view shares its bytes with another object, but not here.
                    if view.readonly or isinstance(buffer.owner, memoryview):
                        raise ArmFault(f"a write to {buffer.owner!r}")
                    with view.cast("B") as target:
                        target[:] = data
                buffer.before = data
