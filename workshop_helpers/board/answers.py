"""What goes to a board as arguments and comes back as an answer: literals and JSON, nothing else.

Nothing a board says is ever evaluated. An answer stands between two copies of a token drawn anew
for each question, so what a program prints meanwhile can neither break nor fake it. Its CRC-32
tells whether it came whole.
"""

from __future__ import annotations

import ast
import binascii
import json
import math
import re
import secrets
from typing import Any

from ..errors import BadAnswerError

ANSWER_LIMIT_BYTES = 2 * 1024 * 1024
_NUMBERS = {"nan": math.nan, "inf": math.inf}
# MicroPython's json writes nan and inf as bare words; strings are matched first, to skip them.
_JSON_WORDS = re.compile(r'"(?:\\.|[^"\\])*"|\bnan\b|\binf\b')


def new_token() -> str:
    return f"<{secrets.token_hex(8)}>"


def checked_answer(output: bytes, token: str) -> str:
    """The answer between the last two tokens, without the CRC-32 that stands behind it.

    BadAnswerError if there is none, or if it is not what the board printed. "-" instead of a CRC is
    what a board without one says.
    """
    parts = output.rsplit(token.encode(), 2)
    said = output[-200:].decode("utf-8", "backslashreplace")
    if len(parts) != 3:
        raise BadAnswerError("The board sent no answer.", said=said)
    text, space, crc = parts[1].rpartition(b" ")
    if not space or crc not in (b"-", b"%d" % binascii.crc32(text)):
        raise damaged("The board's answer was damaged on its way.", said)
    return text.decode("utf-8", "backslashreplace")


def damaged(what: str, said: str) -> BadAnswerError:
    return BadAnswerError(
        what, "Try again; if it happens again use a shorter cable or another USB port.", said=said
    )


def literal(value: object) -> str:
    """Source text for an argument: None, bool, numbers, str, bytes, list, tuple, dict, set.

    NumPy arrays and scalars become lists and numbers. Raises TypeError for anything else.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str | bytes):
        return repr(value)
    if isinstance(value, bytearray):
        return f"bytearray({bytes(value)!r})"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f'float("{value!r}")'
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(literal(item) + ',' for item in value)})"
    if isinstance(value, dict):
        pairs = (f"{literal(key)}: {literal(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, set):
        return f"set([{', '.join(map(literal, value))}])"
    raise TypeError(
        f"A {type(value).__name__} can't be sent to a board: use numbers, strings, bytes, "
        "lists, tuples, dicts, sets or None."
    )


class _Numbers(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in _NUMBERS:
            return ast.copy_location(ast.Constant(_NUMBERS[node.id]), node)
        return node


def from_literal(text: str) -> Any:
    """The value of a Python literal (`nan` and `inf` too); BadAnswerError for anything else."""
    try:
        tree = _Numbers().visit(ast.parse(text.strip(), mode="eval"))
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise _bad(text) from None


def from_json(text: str) -> Any:
    """The value of JSON as MicroPython writes it; BadAnswerError for anything else."""
    words = {"nan": "NaN", "inf": "Infinity"}
    try:
        return json.loads(_JSON_WORDS.sub(lambda m: words.get(m[0], m[0]), text))
    except (ValueError, RecursionError):
        raise _bad(text) from None


def _bad(text: str) -> BadAnswerError:
    short = text if len(text) <= 120 else text[:117] + "..."
    return BadAnswerError(f"The board answered with neither a literal nor JSON: {short!r}")
