"""Live records from the board: parsed, counted, shown."""

from .counters import Counters
from .history import History
from .live import LiveResult, LiveView
from .opening import open_stream
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
    "Stream",
    "TextLine",
    "open_stream",
]
