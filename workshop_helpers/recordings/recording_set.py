"""A folder of recordings as one set to train on: of any lengths, but of one rate and one sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets import Pieces, replay_settings, to_npy
from ..errors import DataError
from ..text import counted
from .duplicates import Duplicate, find_duplicates
from .layout import slug
from .partial import recover
from .recording import RATE_TOLERANCE, Recording, read_recording
from .tables import set_table


@dataclass(frozen=True, repr=False, eq=False)
class RecordingSet:
    """Recordings of one rate, with the same channels and units. `datasets.load` makes it.

    It is what `features.motion_features` takes. `notes` says, one sentence each, what to look at
    before training: a wrong rate, gaps, duplicates, samples without a label.
    """

    name: str
    recordings: tuple[Recording, ...]
    duplicates: tuple[Duplicate, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, key: int | str) -> Recording:
        """A recording by its number or its name. DataError if there is none of this name."""
        if isinstance(key, int):
            return self.recordings[key]
        for recording in self.recordings:
            if recording.name == key:
                return recording
        names = ", ".join(recording.name for recording in self.recordings)
        raise DataError(f"{self.name} has no recording {key!r}.", f"There are: {names}.")

    def __repr__(self) -> str:
        balance = ", ".join(f"{k} {v:.1f} s" for k, v in self.durations_s.items())
        return (
            f"<RecordingSet {self.name}: {counted(len(self), 'recording')}, "
            f"{counted(len(self.channels), 'channel')} at {self.rate_hz:g} Hz, "
            f"{balance or 'no labels'}>"
        )

    def _repr_html_(self) -> str:
        return set_table(repr(self)[1:-1], self.recordings, self.durations_s, self.notes)

    # --- what all of them share -------------------------------------------------------------
    @property
    def rate_hz(self) -> float:
        return self.recordings[0].rate_hz

    @property
    def channels(self) -> tuple[str, ...]:
        return self.recordings[0].channels

    @property
    def units_per_lsb(self) -> NDArray[np.float64]:
        return self.recordings[0].units_per_lsb

    @property
    def channel_units(self) -> tuple[str, ...]:
        return self.recordings[0].channel_units

    # --- labels -----------------------------------------------------------------------------
    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(self.durations_s)

    @property
    def durations_s(self) -> dict[str, float]:
        """Label -> seconds of samples that have it, in all recordings."""
        found: dict[str, float] = {}
        for recording in self.recordings:
            for label, seconds in recording.label_durations_s.items():
                found[label] = found.get(label, 0.0) + seconds
        return dict(sorted(found.items()))

    @property
    def groups(self) -> NDArray[np.str_]:
        """For each recording what must stay on one side of a split: its person, else its session,
        else itself. `groups=data.groups[features.recording]`."""
        return np.array([_group(recording) for recording in self.recordings])

    def pieces(self) -> Pieces:
        """Runs of samples with one label and no gap inside; what has no label is left out."""
        samples, labels, owner = [], [], []
        for index, recording in enumerate(self.recordings):
            for piece, label in recording.pieces():
                samples.append(piece)
                labels.append(label)
                owner.append(index)
        return Pieces(samples, np.array(labels, dtype=np.str_), np.array(owner, dtype=np.intp))

    # --- parts of it ------------------------------------------------------------------------
    def select(self, names: Sequence[str]) -> RecordingSet:
        """Only the recordings of these names, in this order.

        Raises:
            DataError: there is none of such a name, or none was named.
        """
        return as_set(self.name, [self[name] for name in names])

    def replay_files(self, seconds: float | None = None) -> dict[str, bytes]:
        """The longest piece of each class for the replay sensor: path on the board -> `.npy`.

        `seconds`: only so much of each; None for all of it.
        """
        pieces = self.pieces()
        n = None if seconds is None else round(seconds * self.rate_hz)
        files = {}
        for label in self.classes:
            of_label = [pieces.samples[i] for i in np.flatnonzero(pieces.labels == label)]
            files[f"/recordings/{slug(label)}.npy"] = to_npy(max(of_label, key=len)[:n])
        return files

    def replay_settings(self) -> dict[str, Any]:
        """What the app `recorder` must be told with `replay_files`: rate, channels, units."""
        return replay_settings(self)


def load_set(folder: Path, name: str | None = None) -> RecordingSet:
    """Load all recordings of a folder; what a killed process left is made whole first.

    Raises:
        DataError: the folder holds none, one is damaged, or they differ in rate, channels or units.
    """
    notes: list[str] = []
    recovered = recover(folder, notes)
    notes += [f"{r.name} was cut short by a crash and recovered." for r in recovered]
    recordings = []
    for path in sorted(folder.glob("*.npy")):
        if path.with_suffix(".json").exists():
            recordings.append(read_recording(path))
        elif not path.with_suffix(".journal").exists():
            notes.append(f"{path.name} is left out: no {path.stem}.json says its rate and units.")
    if not recordings:
        raise DataError(
            f"There is no recording in {folder.name}." + "".join(f" {note}" for note in notes),
            "Make one first, as notebook 09 shows.",
        )
    return as_set(name or folder.name, recordings, notes)


def as_set(name: str, recordings: Sequence[Recording], notes: Sequence[str] = ()) -> RecordingSet:
    """Recordings as a set. DataError if there is none, or they can't be mixed."""
    if not recordings:
        raise DataError("A set needs at least one recording.", "Name the recordings you want.")
    for what, values in (
        ("rate", [f"{r.rate_hz:g} Hz" for r in recordings]),
        ("channels", [", ".join(r.channels) for r in recordings]),
        ("units", [", ".join(r.channel_units) for r in recordings]),
        ("units per count", [", ".join(f"{u:g}" for u in r.units_per_lsb) for r in recordings]),
    ):
        _refuse_mixture(name, what, list(zip([r.name for r in recordings], values, strict=True)))
    duplicates = find_duplicates(recordings)
    found = [*notes, *map(str, duplicates)]
    for recording in recordings:
        found += _notes(recording)
    return RecordingSet(name, tuple(recordings), tuple(duplicates), tuple(found))


