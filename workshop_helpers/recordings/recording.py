"""One recording: samples, labels on them, gaps in them, and where they come from."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..text import counted
from .layout import FORMAT, write_meta
from .spans import Gap, Span, pieces_between, relabelled

__all__ = ["Gap", "Recording", "Span", "read_recording"]

RATE_TOLERANCE = 0.02


@dataclass(repr=False, eq=False)
class Recording:
    """A recording on this laptop. Its samples never change; its labels may, by `label_span`.

    `samples` int16 [n_samples, n_channels] in sensor counts; `samples * units_per_lsb` is in
    `channel_units`. `spans` say which samples have which label, `gaps` where samples are missing;
    both count stored samples. Times are in seconds since the first sample, gaps included.
    `rate_measured_hz` is None where nothing measured it. `meta` has the rest as it stands in the
    file: sensor, board, app, person, session, began (UTC), recovered, source.
    """

    name: str
    samples: NDArray[np.int16]
    rate_hz: float
    rate_measured_hz: float | None
    channels: tuple[str, ...]
    units_per_lsb: NDArray[np.float64]
    channel_units: tuple[str, ...]
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    sha256: str
    meta: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        labels = ", ".join(f"{k} {v:.1f} s" for k, v in self.label_durations_s.items())
        text = (
            f"{self.name}: {self.duration_s:.1f} s at {self.rate_hz:g} Hz, {labels or 'no label'}"
        )
        if self.gaps:
            text += f", {counted(len(self.gaps), 'gap')} ({counted(self.n_lost, 'sample')} lost)"
        return f"<Recording {text}>"

    # --- time -------------------------------------------------------------------------------
    @property
    def t_s(self) -> NDArray[np.float64]:
        """Time of each sample since the first, float64 [n_samples]; jumps at gaps."""
        ticks = np.arange(len(self.samples), dtype=np.int64)
        for gap in self.gaps:
            ticks[gap.at :] += gap.length
        return ticks / self.rate_hz

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last one, gaps included."""
        return (len(self.samples) + self.n_lost) / self.rate_hz

    @property
    def n_lost(self) -> int:
        """Samples known to be missing."""
        return sum(gap.length for gap in self.gaps)

    @property
    def rate_error(self) -> float:
        """Measured rate against the nominal one: 0.03 is 3 % fast. 0 where nothing measured it."""
        return 0.0 if self.rate_measured_hz is None else self.rate_measured_hz / self.rate_hz - 1

    @property
    def label_durations_s(self) -> dict[str, float]:
        """Label -> seconds of samples that have it."""
        found: dict[str, float] = {}
        for span in self.spans:
            seconds = (span.stop - span.start) / self.rate_hz
            found[span.label] = found.get(span.label, 0.0) + seconds
        return dict(sorted(found.items()))

    @property
    def values(self) -> NDArray[np.float64]:
        """The samples in `channel_units`, float64 [n_samples, n_channels]."""
        return self.samples * self.units_per_lsb

    def pieces(self) -> list[tuple[NDArray[np.int16], str]]:
        """Runs of samples with one label and no gap inside, as (samples, label)."""
        return [
            (self.samples[start:stop], label)
            for start, stop, label in pieces_between(self.spans, self.gaps)
        ]

    # --- labels -----------------------------------------------------------------------------
    def label_span(self, start_s: float, end_s: float, label: str | None) -> Recording:
        """Give the samples from `start_s` up to `end_s` a label; None takes their label away.

        What they were called before is replaced, and the file beside the recording is written
        anew. Returns the recording itself.

        Raises:
            DataError: no sample lies there, or the label is no text, or can't be saved.
        """
        if label is not None and not (isinstance(label, str) and label.strip()):
            raise DataError("A label is a text that is not empty.", 'Write it like "walking".')
        t_s = self.t_s
        start, stop = (int(i) for i in np.searchsorted(t_s, [start_s, end_s]))
        if not start < stop:
            raise DataError(
                f"{self.name} has no sample from {start_s:g} s to {end_s:g} s.",
                f"It lasts from 0 to {self.duration_s:g} s"
                + (f", with gaps at {self._gap_times()}." if self.gaps else "."),
            )
        spans = relabelled(self.spans, start, stop, label.strip() if label else None)
        if self.path is not None:
            meta = self.meta | {"spans": [span.as_list() for span in spans]}
            try:
                write_meta(self.path.with_suffix(".json"), meta)
            except OSError as error:
                raise DataError(
                    f"The label of {self.name} can't be saved: {error.strerror or error}.",
                    "Make room on the disk, or make the folder writable; nothing has changed.",
                ) from error
            self.meta = meta
        self.spans = spans
        return self

    def _gap_times(self) -> str:
        t_s = self.t_s
        return ", ".join(f"{t_s[g.at] - g.length / self.rate_hz:.1f} s" for g in self.gaps)


def read_recording(path: Path) -> Recording:
    """Read `<name>.npy` and the `<name>.json` beside it.

    Raises:
        DataError: one of them is missing, damaged, or they do not belong together.
    """
    mend = f"Move {path.name} out of the folder, or copy it from where it was made again."
    beside = path.with_suffix(".json")
    try:
        data, text = path.read_bytes(), beside.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.stem} can't be read: {error}", mend) from error
    digest = hashlib.sha256(data).hexdigest()
    try:
        meta = json.loads(text)
        if meta["format"] != FORMAT:
            raise DataError(
                f"{beside.name} is of format {meta['format']}, this workshop reads {FORMAT}.",
                "Use the version of the workshop that made it, or move it out of the folder.",
            )
        if meta["sha256"] != digest:
            raise DataError(f"{path.name} is damaged: its SHA-256 is not the known one.", mend)
        samples = np.load(io.BytesIO(data), allow_pickle=False)
        recording = _recording(path, samples, meta, digest)
    except (ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise DataError(f"{path.stem} is not laid out as a recording: {error}", mend) from error
    return recording


def _recording(
    path: Path, samples: NDArray[np.int16], meta: dict[str, Any], digest: str
) -> Recording:
    channels = tuple(map(str, meta["channels"]))
    if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != len(channels):
        raise ValueError(f"{samples.dtype} {samples.shape} for {len(channels)} channels")
    units, names = meta["units_per_lsb"], tuple(map(str, meta["channel_units"]))
    rate_hz, measured = float(meta["rate_hz"]), meta["rate_measured_hz"]
    if len(units) != len(channels) or len(names) != len(channels) or not rate_hz > 0:
        raise ValueError("units or rate do not fit the channels")
    n = len(samples)
    spans = tuple(Span(int(a), int(b), str(label)) for a, b, label in meta["spans"])
    gaps = tuple(Gap(int(at), int(length)) for at, length in meta["gaps"])
    if any(not 0 <= s.start < s.stop <= n for s in spans) or any(not 0 < g.at < n for g in gaps):
        raise ValueError("a label or a gap lies outside of the samples")
    samples.setflags(write=False)
    return Recording(
        name=path.stem,
        samples=samples,
        rate_hz=rate_hz,
        rate_measured_hz=None if measured is None else float(measured),
        channels=channels,
        units_per_lsb=np.array(units, dtype=np.float64),
        channel_units=names,
        spans=spans,
        gaps=gaps,
        sha256=digest,
        meta=meta,
        path=path,
    )
