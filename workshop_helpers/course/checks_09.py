"""Checks of the exercises in notebook 09."""

from __future__ import annotations

from ..recordings import Recording, RecordingSet
from .checks import Verdict, check_for

TRIM_S = 0.5


@check_for("09.1", skill="tell how much of a recording is missing")
def received_share(share: object, recording: Recording) -> Verdict:
    if share is None:
        return Verdict(False, "Put a number between 0 and 1 in share.")
    if isinstance(share, bool) or not isinstance(share, int | float):
        return Verdict(False, "A share is a number between 0 and 1.")
    there, lost = len(recording), recording.n_lost
    wanted = there / (there + lost)
    if abs(share - wanted) < 1e-3:
        return Verdict(
            True, f"{wanted:.1%} of the samples arrived; {lost} are known to be missing."
        )
    if abs(share - 100 * wanted) < 0.1:
        return Verdict(False, "That is in percent; a share lies between 0 and 1.")
    if lost and abs(share - lost / (there + lost)) < 1e-3:
        return Verdict(False, "That is the share that was lost.")
    if lost and abs(share - (there - lost) / there) < 1e-3:
        return Verdict(False, "len(recording) counts only what arrived: lost ones come on top.")
    return Verdict(False, "Samples that arrived, divided by all that were taken: n_lost helps.")


@check_for("09.2", skill="mend the labels of a recording")
def trimmed(recording: Recording) -> Verdict:
    if not isinstance(recording, Recording):
        return Verdict(False, "Give the recording itself: check('09.2', mine).")
    if not recording.spans:
        return Verdict(False, "Now nothing has a label any more. Take away only the first 0.5 s.")
    first = recording.spans[0]
    n = round(TRIM_S * recording.rate_hz)
    if first.start == 0:
        return Verdict(False, "The first sample still has its label: label_span(..., None).")
    if first.start != n:
        seconds = first.start / recording.rate_hz
        return Verdict(False, f"The first label begins at {seconds:g} s, not at {TRIM_S:g} s.")
    labelled = sum(span.stop - span.start for span in recording.spans)
    if labelled != len(recording) - n:
        return Verdict(False, "Labels are missing further on: only the first 0.5 s should lose it.")
    return Verdict(True, "The model will not learn how you press a button.")


@check_for("09.3", skill="find the same samples twice, and keep them once")
def each_once(clean: RecordingSet, data: RecordingSet) -> Verdict:
    if not isinstance(clean, RecordingSet):
        return Verdict(False, "Give the smaller set: clean = data.select(keep).")
    if clean.duplicates:
        return Verdict(False, f"{clean.duplicates[0]} data.duplicates names the others.")
    kept = {recording.name for recording in clean.recordings}
    partners = [{pair.first, pair.second} for pair in data.duplicates]
    for recording in data.recordings:
        name = recording.name
        twins = set().union(*(pair for pair in partners if name in pair))
        if name not in kept and not twins & kept:
            why = "its copy is gone as well" if twins else "nothing repeats it"
            return Verdict(False, f"{name} is missing, and {why}: keep it.")
    balance = ", ".join(f"{label} {seconds:g} s" for label, seconds in clean.durations_s.items())
    return Verdict(True, f"Each sample is there once: {balance}.")
