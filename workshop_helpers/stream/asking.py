"""Commands to a running app: the line that is sent, and the wait for its answer."""

from __future__ import annotations

import binascii
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import StreamError
from .inbox import Inbox

MAX_COMMAND_BYTES = 256
# A command or its answer may be lost on the way. The board knows the number of the last one, so
# one that comes twice is done once.
_ASK_AGAIN_S = 0.6


class Asking:
    """Sends commands, one at a time, from any thread but the one that reads."""

    def __init__(self, inbox: Inbox, write: Callable[[bytes], None]) -> None:
        self._inbox = inbox
        self._write = write
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def ask(self, do: str, fields: Mapping[str, Any], timeout_s: float) -> Mapping[str, Any]:
        """The answer's fields. StreamError if the command is refused or not answered in time."""
        _check_known(do, self._inbox)
        end_s = time.monotonic() + timeout_s
        if not self._lock.acquire(timeout=timeout_s):
            raise _no_answer(do, timeout_s)
        try:
            number = next(self._ids)
            line = encode_command(number, do, fields)
            while (left_s := end_s - time.monotonic()) > 0:
                self._write(b"\n" + line + b"\n")  # what a lost newline left there ends first
                answer = self._inbox.wait_for_answer(number, min(left_s, _ASK_AGAIN_S))
                if answer is not None:
                    break
                if self._inbox.ended:
                    raise StreamError(
                        f"The app ended before it answered {do!r}.",
                        "Start it again: stream.restart().",
                    )
            else:
                raise _no_answer(do, timeout_s)
        finally:
            self._lock.release()
        if answer.get("ok") is not True:
            raise StreamError(
                f"The board refused {do!r}: {answer.get('why', 'it did not say why')}.",
                "stream.hello['settable'] says what can be set; stream.hello['commands'], done.",
                why=answer.get("why"),
            )
        return answer.fields


def encode_command(number: int, do: str, fields: Mapping[str, Any]) -> bytes:
    """One line as device_scripts/lib/link.py takes it, without its end. StreamError if it can't be.

    The board reads no pairs of \\u escapes, so text beyond the first 65,536 characters of Unicode
    goes as UTF-8.
    """
    if taken := {"id", "do", "crc"} & set(fields):
        raise StreamError(f"A command has its own {', '.join(sorted(taken))}.", "Use other names.")
    command = {"id": number, "do": do, **{name: _plain(value) for name, value in fields.items()}}
    try:
        text = json.dumps(command, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        if all(character <= "\uffff" for character in text):
            text = json.dumps(command, separators=(",", ":"), allow_nan=False)
        body = text[:-1].encode()
    except (TypeError, ValueError) as error:
        raise StreamError(
            f"The command {do!r} can't be sent: {error}.", "Use numbers, texts, True, False, None."
        ) from None
    line = b'%s,"crc":%d}' % (body, binascii.crc32(body))
    if len(line) > MAX_COMMAND_BYTES:
        raise StreamError(
            f"The command {do!r} has {len(line)} bytes; {MAX_COMMAND_BYTES} fit.",
            "Make its text shorter.",
        )
    return line


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    return value.item() if hasattr(value, "item") and not getattr(value, "shape", ()) else value


def _check_known(do: str, inbox: Inbox) -> None:
    known = inbox.hello.get("commands") if inbox.hello is not None else None
    if not isinstance(known, list):
        raise StreamError(
            "This app takes no commands.",
            "An app that makes a Commands object and puts its describe() in the hello does.",
        )
    if do not in known:
        raise StreamError(
            f"This app knows no command {do!r}.", f"It knows: {', '.join(map(str, known))}."
        )


def _no_answer(do: str, timeout_s: float) -> StreamError:
    return StreamError(
        f"The board did not acknowledge {do!r} within {timeout_s:g} s.",
        "Try again; does the app's loop call commands.poll() often enough?",
    )
