"""The panels of a live picture, each in a file of its own; `PANELS` is the only list."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import StreamError
from ..history import History
from .confusion import Confusion
from .panel import Panel
from .probabilities import Probabilities
from .signals import Signals
from .spectrogram import Spectrogram

__all__ = ["PANELS", "SOUND_RATE_HZ", "Panel", "check_panels", "default_panels"]

PANELS: dict[str, type[Panel]] = {
    panel.name: panel for panel in (Signals, Spectrogram, Probabilities, Confusion)
}
# From this rate on, samples are sound or vibration, which an eye can't follow as a curve.
SOUND_RATE_HZ = 1000.0


def default_panels(history: History) -> tuple[str, ...]:
    """What suits the app's own words: its channels, their rate, its classes."""
    names = ["signals"]
    if history.rate_hz >= SOUND_RATE_HZ:
        names.append("spectrogram")
    if history.classes:
        names.append("probabilities")
    return tuple(names)


def check_panels(names: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; StreamError if one is no panel, comes twice, or there is none."""
    if isinstance(names, str):
        names = (names,)
    wrong = [name for name in names if name not in PANELS]
    if wrong or not names or len(set(names)) != len(names):
        raise StreamError(
            f"{wrong[0]!r} is no panel." if wrong else "Name one panel or more, each once.",
            f"These exist: {', '.join(PANELS)}.",
        )
    return tuple(names)
