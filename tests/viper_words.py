"""Runs viper source on CPython, with machine words of 32 or 64 bits.

There is no 32-bit board here, but what differs there is known: every sum, product and shift is cut
to a signed word, and a load through ptr32 is signed on 32 bits and unsigned on 64. A load beyond a
buffer, or an odd address for ptr16 (a fault on a Cortex-M0), is an error here.
"""

from __future__ import annotations

import ast
import sys
import types
from array import array
from pathlib import Path
from typing import Any

_BASE = 0x20000000  # where the first buffer lies, as on many boards
_GAP = 64
_TYPES = (array, bytearray, bytes)


class Machine:
    """One address space. Buffers get an address when they are first passed to a function."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.buffers: list[tuple[int, memoryview, Any]] = []
        self.objects: dict[int, tuple[array[int], Any]] = {}
        self.next = _BASE

    def word(self, value: int) -> int:
        half = 1 << (self.bits - 1)
        return ((int(value) + half) & (2 * half - 1)) - half

    def address(self, buffer: Any) -> int:
        for start, _, owner in self.buffers:
            if owner is buffer:
                return start
        view = memoryview(buffer).cast("B")
        start, self.next = self.next, (self.next + len(view) + _GAP + 15) & ~15
        self.buffers.append((start, view, buffer))
        return start

    def object(self, value: Any) -> int:
        """The address of the four words that MicroPython has of an array, or of bytes."""
        code = ord(getattr(value, "typecode", "B"))
        words = (_TYPES.index(type(value)), code, len(value), self.address(value))
        made = array("I" if self.bits == 32 else "Q", words)
        kept = self.objects.setdefault(id(value), (made, value))[0]
        kept[:] = made
        return self.address(kept)

    def at(self, address: int, size: int) -> tuple[memoryview, int]:
        assert address % size == 0, f"address {address:#x} for {size} bytes"
        for start, view, _ in self.buffers:
            if start <= address and address + size <= start + len(view):
                return view, address - start
        raise AssertionError(f"{address:#x} is in no buffer")

    def binary(self, operator: str, a: int, b: int) -> int:
        if operator in ("<<", ">>"):
            assert 0 <= b < self.bits, f"a shift by {b}"
        if operator == "//":
            assert b > 0
        return self.word(_OPERATORS[operator](a, b))

    def pointer(self, size: int) -> type:
        machine = self

        class Pointer(int):
            def __new__(cls, value: Any = 0) -> Any:
                start = value if isinstance(value, int) else machine.address(value)
                return super().__new__(cls, start)

            def __getitem__(self, index: int) -> int:
                view, at = machine.at(int(self) + index * size, size)
                is_signed = size == 4 and machine.bits == 32
                return int.from_bytes(view[at : at + size], "little", signed=is_signed)

            def __setitem__(self, index: int, value: int) -> None:
                view, at = machine.at(int(self) + index * size, size)
                mask = (1 << 8 * size) - 1
                view[at : at + size] = (value & mask).to_bytes(size, "little")

        return Pointer


_OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.LShift: "<<",
    ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip


class _Words(ast.NodeTransformer):
    """In viper functions with typed arguments: every operation through the machine."""

    inside = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        typed = [a for a in node.args.args if a.annotation is not None]
        is_viper = any("viper" in ast.unparse(d) for d in node.decorator_list)
        if not (is_viper and typed):
            node.decorator_list = []
            self.generic_visit(node)
            return node
        starts = []
        for argument in typed:
            assert argument.annotation is not None
            kind = ast.unparse(argument.annotation)
            if kind.startswith("ptr"):
                starts += ast.parse(f"{argument.arg} = {kind}({argument.arg})").body
        self.inside = True
        self.generic_visit(node)
        self.inside = False
        node.decorator_list = []
        node.body = starts + node.body
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        if isinstance(node.test, ast.Constant):  # `x if 1 else 0` is an object's address
            return ast.Call(ast.Name("_object", ast.Load()), [node.body], [])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self._call(type(node.op), node.left, node.right) if self.inside else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if (
            self.inside
            and isinstance(node.op, ast.USub)
            and not isinstance(node.operand, ast.Constant)
        ):
            return self._call(ast.Sub, ast.Constant(0), node.operand)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not self.inside:
            return node
        target = ast.unparse(node.target)
        load = ast.parse(target, mode="eval").body
        value = self.visit(ast.BinOp(load, node.op, node.value))
        return ast.Assign([node.target], value)

    def _call(self, operator: type[ast.operator], left: ast.expr, right: ast.expr) -> ast.expr:
        name = ast.Name("_binary", ast.Load())
        return ast.Call(name, [ast.Constant(_SIGNS[operator]), left, right], [])


def load(path: Path, bits: int) -> types.ModuleType:
    """The module, as it is built for a machine with words of `bits`."""
    machine = Machine(bits)
    text = path.read_text(encoding="utf-8")
    if bits == 64:
        text = text.replace("\n_WIDE = const(0)", "\n_WIDE = const(1)")
    tree = ast.fix_missing_locations(_Words().visit(ast.parse(text)))
    stand_in = types.ModuleType("micropython")
    stand_in.const = lambda value: value  # type: ignore[attr-defined]
    stand_in.viper = lambda function: function  # type: ignore[attr-defined]
    module = types.ModuleType(path.stem)
    module.__dict__.update({f"ptr{8 * n}": machine.pointer(n) for n in (1, 2, 4)})
    module.__dict__.update(_binary=machine.binary, _object=machine.object)
    before = sys.modules.get("micropython")
    sys.modules["micropython"] = stand_in
    try:
        exec(compile(tree, str(path), "exec"), module.__dict__)
    finally:
        if before is None:
            del sys.modules["micropython"]
        else:
            sys.modules["micropython"] = before
    module.array = array  # type: ignore[attr-defined]
    return module
