"""When to draw, and what time it is on the board."""

from __future__ import annotations


class Pacer:
    """Says when the next frame is due, so that drawing takes at most `duty` of the time.

    The rest is for what arrives. A slow frame is followed by a longer break, not by a hurry.
    """

    def __init__(self, duty: float = 0.4) -> None:
        self._duty = duty
        self.due_s = 0.0

    def drew(self, begun_s: float, ended_s: float, period_s: float) -> None:
        """A frame was drawn between these two moments; frames are at least `period_s` apart."""
        cost_s = ended_s - begun_s
        # A frame that came a little late does not make the next one late as well.
        base_s = self.due_s if begun_s - self.due_s < period_s else begun_s
        self.due_s = max(base_s + period_s, ended_s + cost_s * (1 / self._duty - 1))


class BoardClock:
    """The board's time now, from its newest records; so that pictures scroll evenly.

    The record that came quickest tells how the two clocks stand to each other. They may drift by
    a thousandth. Where records cease, the time goes on, and the gap is seen.
    """

    DRIFT = 1e-3

    def __init__(self) -> None:
        self._ahead_s: float | None = None  # the laptop's clock before the board's
        self._heard_s = 0.0

    def heard(self, t_s: float, now_s: float) -> None:
        """A record that says board time `t_s` was taken at `now_s` of the laptop's clock."""
        ahead_s = now_s - t_s
        if self._ahead_s is not None:
            drift_s = (now_s - self._heard_s) * self.DRIFT
            ahead_s = min(ahead_s, self._ahead_s + drift_s)
        self._ahead_s = ahead_s
        self._heard_s = now_s

    def restart(self) -> None:
        self._ahead_s = None

    def now_s(self, now_s: float) -> float:
        """Board time, s; 0 before the first record."""
        return 0.0 if self._ahead_s is None else now_s - self._ahead_s
