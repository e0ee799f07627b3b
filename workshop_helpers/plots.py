"""Pictures: pure functions from results to figures that a notebook shows as they are."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from .text import drawn

# Okabe and Ito's palette: told apart by colour-blind readers as well.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


def confusion_figure(
    truth: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    where: str = "the board",
) -> Picture:
    """Counts of true class (rows) against the class that was said (columns), and `where`.

    What is of none of `classes` ("unsure", a truth that nobody knows) is left out, and said.
    """
    index = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    for t, p in zip(truth, predicted, strict=True):
        if t in index and p in index:
            counts[index[t], index[p]] += 1
    outside = len(truth) - int(counts.sum())
    figure = Picture(5.2, 4.6)
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    for row, col in np.ndindex(*counts.shape):
        colour = "white" if counts[row, col] > counts.max() / 2 else "black"
        axes.text(col, row, str(counts[row, col]), ha="center", va="center", color=colour, size=14)
    names = list(map(drawn, classes))
    axes.set_xticks(range(len(names)), names, rotation=20, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel(f"{where} says")
    axes.set_ylabel("really")
    title = f"Held-out windows, predicted on {where}"
    axes.set_title(title + (f", {outside} not shown" if outside else ""))
    return figure


def stream_figure(
    t_samples_s: NDArray[np.float64],
    samples: NDArray[np.float64],
    channels: Sequence[str],
    t_predictions_s: NDArray[np.float64],
    outputs: NDArray[np.float64],
    truth: Sequence[str],
    classes: Sequence[str],
    unit: str,
) -> Picture:
    """The streamed signal above, the class shares below, the truth as a coloured band.

    Args:
        t_samples_s: [n] board time of each sample, s.
        samples: [n, c] one column a channel, in `unit`.
        t_predictions_s: [m] board time of each prediction, s.
        outputs: [m, len(classes)] share of the forest's vote for each class.
        truth: [m] true class of each prediction.
    """
    figure = Picture(9.0, 5.4)
    signal, shares = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
    for column, name in enumerate(channels):
        signal.plot(
            t_samples_s, samples[:, column], label=drawn(name), lw=1.2, color=PALETTE[column]
        )
    signal.set_ylabel(drawn(unit))
    signal.legend(loc="upper right", ncols=len(channels), frameon=False)
    signal.set_title("Streamed from the board")
    for column, name in enumerate(classes):
        shares.plot(
            *with_gaps(t_predictions_s, outputs[:, column], 1.5 * step_s(t_predictions_s)),
            "o-",
            ms=3,
            label=drawn(name),
            color=PALETTE[column],
        )
    _truth_band(shares, t_predictions_s, truth, classes)
    shares.set_ylim(0, 1.12)
    shares.set_ylabel("share of votes")
    shares.set_xlabel("board time, s (band on top: what it really is)")
    shares.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def with_gaps(
    t_s: NDArray[np.float64], values: NDArray[np.float64], longest_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A NaN wherever nothing came for longer than `longest_s`, so that no line bridges it.

    Args:
        t_s: [n], rising; values: [n] or [n, c].
    """
    gaps = np.flatnonzero(np.diff(t_s) > longest_s) + 1
    if not len(gaps):
        return t_s, values
    return np.insert(t_s, gaps, t_s[gaps]), np.insert(values, gaps, np.nan, axis=0)


def step_s(t_s: NDArray[np.float64]) -> float:
    """The usual time between two of these, s."""
    return float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.5


def _truth_band(
    axes: Axes, t_s: NDArray[np.float64], truth: Sequence[str], classes: Sequence[str]
) -> None:
    width_s = step_s(t_s)
    for start_s, name in zip(t_s, truth, strict=True):
        colour = PALETTE[list(classes).index(name)] if name in classes else "#bbbbbb"
        axes.axvspan(start_s - width_s, start_s, ymin=0.94, ymax=1.0, color=colour, lw=0)


class Picture(Figure):
    """A figure that shows itself in a notebook, whatever backend is chosen, and outside pyplot.

    smallest_pt: text below this size is shown in this size, so that the back row can read it.
    """

    def __init__(self, width: float, height: float, smallest_pt: float = 12) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        self._smallest_pt = smallest_pt
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        self.draw_without_rendering()  # tick labels come into being at the first drawing
        for text in self.findobj(Text):
            assert isinstance(text, Text)
            text.set_fontsize(max(self._smallest_pt, float(text.get_fontsize())))
        for axis in (each for axes in self.axes for each in (axes.xaxis, axes.yaxis)):
            for label in axis.get_ticklabels()[:1]:  # the others are made anew, as this one
                axis.set_tick_params(labelsize=label.get_fontsize())
        return png(self, dpi=100)


def png(figure: Figure, dpi: int = 150) -> bytes:
    """The figure as PNG; the default is sharp enough for a projector."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_url(figure: Figure) -> str:
    """The figure as a `data:` address, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode("ascii")


