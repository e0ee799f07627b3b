"""The same samples in two recordings: one in training and one in test, and the score is a lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .recording import Recording

CHUNK_S = 1.0
_LEAST_SAMPLES = 8


@dataclass(frozen=True)
class Duplicate:
    """Two recordings that share at least `seconds` of samples, or all of them."""

    first: str
    second: str
    seconds: float
    whole: bool

    def __str__(self) -> str:
        if self.whole:
            return f"{self.second} has the same samples as {self.first}: keep one of them."
        return f"{self.second} repeats {self.seconds:g} s of {self.first}: keep both in one group."


def find_duplicates(recordings: Sequence[Recording]) -> list[Duplicate]:
    """Pairs of recordings with the same samples in them, wherever they begin.

    Any run of twice `CHUNK_S` that two share is found: one of them is cut into chunks, and these
    are looked for at every sample of the other. Chunks in which nothing moves are not compared.
    """
    chunk = max(_LEAST_SAMPLES, round(CHUNK_S * recordings[0].rate_hz)) if recordings else 1
    known: dict[bytes, int] = {}
    heads: set[bytes] = set()  # how they begin: a whole chunk of sound is long to look up
    found: dict[tuple[int, int], int] = {}
    whole: dict[str, int] = {}
    for index, recording in enumerate(recordings):
        first = whole.setdefault(recording.sha256, index)
        if first != index:
            found[first, index] = -1
            continue
        data = np.ascontiguousarray(recording.samples)
        raw, step = data.tobytes(), data.shape[1] * 2
        head = _LEAST_SAMPLES * step
        at = 0
        while known and at + chunk <= len(data):
            owner = None
            if raw[at * step : at * step + head] in heads:
                owner = known.get(raw[at * step : (at + chunk) * step])
            if owner is not None:
                found[owner, index] = found.get((owner, index), 0) + 1
            at += chunk if owner is not None else 1
        for at in range(0, len(data) - chunk + 1, chunk):
            if _moves(data[at : at + chunk]):
                known.setdefault(raw[at * step : (at + chunk) * step], index)
                heads.add(raw[at * step : at * step + head])
    return [
        Duplicate(
            recordings[a].name,
            recordings[b].name,
            recordings[b].duration_s if n < 0 else n * chunk / recordings[b].rate_hz,
            n < 0,
        )
        for (a, b), n in sorted(found.items())
    ]


def _moves(chunk: NDArray[np.int16]) -> bool:
    return bool((chunk != chunk[0]).any())