def _refuse_mixture(name: str, what: str, values: list[tuple[str, str]]) -> None:
    kinds: dict[str, list[str]] = {}
    for recording, value in values:
        kinds.setdefault(value, []).append(recording)
    if len(kinds) < 2:
        return
    odd = sorted(kinds.items(), key=lambda item: len(item[1]))
    told = "; ".join(f"{_some(names)}: {value}" for value, names in odd)
    raise DataError(
        f"The recordings of {name} differ in their {what}. {told}.",
        "Train on recordings of one sensor and one rate: move the others into a folder of theirs.",
        files=[recording for _, names in odd[:-1] for recording in names],
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _notes(recording: Recording) -> list[str]:
    notes = []
    if abs(recording.rate_error) > RATE_TOLERANCE:
        speed = "fast" if recording.rate_error > 0 else "slow"
        notes.append(
            f"{recording.name}: measured {recording.rate_measured_hz:.1f} Hz, "
            f"{abs(recording.rate_error):.0%} too {speed} for {recording.rate_hz:g} Hz."
        )
    if recording.gaps:
        notes.append(f"{recording.name}: {_gaps(recording)}; no window spans them.")
    without_s = len(recording) / recording.rate_hz - sum(recording.label_durations_s.values())
    if without_s > 0.5 / recording.rate_hz:
        notes.append(f"{recording.name}: {without_s:.1f} s have no label and are left out.")
    return notes


def _gaps(recording: Recording) -> str:
    unknown = " or more" if any(gap.length == 0 for gap in recording.gaps) else ""
    return f"{counted(len(recording.gaps), 'gap')}, {recording.n_lost}{unknown} samples lost"


def _group(recording: Recording) -> str:
    meta: dict[str, Any] = recording.meta
    for key in ("person", "session"):
        if meta.get(key):
            return f"{key} {meta[key]}"
    return recording.name
