"""What a VirtualBoard tells its supervisor, as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from .faults import Faults

BLOCK_BYTES = 4096
MAX_FLASH_BYTES = 64 * 1024 * 1024


class FlashInUseError(Exception):
    """Another virtual board has this flash."""


class NotAFlashError(Exception):
    """The file is something else, which must not be overwritten; says why."""


@dataclass(frozen=True)
class Config:
    """All a supervisor has to know."""

    module_path: str
    """The interpreter's extension module."""
    device_dir: str
    """The folder with boot_flash.py."""
    flash: str | None
    """The flash file; None: a nameless one that ends with the supervisor."""
    flash_size_bytes: int
    heap_size_bytes: int
    bytes_per_s: int | None
    """Pace of the port in each direction; None: as fast as it goes."""
    transport: str
    """"pty" or "socket"."""
    faults: Faults = field(default_factory=Faults)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        values = json.loads(text)
        return Config(**{**values, "faults": Faults.from_dict(values["faults"])})
