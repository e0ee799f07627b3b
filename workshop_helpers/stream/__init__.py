"""Live records from the board: parsed, counted, shown, recorded."""

from .counters import Counters
from .history import History
from .live import LiveResult, LiveView
from .opening import open_stream
from .record_cell import record
from .recorder import Recorder
from .records import Damaged, Gap, Record, RecordParser, TextLine
from .stream import Stream

__all__ = [
    "Counters",
    "Damaged",
    "Gap",
    "History",
    "LiveResult",
    "LiveView",
    "Record",
    "RecordParser",
    "Recorder",
    "Stream",
    "TextLine",
    "open_stream",
    "record",
]
