"""Notebook 03's picture: what lies where in a chip's flash, and what of it is written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..plots import PALETTE, Picture

_KB = 1024
# MicroPython's for an ESP32 with 4 MB or more: ports/esp32/partitions-4MiBplus.csv. Name, first
# KB, colour; the last one goes on to the end of the flash.
REGIONS = (
    ("starter, settings", 0, PALETTE[1]),
    ("MicroPython", 64, PALETTE[0]),
    ("your files", 2048, PALETTE[2]),
)
_BLOCK = 16 * _KB


def flash_map_figure(contents: Mapping[str, bytes | bytearray]) -> Picture:
    """The regions of the flash above, and below them each of `contents`: title -> the whole flash,
    written blocks dark. A byte of 0xFF is one that was erased and not written since."""
    size_kb = max(len(data) for data in contents.values()) // _KB
    picture = Picture(10.0, 1.6 + 0.75 * len(contents))
    axes = picture.subplots()
    ends = [start for _, start, _ in REGIONS[1:]] + [size_kb]
    for (name, start, colour), end in zip(REGIONS, ends, strict=True):
        axes.barh(0, end - start, left=start, height=0.6, color=colour)
        narrow = end - start < size_kb / 10
        axes.annotate(
            name,
            ((start + end) / 2, -0.3 if narrow else 0),
            (-4 if narrow else 0, 5 if narrow else 0),
            textcoords="offset points",
            ha="left" if narrow else "center",
            va="bottom" if narrow else "center",
            fontsize=13,
            color="black" if narrow else "white",
        )
    for row, data in enumerate(contents.values(), 1):
        axes.barh(row, size_kb, height=0.6, color="#eeeeee")
        blocks = np.frombuffer(bytes(data), np.uint8).reshape(-1, _BLOCK)
        written = np.flatnonzero((blocks != 0xFF).any(axis=1))
        left = written * (_BLOCK // _KB)
        axes.barh([row] * len(left), _BLOCK // _KB, left=left, height=0.6, color="#444444", lw=0)
    axes.set_yticks(range(len(contents) + 1), ["the plan", *contents], fontsize=13)
    axes.set_ylim(len(contents) + 0.5, -0.75)
    axes.set_xlim(0, size_kb)
    ticks = range(0, size_kb + 1, 512)
    axes.set_xticks(ticks, [f"{kb / _KB:g}" for kb in ticks])
    axes.set_xlabel("MB from the beginning of the flash", fontsize=12)
    return picture
