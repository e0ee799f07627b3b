"""A module of `native_modules` whose native functions run as ARM machine code.

CPython runs the rest of the module, with stand-ins for what MicroPython has otherwise; each
function with `@micropython.viper` or `@micropython.asm_thumb` is the machine code of the `.mpy`
file for the architecture, in an emulator.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arm_cpu import RETURN, STUBS, TABLES, ArmFault, Cpu
from arm_micropython import Array, execute
from arm_mpy import FUN_TABLE, Mpy, common_names, native_functions, parse
from arm_runtime import MODULE_GLOBALS, OTHER_GLOBALS, TABLE_SIZE, Cell, Runtime

from workshop_helpers.modules import build
from workshop_helpers.modules.build import module_names, source_of, source_text

ARCHES = ("armv6m", "armv7em")  # where all modules run
WITH_FPU = "armv7emsp"  # where those run that have a source for it
MAX_INSTRUCTIONS = 20_000_000
# A larger answer of an assembler function is refused: it may be an address, of which a board whose
# memory is elsewhere makes an object on the heap at every call.
_LARGEST_ANSWER = 2**26


def arches_of(name: str) -> tuple[str, ...]:
    return (*ARCHES, WITH_FPU) if source_of(name, WITH_FPU).stem.endswith("_fpu") else ARCHES


def arguments_of(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


class _Viper:
    """In place of a function or method."""

    def __init__(self, machine: ArmModule, function: types.FunctionType) -> None:
        self._machine = machine
        self._name = function.__qualname__.replace(".<locals>", "")
        self._n = function.__code__.co_argcount
        # MicroPython has the variables of a closure in the order that they have in the function
        # around it, whose arguments they are.
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        around = self._name.split(".")[-2:][0]
        order = [a for f in machine.functions if f.name == around for a in arguments_of(f)]
        self._cells = [cells.pop(name) for name in order if name in cells]
        assert not cells, f"{self._name}: closed-over variables that are no arguments"

    def __get__(self, owner: object, kind: type) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __call__(self, *arguments: object) -> object:
        if len(arguments) != self._n:
            raise TypeError(f"{self._name} takes {self._n} arguments")
        cells = [Cell(cell.cell_contents) for cell in self._cells]
        return self._machine.call(self._name, (*cells, *arguments))


class _Assembler:
    """In place of a function in the inline assembler: up to four words in, one out."""

    def __init__(self, machine: ArmModule, function: types.FunctionType) -> None:
        self._machine = machine
        self._name = function.__qualname__
        self._n = function.__code__.co_argcount

    def __call__(self, *arguments: object) -> int:
        if len(arguments) != self._n:
            raise TypeError(f"{self._name} takes {self._n} arguments")
        return self._machine.call_assembler(self._name, arguments)


class ArmModule:
    """`.module` has the module's names; `.cpu.instructions`: how many, by function."""

    array = Array  # what it takes for MicroPython's

    def __init__(
        self,
        name: str,
        arch: str,
        *,
        max_instructions: int = MAX_INSTRUCTIONS,
        counting: bool = False,
    ) -> None:
        made = compiled(name, arch)
        self.cpu = Cpu(arch, made.functions, max_instructions, counting)
        names = [made.numbers.get(n, n) if isinstance(n, int) else n for n in made.mpy.names]
        self.module = types.ModuleType(name)
        self.runtime = Runtime(self.cpu, self.module, names)
        self.calls = 0
        nodes = ast.walk(ast.parse(made.source))
        self.functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        self._lay_out_tables(len(names), made.mpy.constants)
        words = vars(self.module)
        execute(made.source, words, lambda _: None, self._viper, asm_thumb=self._assembler)

    def _lay_out_tables(self, n_names: int, constants: list[object]) -> None:
        """The function object, its module's context, names, constants and the function table."""
        context, names = TABLES + 16, TABLES + 32
        n_name_words = (n_names + 1) // 2
        objects = names + 4 * n_name_words
        fun_table = objects + 4 * len(constants)
        handles = [fun_table if c is FUN_TABLE else self.runtime.encode(c) for c in constants]
        table = [self.runtime.encode(o) for o in (None, False, True)]
        table += [STUBS + 4 * i | 1 for i in range(len(table), TABLE_SIZE)]
        assert STUBS + 4 * TABLE_SIZE < RETURN
        # A name's number is its place in the file plus 1, two to a word.
        pairs = [2 * i + 1 | (2 * i + 2) << 16 for i in range(n_name_words)]
        self.runtime.keep_all()
        function = [0, context, 0, 0]
        self.cpu.tables([*function, 0, MODULE_GLOBALS, names, objects, *pairs, *handles, *table])

    def _viper(self, function: Any) -> _Viper:
        return _Viper(self, function)

    def _assembler(self, function: Any) -> _Assembler:
        return _Assembler(self, function)

    def _word(self, value: Any) -> int:
        """An argument as MicroPython gives it to an assembler function."""
        if value is None or isinstance(value, int):
            return int(value or 0) & 0xFFFF_FFFF
        if isinstance(value, float):
            raise ArmFault(f"{value} would become an integer")
        if isinstance(value, list):  # its items, as objects
            return self.cpu.push([self.runtime.encode(item) for item in value])
        return self.cpu.address(value)

    def call_assembler(self, name: str, arguments: tuple[object, ...]) -> int:
        self.calls += 1
        before, floats = self.cpu.state(), self.cpu.float_state()
        self.cpu.copy_in()
        self.runtime.enter()
        try:
            words = [self._word(a) for a in arguments]
            entered = self.cpu.state()
            number = self.cpu.enter(name, (words + [0] * 4)[:4])
            if number is not None:
                raise ArmFault(f"{name} calls the runtime")
            if self.cpu.state()[:-1] != entered[:-1] or self.cpu.float_state() != floats:
                raise ArmFault(f"{name} did not restore its caller's registers")
            answer = (self.cpu.argument(0) ^ 0x8000_0000) - 0x8000_0000
            if abs(answer) > _LARGEST_ANSWER:
                raise ArmFault(f"{name} leaves {answer:#x} in r0")
            return answer
        finally:
            try:
                self.cpu.copy_out()
            finally:
                self.cpu.restore(before)
                self.runtime.leave()

    def call(self, name: str, arguments: tuple[object, ...]) -> object:
        self.calls += 1
        before = self.cpu.state()
        self.cpu.copy_in()
        self.runtime.enter()
        try:
            at = self.cpu.push([self.runtime.encode(a) for a in arguments])
            number = self.cpu.enter(name, (TABLES, len(arguments), 0, at))
            while number is not None:
                number = self.cpu.resume(self.runtime.serve(number))
            if self.cpu.state()[:-1] != [*before[:-2], at]:
                raise ArmFault(f"{name} did not restore its caller's registers")
            if self.runtime.is_outermost and self.runtime.globals != OTHER_GLOBALS:
                raise ArmFault(f"{name} did not restore its caller's globals")
            return self.runtime.decode(self.cpu.argument(0))
        finally:
            try:
                self.cpu.copy_out()
            finally:
                self.cpu.restore(before)
                self.runtime.leave()


@dataclass(frozen=True)
class Compiled:
    source: str
    mpy: Mpy
    functions: dict[str, bytes]  # machine code of the native ones
    numbers: dict[int, str]  # of names that every firmware numbers alike


@functools.cache
def compiled(name: str, arch: str) -> Compiled:
    source = source_text(name, arch).decode()
    mpy = parse(build(name, arch).path.read_bytes())
    return Compiled(source, mpy, native_functions(source, mpy.module), common_names(source))


def run_script(arch: str, script: Path, *arguments: object) -> str:
    """What a script prints that imports modules of `native_modules`, which are ARM code."""
    known = module_names()
    loaded: dict[str, ArmModule] = {}

    def load(name: str) -> types.ModuleType | None:
        if name in known and name not in loaded:
            loaded[name] = ArmModule(name, arch)
        return loaded[name].module if name in loaded else None

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        words = {"__name__": "__main__", "__file__": str(script)}
        source = script.read_text(encoding="utf-8")
        execute(source, words, load, lambda x: x, *map(str, arguments))
    assert loaded, "no ARM code was run"
    assert all(arm.calls for arm in loaded.values())
    return printed.getvalue()
