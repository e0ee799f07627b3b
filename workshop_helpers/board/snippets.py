"""Short programs for the board, kept as files in `device_scripts/board/`."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from typing import Any

from .. import paths
from .answers import ANSWER_LIMIT_BYTES, between, from_json, literal, new_token
from .transport import BoardTransport


@functools.cache
def snippet(name: str) -> str:
    """The source of `device_scripts/board/<name>.py` without comments and docstrings."""
    text = (paths.DEVICE_SCRIPTS / "board" / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.unparse(tree)


def ask(
    transport: BoardTransport,
    name: str,
    *arguments: object,
    timeout_s: float = 10.0,
    on_output: Callable[[bytes], None] | None = None,
) -> Any:
    """Run a snippet's function `_w_<name>` on the board and return its answer.

    The answer is computed before it is printed, as JSON between two tokens. No name is left behind
    on the board. Raises what `BoardTransport.run` raises, and BadAnswerError.
    """
    token = new_token()
    code = (
        f"{snippet(name)}\n"
        "import json as _w_json, sys as _w_sys\n"
        "try:\n"
        f" _w_answer = _w_{name}({', '.join(map(literal, arguments))})\n"
        f" print({token!r}, end='')\n"
        " _w_json.dump(_w_answer, _w_sys.stdout)\n"
        f" print({token!r})\n"
        " del _w_answer\n"
        "finally:\n"
        f" del _w_{name}, _w_json, _w_sys\n"
    )
    output = transport.run(code, timeout_s, on_output, limit_bytes=ANSWER_LIMIT_BYTES)
    return from_json(between(output, token))
