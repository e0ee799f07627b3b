"""Wrong answers to the exercises of notebook 09, and what each check has to say about them."""

import tempfile
from pathlib import Path

import numpy as np
from recording_cases import counting, save

from workshop_helpers import datasets


def _recording(*labels, gaps=()):
    """Five seconds of "walking" in a folder of their own, then given other labels."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-wrong-"))
    recording = save(folder, counting(50), gaps=gaps)
    for start_s, end_s, label in labels:
        recording.label_span(start_s, end_s, label)
    return recording


def _set():
    """walking-001 and walking-002 have the same samples, running-001 has others."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-wrong-"))
    for label, seed in (("walking", 1), ("walking", 1), ("running", 2)):
        noise = np.random.default_rng(seed).integers(-999, 999, (50, 2))
        save(folder, noise.astype(np.int16), label=label)
    return datasets.load(folder)


_TWICE = _set()
_LOSSY = _recording(gaps=[(20, 10)])

WRONG = {
    "09.1": [
        ((None, _LOSSY), "between 0 and 1"),
        (("x", _LOSSY), "is a number"),
        ((100 * 50 / 60, _LOSSY), "in percent"),
        ((10 / 60, _LOSSY), "that was lost"),
        ((40 / 50, _LOSSY), "counts only what arrived"),
        ((0.5, _LOSSY), "n_lost helps"),
    ],
    "09.2": [
        ((None,), "recording itself"),
        ((_recording(),), "still has its label"),
        ((_recording((0, 99, None)),), "nothing has a label"),
        ((_recording((0, 1, None)),), "begins at 1 s"),
        ((_recording((0, 0.5, None), (3, 4, None)),), "further on"),
    ],
    "09.3": [
        ((["walking-001"], _TWICE), "the smaller set"),
        ((_TWICE, _TWICE), "has the same samples"),
        ((_TWICE.select(["walking-001"]), _TWICE), "nothing repeats it"),
        ((_TWICE.select(["running-001"]), _TWICE), "its copy is gone as well"),
    ],
}
