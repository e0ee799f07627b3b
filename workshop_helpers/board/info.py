"""What a board is and has, asked in one go."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from ..text import printable
from .snippets import ask
from .transport import BoardTransport

_LONGEST = 100  # of a name that a board gives itself
_COMPUTERS = ("linux", "darwin", "win32")  # what no microcontroller calls itself


@dataclass(frozen=True)
class BoardInfo:
    """A board at the moment it was asked; None for what it can't tell. Sizes in bytes."""

    name: str
    chip: str
    platform: str
    version: str
    arch: str | None
    abi: str | None
    heap_free_bytes: int | None
    heap_total_bytes: int | None
    largest_free_block_bytes: int | None
    flash_free_bytes: int | None
    flash_total_bytes: int | None
    float_bits: int

    def __repr__(self) -> str:
        return f"<{self.name} ({self.chip}), MicroPython {self.version}, {self._rows()['heap']}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for key, value in self._rows().items()
        )
        return f"<table>{rows}</table>"

    def _rows(self) -> dict[str, str]:
        native = f"{self.arch}, .mpy {self.abi}" if self.arch else "none"
        return {
            "board": self.name,
            "chip": self.chip,
            "MicroPython": f"{self.version} ({self.platform})",
            "native code": native,
            "heap": f"{_kib(self.heap_free_bytes)} free of {_kib(self.heap_total_bytes)}",
            "largest free block": _kib(self.largest_free_block_bytes),
            "flash": f"{_kib(self.flash_free_bytes)} free of {_kib(self.flash_total_bytes)}",
            "floats": f"{self.float_bits} bits",
        }


def _kib(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else f"{size_bytes / 1024:,.0f} KiB"


def read_info(transport: BoardTransport) -> BoardInfo:
    """Ask the board. Raises the errors of `BoardTransport.run`."""
    return parse_info(ask(transport, "info", timeout_s=20.0))


def parse_info(answer: dict[str, Any]) -> BoardInfo:
    """The answer of `device_scripts/board/info.py` as a BoardInfo."""
    from ..modules import arch_of

    machine = _words(answer.get("machine") or "unknown board")
    name, _, chip = machine.partition(" with ")
    parts = answer.get("version")
    version = [_words(part) for part in parts if part != ""] if isinstance(parts, list) else []
    mpy = _count(answer.get("mpy"))
    arch, abi = (None, None) if mpy is None else arch_of(mpy)
    platform = _words(answer.get("platform", "unknown"))
    if platform in _COMPUTERS:
        name, chip = "virtual board", f"this computer's processor, {platform}"
    return BoardInfo(
        name=name,
        chip=chip or "unknown chip",
        platform=platform,
        version=".".join(version[:3]) + "".join(f"-{part}" for part in version[3:]),
        arch=arch,
        abi=abi,
        heap_free_bytes=_count(answer.get("heap_free")),
        heap_total_bytes=_count(answer.get("heap_total")),
        largest_free_block_bytes=_count(answer.get("largest_block")),
        flash_free_bytes=_count(answer.get("flash_free")),
        flash_total_bytes=_count(answer.get("flash_total")),
        float_bits=_count(answer.get("float_bits")) or 32,
    )


def _words(value: object) -> str:
    """What a board says of itself, safe to show anywhere."""
    return printable(str(value)).replace("\n", " ")[:_LONGEST]


def _count(value: object) -> int | None:
    """A number of something; None for what is no such number."""
    return value if type(value) is int and value >= 0 else None