def recordings_figure(
    samples: NDArray[np.float64],
    labels: Sequence[str],
    rate_hz: float,
    channels: Sequence[str],
    unit: str,
) -> Picture:
    """One panel a recording, all with the same axes.

    Args:
        samples: [n, n_samples, c] in `unit`; `labels` names the n panels, `channels` the c lines.
    """
    picture = Picture(9.0, 1.5 * len(samples) + 0.8)
    t_s = np.arange(samples.shape[1]) / rate_hz
    panels = picture.subplots(len(samples), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, recording, label in zip(panels, samples, labels, strict=True):
        for column, name in enumerate(channels):
            axes.plot(t_s, recording[:, column], lw=1.2, color=PALETTE[column], label=drawn(name))
        axes.set_title(drawn(label), loc="left", fontsize=12, fontweight="bold")
    panels[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(channels), frameon=False)
    panels[len(panels) // 2].set_ylabel(drawn(unit))
    panels[-1].set_xlabel("time, s")
    return picture


def windows_figure(
    signal: NDArray[np.float64], rate_hz: float, window: int, hop: int, unit: str, shown: int = 6
) -> Picture:
    """A signal, and below it the first windows cut from it: each a bar, one hop after the other.

    Args:
        signal: [n] in `unit`; window, hop: in samples; shown: how many windows to draw.
    """
    picture = Picture(9.0, 4.2)
    above, below = picture.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.plot(np.arange(len(signal)) / rate_hz, signal, color=PALETTE[0], lw=1.3)
    above.set_ylabel(drawn(unit))
    starts = range(0, min(len(signal) - window + 1, shown * hop), hop)
    for row, start in enumerate(starts):
        colour = PALETTE[row % 7]
        below.barh(-row, window / rate_hz, left=start / rate_hz, height=0.8, color=colour)
        end_s = (start + window) / rate_hz
        below.annotate("prediction", (end_s, -row), (6, -4), textcoords="offset points")
    below.set_yticks([])
    below.set_xlabel("time, s")
    overlap = max(0.0, 1 - hop / window)
    below.set_title(
        f"windows of {window / rate_hz:g} s, a new one every {hop / rate_hz:g} s: "
        f"{overlap:.0%} overlap",
        loc="left",
    )
    return picture


def histogram_figure(values: Mapping[str, NDArray[np.floating]], label: str) -> Picture:
    """Distributions of several groups over the same bins, each as a share of its group.

    Args:
        values: group name -> [n] numbers between 0 and 1.
        label: what the numbers are.
    """
    picture = Picture(8.0, 3.4)
    axes = picture.subplots()
    edges = np.linspace(0, 1, 21).tolist()
    for column, (name, group) in enumerate(values.items()):
        weights = np.full(len(group), 100 / max(1, len(group)))
        colour = PALETTE[column]
        axes.hist(group, edges, weights=weights, alpha=0.65, color=colour, label=drawn(name))
    axes.set_xlabel(label)
    axes.set_ylabel("% of windows")
    axes.legend(frameon=False)
    return picture


def bars_figure(
    names: Sequence[str], groups: Mapping[str, Sequence[float | None]], unit: str, title: str
) -> Picture:
    """Horizontal bars, one colour a group, with the numbers written on them.

    Args:
        names: of the rows; groups: name of a group -> a number for each row, None for no bar.
    """
    picture = Picture(9.0, (0.34 * len(groups) + 0.2) * len(names) + 1.1)
    axes = picture.subplots()
    height = 0.8 / len(groups)
    largest = max((v for values in groups.values() for v in values if v), default=1)
    for column, (group, values) in enumerate(groups.items()):
        at = np.arange(len(names)) + (column - (len(groups) - 1) / 2) * height
        widths = [v or 0 for v in values]
        bars = axes.barh(at, widths, height * 0.92, color=PALETTE[column], label=drawn(group))
        labels = [
            f"{v:,.3g}" if v is not None and v < 100 else f"{v:,.0f}" if v else "" for v in values
        ]
        axes.bar_label(bars, labels=labels, padding=4)
    axes.set_yticks(range(len(names)), list(map(drawn, names)))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.18 * largest)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left")
    if len(groups) > 1:
        picture.legend(frameon=False, loc="outside lower right", ncols=len(groups))
    return picture


def shares_figure(names: Sequence[str], shares: Sequence[float], title: str) -> Picture:
    """Horizontal bars from 0 to 100 %, with the numbers written on them."""
    picture = Picture(8.0, 0.7 * len(names) + 1.0)
    axes = picture.subplots()
    bars = axes.barh(
        list(map(drawn, names)), [100 * s for s in shares], color=PALETTE[: len(names)]
    )
    axes.bar_label(bars, fmt="%.1f %%", padding=4)
    axes.invert_yaxis()
    axes.set_xlim(0, 114)
    axes.set_xlabel("%")
    axes.set_title(title, loc="left")
    return picture
