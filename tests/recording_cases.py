"""What tests of recordings share: made-up streams, and recordings written to a folder."""

from __future__ import annotations

import base64

import numpy as np

from workshop_helpers.recordings.arriving import write_recording
from workshop_helpers.stream.records import Record

ABOUT = {
    "rate_hz": 10.0,
    "channels": ["acc_x", "acc_y"],
    "units_per_lsb": [0.001, 0.001],
    "channel_units": ["m/s²", "m/s²"],
    "sensor": "replay",
    "app": "recorder",
}


def counting(n: int, start: int = 0) -> np.ndarray:
    """int16 [n, 2] that tells where it comes from."""
    return np.stack([np.arange(start, start + n), -np.arange(start, start + n)], 1).astype("<i2")


def save(folder, samples, label="walking", gaps=(), clocks=(), **about):
    """A recording on disk, as fetching one writes it."""
    about = ABOUT | about
    row = 2 * len(about["channels"])
    raw = np.ascontiguousarray(samples, dtype="<i2").tobytes()
    return write_recording(folder, label, about, raw, row, list(gaps), list(clocks))


class FakeStream:
    """What a Recorder needs of a stream, fed by hand."""

    def __init__(self, hello=ABOUT) -> None:
        self.hello = Record(0, 0, "hello", dict(hello)) if hello else None
        self.subscribers = []
        self.ended = False
        self.at = 0

    @property
    def started(self) -> bool:
        return self.hello is not None

    def start(self) -> None:
        """The hello comes when the test sends it."""

    def __exit__(self, *error: object) -> None:
        pass

    def subscribe(self, subscriber) -> None:
        self.subscribers.append(subscriber)

    def send(self, kind: str, t_us: int = 0, **fields) -> None:
        for subscriber in self.subscribers:
            subscriber(Record(1, t_us, kind, fields))

    def block(self, n: int = 5, lost: int = 0, **fields) -> None:
        """The next `n` samples, after `lost` that never come."""
        self.at += lost
        b64 = base64.b64encode(counting(n, self.at).tobytes()).decode()
        t_us = round((self.at + n) / ABOUT["rate_hz"] * 1e6)
        self.send("samples", t_us, **{"at": self.at, "n": n, "channels": 2, "b64": b64} | fields)
        self.at += n
