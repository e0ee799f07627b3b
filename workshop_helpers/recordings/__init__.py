"""Recordings that learners make: files on this laptop, labels on them, and sets to train on."""

from .duplicates import Duplicate
from .fetch import FetchReport, fetch_recordings
from .partial import recover
from .recording import Gap, Recording, Span
from .recording_set import RecordingSet, load_set

__all__ = [
    "Duplicate",
    "FetchReport",
    "Gap",
    "Recording",
    "RecordingSet",
    "Span",
    "fetch_recordings",
    "load_set",
    "recover",
]
