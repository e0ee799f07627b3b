"""The report's pictures: pure functions from results to matplotlib figures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

# Okabe and Ito's palette: told apart by colour-blind readers as well.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


def confusion_figure(
    truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> Figure:
    """Counts of true class (rows) against the class the board said (columns)."""
    index = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    for t, p in zip(truth, predicted, strict=True):
        counts[index[t], index[p]] += 1
    figure = _figure(5.2, 4.6)
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    for row, col in np.ndindex(*counts.shape):
        colour = "white" if counts[row, col] > counts.max() / 2 else "black"
        axes.text(col, row, str(counts[row, col]), ha="center", va="center", color=colour, size=14)
    axes.set_xticks(range(len(classes)), classes, rotation=20, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("the board says")
    axes.set_ylabel("really")
    axes.set_title("Held-out windows, predicted on the board")
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
) -> Figure:
    """The streamed signal above, the class shares below, the truth as a coloured band.

    Args:
        t_samples_s: [n] board time of each sample, s.
        samples: [n, c] one column a channel, in `unit`.
        t_predictions_s: [m] board time of each prediction, s.
        outputs: [m, len(classes)] share of the forest's vote for each class.
        truth: [m] true class of each prediction.
    """
    figure = _figure(9.0, 5.4)
    signal, shares = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
    for column, name in enumerate(channels):
        signal.plot(t_samples_s, samples[:, column], label=name, lw=1.2, color=PALETTE[column])
    signal.set_ylabel(unit)
    signal.legend(loc="upper right", ncols=len(channels), frameon=False)
    signal.set_title("Streamed from the board")
    for column, name in enumerate(classes):
        shares.plot(
            t_predictions_s, outputs[:, column], "o-", ms=3, label=name, color=PALETTE[column]
        )
    _truth_band(shares, t_predictions_s, truth, classes)
    shares.set_ylim(0, 1.12)
    shares.set_ylabel("share of votes")
    shares.set_xlabel("board time, s (band on top: what it really is)")
    shares.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def _truth_band(
    axes: Axes, t_s: NDArray[np.float64], truth: Sequence[str], classes: Sequence[str]
) -> None:
    edges = np.append(t_s, t_s[-1] + (t_s[-1] - t_s[-2] if len(t_s) > 1 else 0.5))
    for i, name in enumerate(truth):
        colour = PALETTE[list(classes).index(name)] if name in classes else "#bbbbbb"
        axes.axvspan(edges[i], edges[i + 1], ymin=0.94, ymax=1.0, color=colour, lw=0)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # no pyplot: the demo leaves a notebook's own figures alone
    return figure


def png(figure: Figure) -> bytes:
    """The figure as PNG, sharp enough for a projector."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def data_url(figure: Figure) -> str:
    """The figure as a `data:` address, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode("ascii")
