"""What CPython needs to run MicroPython's source as on a board of 32 bits; scripts of the tests."""

from __future__ import annotations
import __future__

import array as python_array
import builtins
import sys
import types
from collections.abc import Callable
from typing import Any

Script = dict[str, Any]


class Array(python_array.array):  # type: ignore[type-arg]
    """MicroPython's array: sums with bytes, and an "l" of 32 bits."""

    def __new__(cls, typecode: str, *values: Any) -> Array:
        return super().__new__(cls, {"l": "i", "L": "I"}.get(typecode, typecode), *values)

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return Array(self.typecode, found) if isinstance(at, slice) else found

    def __add__(self, other: Any) -> Array:
        result = Array(self.typecode, self)
        if isinstance(other, python_array.array):
            result.extend(other)
        else:
            result.frombytes(other[: len(other) // self.itemsize * self.itemsize])
        return result

    def __repr__(self) -> str:
        return "array" + super().__repr__()[len("Array") :]


def execute(
    source: str,
    words: Script,
    load: Callable[[str], types.ModuleType | None],
    viper: Callable[[Any], Any],
    *arguments: str,
    asm_thumb: Callable[[Any], Any] | None = None,
) -> None:
    """Run `source` with the names `words`; `load` gives the modules that CPython does not have."""

    def plain(x: Any) -> Any:
        return x

    stand_ins: dict[str, Any] = {
        "array": types.SimpleNamespace(array=Array),
        # Collecting all of CPython's heap takes long, and nothing here waits for it.
        "gc": types.SimpleNamespace(collect=int, disable=int, enable=int),
        "micropython": types.SimpleNamespace(
            viper=viper, native=plain, asm_thumb=asm_thumb, const=plain
        ),
        "sys": types.SimpleNamespace(
            argv=["", *arguments],
            byteorder=sys.byteorder,
            implementation=sys.implementation,
            maxsize=2**31 - 1,
            modules={},
            path=[],
        ),
    }

    def import_one(name: str, *rest: Any) -> Any:
        if name in stand_ins:
            return stand_ins[name]
        if module := load(name):
            stand_ins["sys"].modules[name] = module
            return module
        return builtins.__import__(name, *rest)

    words["__builtins__"] = {**vars(builtins), "__import__": import_one}
    # Annotations stay text: ptr16 and the like mean nothing to CPython.
    flags = __future__.annotations.compiler_flag
    name = words.get("__name__", "script")
    exec(compile(source, name, "exec", flags, dont_inherit=True), words)
