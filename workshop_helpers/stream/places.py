"""Where in a recording an app's n-th sample lies."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

_RUNS = 1000


class Places:
    """The app counts every sample since it started, a recording those that arrived.

    Kept are runs without a gap: the app's number of the first sample, and its place.
    """

    def __init__(self) -> None:
        self._runs: deque[tuple[int, int]] = deque(maxlen=_RUNS)

    def clear(self) -> None:
        """The app begins to count anew."""
        self._runs.clear()

    def begin(self, number: int, place: int) -> None:
        """A run begins with the app's sample `number`, which lies at `place`."""
        self._runs.append((number, place))

    def of(self, number: int) -> int:
        """The place of the app's sample `number`, or of the first after it that arrived."""
        index = bisect_right(self._runs, number, key=lambda run: run[0]) - 1
        if index < 0:
            return self._runs[0][1]
        place = self._runs[index][1] + number - self._runs[index][0]
        return min(place, self._runs[index + 1][1]) if index + 1 < len(self._runs) else place
