"""A file from a board's flash and what its `.json` says, checked, as a recording on this laptop."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import DataError
from .layout import HEADER_BYTES
from .partial import PartialRecording
from .recording import Recording

_CHANNELS = 256


def take(
    folder: Path,
    name: str,
    data: bytes,
    about: dict[str, Any] | None,
    extra: dict[str, Any],
    recordings: list[Recording],
) -> str | None:
    """Write one recording; returns why it can't be used, None if it can."""
    if about is None:
        return "no readable .json beside it says its rate and units"
    try:
        label = about.get("label")
        if not isinstance(label, str | None):
            raise TypeError("the label is no text")
        session = about.get("session")
        if not isinstance(session, str | None):
            raise TypeError("the session is no text")
        kept = _checked(about)
        row_bytes = 2 * len(kept["channels"])
        n = (len(data) - HEADER_BYTES) // row_bytes
        if data[:6] != b"\x93NUMPY" or n < 1:
            return "it holds no sample"
        gaps = [(int(at), int(lost)) for at, lost in about.get("gaps", [])]
        # The .json of a file that was never closed may speak of samples that never got there.
        cut_short = name.endswith(".part") or about.get("samples") == 0
        if cut_short:
            gaps = [(at, lost) for at, lost in gaps if at < n]
        clocks = [(int(ticks), int(t_us)) for ticks, t_us in about.get("clocks", [])]
        if any(not 0 <= at <= n or lost < 0 for at, lost in gaps):
            raise ValueError("a gap lies outside")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return f"its .json is not as the app writes it ({error})"
    kept |= {
        "source": "flash",
        "fetched": datetime.now(UTC).isoformat("T", "seconds"),
    }
    kept |= {"cut_short": cut_short, **extra}
    kept["session"] = extra["session"] or session
    recording = write_recording(folder, label, kept, data[HEADER_BYTES:], row_bytes, gaps, clocks)
    recordings.append(recording)
    return None


def _checked(about: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a board's description; ValueError, TypeError or KeyError if it is none."""
    kept = {
        key: about[key]
        for key in ("rate_hz", "channels", "units_per_lsb", "channel_units", "sensor", "app")
    } | {"board": about.get("board")}
    channels, units, names = kept["channels"], kept["units_per_lsb"], kept["channel_units"]
    if not all(isinstance(part, list) and 0 < len(part) <= _CHANNELS for part in (channels, units)):
        raise ValueError("channels or units are no list")
    if not len(channels) == len(units) == len(names):
        raise ValueError("channels and units do not go together")
    if not all(math.isfinite(number) for number in (*units, kept["rate_hz"])):
        raise ValueError("a rate or unit is no number")
    if not kept["rate_hz"] > 0:
        raise ValueError("the rate is not above 0")
    # What JSON can't hold, or UTF-8 can't, could not be written beside the samples.
    json.dumps(
        [kept, about.get("label"), about.get("session")], ensure_ascii=False, allow_nan=False
    ).encode()
    return kept


def write_recording(
    folder: Path,
    label: str | None,
    about: dict[str, Any],
    raw: bytes,
    row_bytes: int,
    gaps: list[tuple[int, int]],
    clocks: list[tuple[int, int]],
) -> Recording:
    """Write samples that are all there as a recording. DataError if the disk does not let it."""
    try:
        partial = PartialRecording(folder, label, about)
        done = 0
        for at, lost in sorted(gaps):
            partial.add(raw[done * row_bytes : at * row_bytes])
            partial.gap(lost)
            done = at
        partial.add(raw[done * row_bytes : len(raw) // row_bytes * row_bytes])
        for ticks, t_us in clocks:
            partial.clock(ticks, t_us)
        partial.flush()
        recording = partial.finish()
    except OSError as error:
        raise DataError(
            f"{folder} can't be written: {error.strerror or error}.", "Make room on the disk."
        ) from error
    if recording is None:
        raise DataError("A recording without samples was written.")
    return recording
