"""A recording as a picture: its signals over time, its labels as bands, its gaps as grey."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..plots import PALETTE, Picture
from ..text import counted, drawn
from .recording import Recording

_GAP = "#999999"
_MAX_CHANNELS = 3


def timeline_figure(recording: Recording, classes: Sequence[str] | None = None) -> Picture:
    """The first channels, and below them which label holds when. `classes` fixes the colours."""
    picture = Picture(9.0, 4.2)
    signal, band = picture.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    draw_signal(signal, recording)
    draw_labels(band, recording, classes)
    signal.set_title(drawn(recording.name), loc="left", fontweight="bold")
    if recording.gaps:
        signal.set_title(
            f"{counted(len(recording.gaps), 'gap')}, {counted(recording.n_lost, 'sample')} lost",
            loc="right",
            color="#444",
        )
    return picture


def draw_signal(axes: Axes, recording: Recording) -> None:
    """Lines that break at gaps, and a grey stripe for each gap."""
    t_s, values = recording.t_s, recording.values
    breaks = [gap.at for gap in recording.gaps]
    unit = recording.channel_units[0]
    for column, name in enumerate(recording.channels[:_MAX_CHANNELS]):
        if recording.channel_units[column] != unit:
            continue
        axes.plot(
            np.insert(t_s, breaks, np.nan),
            np.insert(values[:, column], breaks, np.nan),
            color=PALETTE[column],
            lw=1.2,
            label=drawn(name),
        )
    period_s = 1 / recording.rate_hz
    for number, gap in enumerate(recording.gaps):
        start_s = t_s[gap.at - 1] + period_s / 2
        end_s = max(t_s[gap.at] - period_s / 2, start_s + period_s / 4)
        axes.axvspan(start_s, end_s, color=_GAP, alpha=0.6, lw=0, label="" if number else "gap")
    axes.set_xlim(t_s[0], t_s[-1] + period_s)
    axes.set_ylabel(drawn(unit))
    axes.legend(loc="upper right", ncols=4, framealpha=0.8)


def draw_labels(axes: Axes, recording: Recording, classes: Sequence[str] | None = None) -> None:
    """A band a span, with its label written on it."""
    names = list(classes or recording.label_durations_s)
    t_s, period_s = recording.t_s, 1 / recording.rate_hz
    for span in recording.spans:
        start_s, end_s = t_s[span.start], t_s[span.stop - 1] + period_s
        colour = PALETTE[names.index(span.label) % 7] if span.label in names else _GAP
        axes.axvspan(start_s, end_s, color=colour, alpha=0.45, lw=0)
        middle_s = (start_s + end_s) / 2
        axes.text(middle_s, 0.5, drawn(span.label), ha="center", va="center", clip_on=True)
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    axes.set_ylabel("label")
    axes.set_xlabel("time since the first sample, s")
