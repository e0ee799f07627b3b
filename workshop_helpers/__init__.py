"""The names a notebook uses. Everything is loaded on first use, so that importing is quick."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .board import Board, connect
    from .errors import WorkshopError
    from .model.convert import convert
    from .model.device_model import DeviceModel
    from .model.fits import fits
    from .model.measure import measure
    from .model.verify import verify
    from .stream import LiveView, record

__all__ = [
    "Board",
    "DeviceModel",
    "LiveView",
    "WorkshopError",
    "connect",
    "convert",
    "fits",
    "measure",
    "record",
    "verify",
]

_HOME = {
    "Board": "board",
    "DeviceModel": "model",
    "LiveView": "stream",
    "WorkshopError": "errors",
    "connect": "board",
    "convert": "model",
    "fits": "model",
    "measure": "model",
    "record": "stream",
    "verify": "model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
