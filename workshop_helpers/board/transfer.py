"""The bytes of one file, to a board and back, a block at a time.

mpremote's own file functions do the same, but overwrite the board's globals `f`, `w`, `r`, `h` and
`buf`, which may be the user's; and they send binary data as a Python literal, about three bytes
for one. Here each block travels as base64 (as a literal where that is shorter), which was twice as
fast on a virtual board, and on a UART is what counts.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from ..errors import DeviceError, DeviceMemoryError, TransferError
from .answers import from_literal
from .snippets import ask, snippet
from .transport import BoardTransport

Step = Callable[[int, int], None]
_BLOCK_S = 5.0  # the longest wait for one block
_HASH_BYTES_PER_S = 20_000  # a slow board


def write(transport: BoardTransport, path: str, data: bytes, block_bytes: int, step: Step) -> None:
    """Write `data` to `path`, as it is: no temporary name, no check."""
    has_base64 = ask(transport, "transfer", path, "wb")
    for start in range(0, len(data), block_bytes):
        block = data[start : start + block_bytes]
        code = f"_w_write({block!r})"
        if has_base64:
            short = f"_w_write(_w_a2b({base64.b64encode(block)!r}))"
            code = min(code, short, key=len)
        _run(transport, code, path)
        step(start + len(block), len(data))
    _run(transport, snippet("transfer_end"), path)


def read(
    transport: BoardTransport, path: str, size_bytes: int, block_bytes: int, step: Step
) -> bytes:
    """All of `path`, which has `size_bytes` as far as known. TransferError for garbled data."""
    has_base64 = ask(transport, "transfer", path, "rb")
    data = bytearray()
    block = f"_w_file.read({block_bytes})"
    code = f"print(_w_b2a({block}).decode())" if has_base64 else f"print({block})"
    while True:
        answer = _run(transport, code, path)
        try:
            got = (
                base64.b64decode(answer.strip(), validate=True) if has_base64 else _literal(answer)
            )
        except binascii.Error:
            raise garbled(path) from None
        if not got:
            break
        data += got
        if len(data) > size_bytes + block_bytes:  # it need not end by itself
            raise TransferError(f"{path} is longer than the board says.", path=path)
        step(len(data), size_bytes)
    _run(transport, snippet("transfer_end"), path)
    return bytes(data)


def sha256(transport: BoardTransport, path: str, size_bytes: int) -> str | None:
    """SHA-256 of a file in hex, computed on the board; None if it can't."""
    timeout_s = 10.0 + size_bytes / _HASH_BYTES_PER_S
    digest = ask(transport, "hash_file", path, timeout_s=timeout_s)
    return None if digest is None else str(digest)


def abandon(transport: BoardTransport) -> None:
    """Close the file of a copy that failed."""
    transport.run(snippet("transfer_end"), _BLOCK_S)


def _run(transport: BoardTransport, code: str, path: str) -> bytes:
    """Run one step of a copy. Whatever it raises but for want of room is damage on the way: steps
    are not checked one by one, the whole copy is."""
    try:
        return transport.run(code, _BLOCK_S)
    except DeviceMemoryError:
        raise
    except DeviceError as error:
        if "\nOSError:" in (error.device_traceback or ""):
            raise
        raise garbled(path) from None


def garbled(path: str) -> TransferError:
    return TransferError(f"The copy of {path} is garbled.", path=path)


def _literal(answer: bytes) -> bytes:
    value = from_literal(answer.decode("utf-8", "backslashreplace"))
    return value if isinstance(value, bytes) else b""
