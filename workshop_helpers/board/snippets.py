"""Short programs for the board, kept as files in `device_scripts/board/`."""

from __future__ import annotations

import ast
import binascii
import functools
import re
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import BadAnswerError, DeviceError, DeviceMemoryError
from .answers import ANSWER_LIMIT_BYTES, checked_answer, damaged, from_json, literal, new_token
from .device_errors import device_error
from .transport import BoardTransport

_INDENT = re.compile("^(?: {4})+", re.M)
_REFUSED = ("ValueError: damaged on the way", "ImportError")


@functools.cache
def snippet(name: str) -> str:
    """The source of `device_scripts/board/<name>.py` without comments and docstrings."""
    return _short(paths.DEVICE_SCRIPTS / "board" / f"{name}.py")


def _short(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[:1] = [] if node.body[1:] else [ast.Pass()]
    # A UART carries some ten bytes a millisecond: indentation counts.
    return _INDENT.sub(lambda match: " " * (len(match[0]) // 4), ast.unparse(tree))


def checked(transport: BoardTransport, code: str) -> str:
    """`code` in a wrapper that runs it only if every byte of it arrived as it was sent.

    Else it raises ValueError on the board. It takes twice the code's length in heap. A board that
    is known to have no CRC-32 gets the code as it is.
    """
    if not transport.has_crc32:
        return code
    body = ("del _w_c,_w_s,_w_k\n" + code).encode()
    return f"_w_c={body!r}\n_w_s={binascii.crc32(body)}\n{snippet('checked')}"


def ask(transport: BoardTransport, name: str, *arguments: object, timeout_s: float = 10.0) -> Any:
    """As `ask_file`, for the function `_w_<name>` of a snippet."""
    return _ask(transport, snippet(name), f"_w_{name}", arguments, timeout_s)


def ask_file(
    transport: BoardTransport,
    file: Path,
    function: str,
    *arguments: object,
    timeout_s: float = 10.0,
) -> Any:
    """Run the function that a host file defines on the board and return its answer.

    A serial line has no checksum of its own, so both ways are checked here: the code runs only if
    it arrived whole, and the answer counts only if it did. No name is left behind on the board.

    Raises:
        DeviceError, DeviceMemoryError: the function raised.
        BadAnswerError: code or answer were damaged on the way, or the answer is no JSON.
        What `BoardTransport.run` raises.
    """
    return _ask(transport, _short(file), function, arguments, timeout_s)


def _ask(
    transport: BoardTransport,
    source: str,
    function: str,
    arguments: tuple[object, ...],
    timeout_s: float,
) -> Any:
    token = new_token()
    given = "".join(f"{literal(argument)}," for argument in arguments)
    code = (
        f"{source}\n"
        f"try:\n _w_reply({token!r},{function},({given}))\nfinally:\n del _w_reply,{function}"
    )
    answer = from_json(checked_answer(_run(transport, code, token, timeout_s), token))
    if isinstance(answer, str):
        raise device_error(answer)
    return answer[0]


def _run(transport: BoardTransport, code: str, token: str, timeout_s: float) -> bytes:
    """What the code printed. It is sent again if the board refused it: then nothing has run."""
    refusals: list[str] = []
    while True:
        output = bytearray()
        reply = snippet("reply" if transport.has_crc32 else "reply_unchecked")
        whole = checked(transport, f"{reply}\n{code}")
        try:
            return transport.run(whole, timeout_s, output.extend, ANSWER_LIMIT_BYTES)
        except DeviceMemoryError:
            raise
        except DeviceError as error:
            if token.encode() in output:
                raise
            refusals.append((error.device_traceback or "").rstrip().rpartition("\n")[2])
            if refusals[-1].startswith("ImportError") and refusals.count(refusals[-1]) == 2:
                transport.has_crc32 = False  # twice the same: that is no damage
            elif len(refusals) > 1 or not refusals[0].startswith(_REFUSED):
                raise _not_whole(error) from None


def hard_reset(transport: BoardTransport) -> None:
    """Reset the chip; close the transport afterwards. DeviceError if the board can't."""
    try:
        transport.hard_reset(checked(transport, snippet("hard_reset")))
    except DeviceError as error:
        if '"<string>"' in (error.device_traceback or ""):
            raise  # so it ran
        raise _not_whole(error) from None


def _not_whole(error: DeviceError) -> BadAnswerError:
    said = error.device_traceback or ""
    return damaged("What was sent to the board did not arrive whole.", said)
