"""Boards: finding them, talking to them, and a virtual one."""

from .board import Board
from .connection import connect
from .discovery import PortRecord, list_ports
from .files import DeviceFile, PutReport
from .info import BoardInfo
from .running import Running

__all__ = [
    "Board",
    "BoardInfo",
    "DeviceFile",
    "PortRecord",
    "PutReport",
    "Running",
    "connect",
    "list_ports",
]
