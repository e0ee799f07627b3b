"""From the bytes of a serial line to records, without ever trusting them.

What the board sends is described in device_scripts/lib/link.py. A record counts only if its CRC-32
is right and it says what every record says; anything else is reported as damaged, or is text.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..text import printable

SEQ_MODULUS = 1 << 30
MAX_RECORD_BYTES = 64 * 1024
MAX_TEXT_BYTES = 4 * 1024

# A field of floats: base64 of float32, found in a record as a list under the name without this.
_FLOATS = "_f32"
_ENDING = re.compile(rb',"crc":(\d{1,10})\}\r?\Z')


@dataclass(frozen=True)
class Record:
    """One whole record. `record["label"]` and `record.get("us")` reach its other fields."""

    seq: int
    t_us: int
    kind: str
    fields: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.fields.get(key, default)

    def samples(self) -> NDArray[np.int16]:
        """The samples of a record "samples", int16 [n_samples, n_channels]; others have none."""
        if self.kind != "samples":
            return np.empty((0, 1), dtype=np.int16)
        raw = base64.b64decode(self.fields["b64"])
        block = np.frombuffer(raw, dtype="<i2").astype(np.int16)
        return block.reshape(-1, self.fields["channels"])


@dataclass(frozen=True)
class TextLine:
    """What the board printed beside the records; control characters written out as `\\xNN`."""

    text: str


@dataclass(frozen=True)
class Damaged:
    """Bytes that began as a record and are none, and why."""

    size_bytes: int
    why: str


@dataclass(frozen=True)
class Gap:
    """Nothing came for so long, until the app was started again; from here on it counts anew."""

    seconds: float
    why: str


Item = Record | TextLine | Damaged | Gap


class RecordParser:
    """Feed it bytes as they come, cut anywhere; it never raises, and holds at most one line."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._in_record = False
        self._too_long_bytes = 0

    def feed(self, data: bytes) -> list[Item]:
        """What these bytes complete, in the order of the line."""
        items: list[Item] = []
        start = 0
        for match in re.finditer(rb"[\x1e\n]", data):
            self._extend(data[start : match.start()], items)
            start = match.end()
            self._end_line(items, whole=match[0] == b"\n")
            self._in_record = match[0] != b"\n"
        self._extend(data[start:], items)
        return items

    def close(self) -> list[Item]:
        """The stream is over: what is left of the last line."""
        items: list[Item] = []
        self._end_line(items, whole=False)
        self._in_record = False
        return items

    def _extend(self, data: bytes, items: list[Item]) -> None:
        self._line += data
        if self._in_record:
            if len(self._line) > MAX_RECORD_BYTES:
                self._too_long_bytes += len(self._line)
                self._line.clear()
            return
        while len(self._line) > MAX_TEXT_BYTES:
            items.append(_text(bytes(self._line[:MAX_TEXT_BYTES])))
            del self._line[:MAX_TEXT_BYTES]

    def _end_line(self, items: list[Item], *, whole: bool) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._in_record:
            if self._too_long_bytes:
                items.append(Damaged(self._too_long_bytes + len(line), "longer than a record"))
                self._too_long_bytes = 0
            else:
                items.append(_record(line))
        elif line or whole:
            items.append(_text(line))


def _text(line: bytes) -> TextLine:
    return TextLine(printable(line.removesuffix(b"\r").decode("utf-8", "replace")))


def _record(line: bytes) -> Record | Damaged:
    ending = _ENDING.search(line)
    if ending is None:
        return Damaged(len(line), "cut off")
    if binascii.crc32(line[: ending.start()]) != int(ending[1]):
        return Damaged(len(line), "wrong CRC")
    try:
        fields = json.loads(line, parse_constant=_refuse)
        seq, t_us, kind = fields.pop("seq"), fields.pop("t_us"), fields.pop("kind")
        del fields["crc"]
        # type(), not isinstance(): True is an int for isinstance.
        if (type(seq), type(t_us), type(kind)) != (int, int, str):
            return Damaged(len(line), "seq, t_us or kind of a wrong type")
        if not 0 <= seq < SEQ_MODULUS or t_us < 0:
            return Damaged(len(line), "seq or t_us out of range")
        if kind == "samples":
            _check_samples(fields)
        for name in [name for name in fields if name.endswith(_FLOATS)]:
            raw = base64.b64decode(fields.pop(name), validate=True)
            fields[name.removesuffix(_FLOATS)] = np.frombuffer(raw, dtype="<f4").tolist()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Damaged(len(line), f"not a record: {type(error).__name__}")
    return Record(seq, t_us, kind, fields)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _check_samples(fields: dict[str, Any]) -> None:
    channels, n_samples = fields["channels"], fields["n"]
    if type(channels) is not int or type(n_samples) is not int or channels < 1:
        raise ValueError("channels or n is no count")
    if len(base64.b64decode(fields["b64"], validate=True)) != 2 * channels * n_samples:
        raise ValueError("the block has another length than it says")
