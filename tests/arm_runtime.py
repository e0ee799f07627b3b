"""What viper code finds of MicroPython's runtime on a board of 32 bits, done in Python.

Objects are words there: small integers carry their value, the others stand for a place.
"""

from __future__ import annotations

import builtins
import operator
import types
from array import array
from typing import Any

from arm_cpu import OBJECTS, OBJECTS_END, ArmFault, Cpu

_NULL, _TYPES = 0, 0x7100_0000
# The runtime's functions that viper code calls, by their place in its table.
_RUNTIME = {
    3: "from_object",
    4: "to_object",
    5: "swap_globals",
    7: "load_global",
    9: "load_attribute",
    10: "load_method",
    15: "subscript",
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
TABLE_SIZE = 50
OTHER_GLOBALS, MODULE_GLOBALS = 0x7000_0000, 0x7000_0010
_BUFFERS = (bytes, bytearray, memoryview, array)
_LAID_OUT = (bytes, bytearray, array)  # with a length and an address
_AS_ITS_VALUE = 0x4000_0000


def _signed(word: int) -> int:
    return (word ^ 0x8000_0000) - 0x8000_0000


class Cell:
    """What a closure has of a variable of the function around it."""

    def __init__(self, value: object) -> None:
        self.value = value


class Runtime:
    """`names`: str by number, as far as they are known."""

    def __init__(self, cpu: Cpu, module: types.ModuleType, names: list[str | int]) -> None:
        self.cpu = cpu
        self.module = module
        self._names = names
        self._objects: list[object] = [None, False, True]
        self._handles = {id(o): OBJECTS + 16 * i for i, o in enumerate(self._objects)}
        self._types: list[type] = []
        self._keep = 0
        self._unwind: list[list[tuple[int, list[int]]]] = []  # a list a call
        self.globals = OTHER_GLOBALS

    def encode(self, value: object) -> int:
        if type(value) is int and -_AS_ITS_VALUE <= value < _AS_ITS_VALUE:
            return (value << 1 | 1) & 0xFFFF_FFFF
        if id(value) not in self._handles:
            self._handles[id(value)] = OBJECTS + 16 * len(self._objects)
            assert self._handles[id(value)] < OBJECTS_END
            self._objects.append(value)
            self._lay_out(value)
        elif isinstance(value, _LAID_OUT):  # it may have grown
            self._lay_out(value)
        return self._handles[id(value)]

    def _lay_out(self, value: object) -> None:
        """The four words that an object is there; those that no code looks at are 0."""
        words = [0, 0, 0, 0]
        if isinstance(value, Cell):
            words[1] = self.encode(value.value)
        else:
            if type(value) not in self._types:
                self._types.append(type(value))
            words[0] = _TYPES + 16 * self._types.index(type(value))
        if isinstance(value, _LAID_OUT):
            words[2:] = len(value), self.cpu.address(value)
        if isinstance(value, array):
            words[1] = ord(value.typecode)
        self.cpu.write_words(self._handles[id(value)], *words)

    def decode(self, word: int) -> Any:
        if word & 1:
            return _signed(word) >> 1
        i, odd = divmod(word - OBJECTS, 16)
        if odd or not 0 <= i < len(self._objects):
            raise ArmFault(f"{word:#x} is no object")
        return self._objects[i]

    def _name(self, number: int) -> str:
        name = self._names[number - 1]
        assert isinstance(name, str), f"the name numbered {name} is not known"
        return name

    def keep_all(self) -> None:
        """The objects so far keep their words for good."""
        self._keep = len(self._objects)

    def enter(self) -> None:
        """A call begins."""
        self._unwind.append([])

    def leave(self) -> None:
        """A call is over, in one way or another."""
        self._unwind.pop()
        if not self._unwind:
            self.globals = OTHER_GLOBALS
            for value in self._objects[self._keep :]:
                del self._handles[id(value)]
            del self._objects[self._keep :]
            self.cpu.release()

    @property
    def is_outermost(self) -> bool:
        return len(self._unwind) == 1

    def serve(self, number: int) -> int:
        """Do what a function of the runtime does, by its number in the table."""
        if number not in _RUNTIME:
            raise ArmFault(f"function {number} of the runtime is not there")
        function = getattr(self, "_" + _RUNTIME[number])
        arguments = [self.cpu.argument(i) for i in range(function.__code__.co_argcount - 1)]
        try:
            return function(*arguments) or 0
        except ArmFault:
            raise
        except Exception as error:
            if not self._unwind[-1]:
                raise
            address, state = self._unwind[-1].pop()
            self.cpu.restore(state)
            self.cpu.write_words(address + 4, self.encode(error))
            return 1

    # The runtime's functions: arguments and answers are words.

    def _from_object(self, word: int, kind: int) -> int:
        if kind & 15 == 0:
            return word
        value = self.decode(word)
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
            return self.encode(word != 0)
        return self.encode(_signed(word) if kind & 15 == 2 else word)

    def _swap_globals(self, new: int) -> int:
        if new in (_NULL, self.globals):
            return _NULL
        old, self.globals = self.globals, new
        return old

    def _load_global(self, name: int) -> int:
        words, word = vars(self.module), self._name(name)
        if word not in words and not hasattr(builtins, word):
            raise NameError(word)
        return self.encode(words[word] if word in words else getattr(builtins, word))

    def _load_attribute(self, base: int, name: int) -> int:
        return self.encode(getattr(self.decode(base), self._name(name)))

    def _load_method(self, base: int, name: int, to: int) -> None:
        self.cpu.write_words(to, self._load_attribute(base, name), _NULL)

    def _subscript(self, base: int, index: int, value: int) -> int:
        """A look at an item where the value is 4, which is no object."""
        assert value != _NULL, "del"
        self.cpu.copy_out()
        items, at = self.decode(base), self.decode(index)
        if value == 4:
            return self.encode(items[at])
        items[at] = self.decode(value)
        self.cpu.copy_in()
        return 0

    def _is_true(self, word: int) -> int:
        return bool(self.decode(word))

    def _unary_operation(self, kind: int, word: int) -> int:
        return self.encode(_UNARY[kind](self.decode(word)))

    def _binary_operation(self, kind: int, left: int, right: int) -> int:
        if kind == _IS:
            return self.encode(left == right)
        return self.encode(_BINARY[kind](self.decode(left), self.decode(right)))

    def _new_tuple(self, n: int, items: int) -> int:
        return self.encode(tuple(self.decode(word) for word in self.cpu.words(items, n)))

    def _call_function(self, function: int, n: int, arguments: int) -> int:
        assert n >> 8 == 0, "keywords"
        values = [self.decode(word) for word in self.cpu.words(arguments, n)]
        self.cpu.copy_out()
        result = self.decode(function)(*values)
        self.cpu.copy_in()
        return self.encode(result)

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
        if word != _NULL and self.decode(word) is not None:
            raise self.decode(word)

    def _floor_divide(self, a: int, b: int) -> int:
        if b == 0:
            raise ArmFault("division by zero")
        return _signed(a) // _signed(b)

    def _modulo(self, a: int, b: int) -> int:
        if b == 0:
            raise ArmFault("division by zero")
        return _signed(a) % _signed(b)
