"""The virtual board: the real MicroPython on a serial port of this computer."""

from .fault_list import fault_rows, fault_table, faults_from
from .forever import run_board_forever
from .supervisor.faults import Faults
from .virtual_board import VirtualBoard

__all__ = [
    "Faults",
    "VirtualBoard",
    "fault_rows",
    "fault_table",
    "faults_from",
    "run_board_forever",
]
