"""A module of `native_modules` whose viper functions run as ARM machine code.

CPython runs the rest of the module, with stand-ins for what MicroPython has otherwise; each
function with `@micropython.viper` is the machine code of the `.mpy` file for the architecture, in
an emulator. This stands in for the runtime: objects are numbers there, as on a board of 32 bits.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import operator
import types
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arm_cpu import RETURN, STUBS, TABLES, ArmFault, Cpu
from arm_micropython import Array, execute
from arm_mpy import FUN_TABLE, Mpy, common_names, parse, viper_functions

from workshop_helpers import paths
from workshop_helpers.modules import build
from workshop_helpers.modules.build import module_names

ARCHES = ("armv6m", "armv7em")
MAX_INSTRUCTIONS = 20_000_000
_NULL, _OBJECTS = 0, 0x6000_0000  # where objects "are"; nothing is mapped there
# The runtime's functions that viper code calls, by their place in its table.
_RUNTIME = {
    3: "from_object",
    4: "to_object",
    5: "swap_globals",
    7: "load_global",
    9: "load_attribute",
    10: "load_method",
    16: "is_true",
    17: "unary_operation",
    18: "binary_operation",
    19: "new_tuple",
    27: "call_function",
    28: "call_method",
    32: "nlr_push",
    33: "nlr_pop",
    34: "raise_object",
    46: "floor_divide",
    47: "modulo",
}
_UNARY = (operator.pos, operator.neg, operator.invert, operator.not_)
_BINARY = (operator.lt, operator.gt, operator.eq, operator.le, operator.ge, operator.ne)
_IS = 7
_TABLE_SIZE = 50
_OTHER_GLOBALS, _MODULE_GLOBALS = 0x7000_0000, 0x7000_0010
_BUFFERS = (bytes, bytearray, memoryview, array)
_AS_ITS_VALUE = 0x4000_0000


def _signed(word: int) -> int:
    return (word ^ 0x8000_0000) - 0x8000_0000


class _Viper:
    """In place of a function or method."""

    def __init__(self, machine: ArmModule, name: str, n_arguments: int) -> None:
        self._machine = machine
        self._name = name
        self._n = n_arguments

    def __get__(self, owner: object, kind: type) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __call__(self, *arguments: object) -> object:
        if len(arguments) != self._n:
            raise TypeError(f"{self._name} takes {self._n} arguments")
        return self._machine.call(self._name, arguments)


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
        self._names = [made.numbers.get(n, n) if isinstance(n, int) else n for n in made.mpy.names]
        self._objects: list[object] = [None, False, True]
        self._handles = {id(o): _OBJECTS + 16 * i for i, o in enumerate(self._objects)}
        self._keep = len(self._objects)
        self._unwind: list[list[tuple[int, list[int]]]] = []  # a list a call
        self._globals = _OTHER_GLOBALS
        self.calls = 0
        self._lay_out_tables(made.mpy.constants)
        self.module = types.ModuleType(name)
        execute(made.source, vars(self.module), lambda _: None, self._viper)

    def _lay_out_tables(self, constants: list[object]) -> None:
        """The function object, its module's context, names, constants and the function table."""
        context, names = TABLES + 16, TABLES + 32
        n_name_words = (len(self._names) + 1) // 2
        objects = names + 4 * n_name_words
        fun_table = objects + 4 * len(constants)
        handles = [fun_table if c is FUN_TABLE else self._encode(c) for c in constants]
        self._keep = len(self._objects)
        table = [self._encode(o) for o in (None, False, True)]
        table += [STUBS + 4 * i | 1 for i in range(len(table), _TABLE_SIZE)]
        assert STUBS + 4 * _TABLE_SIZE < RETURN
        # A name's number is its place in the file plus 1, two to a word.
        pairs = [2 * i + 1 | (2 * i + 2) << 16 for i in range(n_name_words)]
        function = [0, context, 0, 0]
        self.cpu.tables([*function, 0, _MODULE_GLOBALS, names, objects, *pairs, *handles, *table])

    def _viper(self, function: Any) -> _Viper:
        return _Viper(self, function.__qualname__, function.__code__.co_argcount)

    # Objects as words: small integers carry their value, the others stand for a place.

    def _encode(self, value: object) -> int:
        if type(value) is int and -_AS_ITS_VALUE <= value < _AS_ITS_VALUE:
            return (value << 1 | 1) & 0xFFFF_FFFF
        if id(value) not in self._handles:
            self._handles[id(value)] = _OBJECTS + 16 * len(self._objects)
            self._objects.append(value)
        return self._handles[id(value)]

    def _decode(self, word: int) -> Any:
        if word & 1:
            return _signed(word) >> 1
        i, odd = divmod(word - _OBJECTS, 16)
        if odd or not 0 <= i < len(self._objects):
            raise ArmFault(f"{word:#x} is no object")
        return self._objects[i]

    def _name(self, number: int) -> str:
        name = self._names[number - 1]
        assert isinstance(name, str), f"the name numbered {name} is not known"
        return name

    def call(self, name: str, arguments: tuple[object, ...]) -> object:
        self.calls += 1
        before = self.cpu.state()
        self.cpu.copy_in()
        self._unwind.append([])
        try:
            at = self.cpu.push([self._encode(a) for a in arguments])
            number = self.cpu.enter(name, (TABLES, len(arguments), 0, at))
            while number is not None:
                number = self.cpu.resume(self._serve(number))
            if self.cpu.state()[:-1] != [*before[:-2], at]:
                raise ArmFault(f"{name} did not restore its caller's registers")
            if not self._unwind[1:] and self._globals != _OTHER_GLOBALS:
                raise ArmFault(f"{name} did not restore its caller's globals")
            return self._decode(self.cpu.argument(0))
        finally:
            try:
                self.cpu.copy_out()
            finally:
                self.cpu.restore(before)
                self._unwind.pop()
                if not self._unwind:
                    self._globals = _OTHER_GLOBALS
                    self._forget()

    def _forget(self) -> None:
        for value in self._objects[self._keep :]:
            del self._handles[id(value)]
        del self._objects[self._keep :]
        self.cpu.release()

    def _serve(self, number: int) -> int:
        if number not in _RUNTIME:
            raise ArmFault(f"function {number} of the runtime is not there")
        serve = getattr(self, "_" + _RUNTIME[number])
        arguments = [self.cpu.argument(i) for i in range(serve.__code__.co_argcount - 1)]
        try:
            return serve(*arguments) or 0
        except ArmFault:
            raise
        except Exception as error:
            if not self._unwind[-1]:
                raise
            address, state = self._unwind[-1].pop()
            self.cpu.restore(state)
            self.cpu.write_words(address + 4, self._encode(error))
            return 1

    # The runtime's functions: arguments and answers are words.

    def _from_object(self, word: int, kind: int) -> int:
        if kind & 15 == 0:
            return word
        value = self._decode(word)
        if kind & 15 == 1:
            return bool(value)
        if kind & 15 > 3 and isinstance(value, _BUFFERS):
            return self.cpu.address(value)
        if not isinstance(value, int):
            raise TypeError(f"can't convert {type(value).__name__} to int")
        return value & 0xFFFF_FFFF

    def _to_object(self, word: int, kind: int) -> int:
        if kind & 15 == 0:
            return word
        if kind & 15 == 1:
            return self._encode(word != 0)
        return self._encode(_signed(word) if kind & 15 == 2 else word)

    def _swap_globals(self, new: int) -> int:
        if new in (_NULL, self._globals):
            return _NULL
        old, self._globals = self._globals, new
        return old

    def _load_global(self, name: int) -> int:
        words, word = vars(self.module), self._name(name)
        if word not in words and not hasattr(builtins, word):
            raise NameError(word)
        return self._encode(words[word] if word in words else getattr(builtins, word))

    def _load_attribute(self, base: int, name: int) -> int:
        return self._encode(getattr(self._decode(base), self._name(name)))

    def _load_method(self, base: int, name: int, to: int) -> None:
        self.cpu.write_words(to, self._load_attribute(base, name), _NULL)

    def _is_true(self, word: int) -> int:
        return bool(self._decode(word))

    def _unary_operation(self, kind: int, word: int) -> int:
        return self._encode(_UNARY[kind](self._decode(word)))

    def _binary_operation(self, kind: int, left: int, right: int) -> int:
        if kind == _IS:
            return self._encode(left == right)
        return self._encode(_BINARY[kind](self._decode(left), self._decode(right)))

    def _new_tuple(self, n: int, items: int) -> int:
        return self._encode(tuple(self._decode(word) for word in self.cpu.words(items, n)))

    def _call_function(self, function: int, n: int, arguments: int) -> int:
        assert n >> 8 == 0, "keywords"
        values = [self._decode(word) for word in self.cpu.words(arguments, n)]
        self.cpu.copy_out()
        result = self._decode(function)(*values)
        self.cpu.copy_in()
        return self._encode(result)

    def _call_method(self, n: int, n_keywords: int, at: int) -> int:
        function, owner = self.cpu.words(at, 2)
        assert owner == _NULL and n_keywords == 0
        return self._call_function(function, n, at + 8)

    def _nlr_push(self, at: int) -> int:
        self._unwind[-1].append((at, self.cpu.state()))
        return 0

    def _nlr_pop(self) -> None:
        self._unwind[-1].pop()

    def _raise_object(self, word: int) -> None:
        if word != _NULL and self._decode(word) is not None:
            raise self._decode(word)

    def _floor_divide(self, a: int, b: int) -> int:
        if b == 0:
            raise ArmFault("division by zero")
        return _signed(a) // _signed(b)

    def _modulo(self, a: int, b: int) -> int:
        if b == 0:
            raise ArmFault("division by zero")
        return _signed(a) % _signed(b)


@dataclass(frozen=True)
class Compiled:
    source: str
    mpy: Mpy
    functions: dict[str, bytes]  # machine code of the viper ones
    numbers: dict[int, str]  # of names that every firmware numbers alike


@functools.cache
def compiled(name: str, arch: str) -> Compiled:
    source = (paths.NATIVE_MODULES / f"{name}.py").read_text(encoding="utf-8")
    mpy = parse(build(name, arch).path.read_bytes())
    return Compiled(source, mpy, viper_functions(source, mpy.module), common_names(source))


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
