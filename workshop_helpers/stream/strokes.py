"""Matplotlib's artists as a few numbers, for a browser to paint: no pixels are made here.

The numbers of all strokes stand in one block of bytes; a stroke is a dict that JSON can say, with
`at`, where in it its own begin. Lengths are pixels, from the picture's upper left corner. Painted
by canvas.js:

    line   float32 [n, 2] points, NaN breaks the line; `width`, `colour`, and `marker`, a polygon
           that is filled at each point
    bars   float32 [n, 4] left, top, width, height; `colours`, one each
    image  uint8 [rows, columns] into the palette before it, uint8 [256, 4] RGBA; `box` as a bar
    text   `text`; `base` says what of it is at `y`: "top" of the first line, "center" of the only
           one, or the "baseline" of the last; `size`, `weight`, `align`
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

Stroke = dict[str, Any]
_POINTS_PER_INCH = 72


def strokes(artists: Iterable[Any], height: float) -> tuple[list[Stroke], bytes]:
    """The strokes that draw these artists in a picture of this height, and their numbers.

    Artists are of a kind in `_KINDS`, without dashes, gradients or rotation.
    """
    found: list[Stroke] = []
    data = bytearray()
    for artist in artists:
        stroke, numbers = _KINDS[type(artist)](artist, height)
        found.append({"at": len(data), **stroke})
        data += numbers
        data += bytes(-len(data) % 4)  # float32 must begin at a multiple of its size
    return found, bytes(data)


def _line(line: Any, height: float) -> tuple[Stroke, bytes]:
    points = _pixels(line.get_transform(), line.get_xydata(), height)
    pixels_per_point = line.get_figure(root=True).dpi / _POINTS_PER_INCH
    stroke = {
        "kind": "line",
        "n": len(points),
        "colour": to_hex(line.get_color()),
        "width": line.get_linewidth() * pixels_per_point,
        "clip": _clip(line, height),
        "marker": _polygon(line.get_marker(), line.get_markersize() * pixels_per_point),
    }
    return stroke, points.tobytes()


def _bars(bars: Any, height: float) -> tuple[Stroke, bytes]:
    corners = np.array([path.vertices[:4] for path in bars.get_paths()]).reshape(-1, 4, 2)
    points = _pixels(bars.get_transform(), corners.reshape(-1, 2), height).reshape(-1, 4, 2)
    least = points.min(axis=1)
    colours = [to_hex(colour) for colour in bars.get_facecolor()]
    stroke = {"kind": "bars", "n": len(points), "colours": colours, "clip": _clip(bars, height)}
    return stroke, np.hstack([least, points.max(axis=1) - least]).tobytes()


def _image(image: Any, height: float) -> tuple[Stroke, bytes]:
    left, right, bottom, top = image.get_extent()
    corners = _pixels(image.axes.transData, np.array([[left, top], [right, bottom]]), height)
    values = np.asarray(image.get_array(), dtype=np.float32)
    if image.origin == "lower":
        values = values[::-1]
    low, high = image.get_clim()
    with np.errstate(invalid="ignore"):
        places = np.clip((values - low) * (254 / (high - low)), 0, 254)
        index = np.where(np.isnan(places), 0, places + 1).astype(np.uint8)
    stroke = {
        "kind": "image",
        "size": index.shape[::-1],
        "box": [*corners[0].tolist(), *(corners[1] - corners[0]).tolist()],
        "clip": _clip(image, height),
    }
    return stroke, _palette(image.get_cmap().name) + index.tobytes()


def _text(text: Any, height: float) -> tuple[Stroke, bytes]:
    figure = text.get_figure(root=True)
    ((x, y),) = _pixels(text.get_transform(), np.array([text.get_position()]), height).tolist()
    stroke = {
        "kind": "text",
        "text": text.get_text(),
        "x": x,
        "y": y,
        "size": text.get_fontsize() * figure.dpi / _POINTS_PER_INCH,
        "weight": str(text.get_fontweight()),
        "colour": to_hex(text.get_color()),
        "align": text.get_horizontalalignment(),
        "base": text.get_verticalalignment(),
    }
    return stroke, b""


_KINDS: dict[type, Callable[[Any, float], tuple[Stroke, bytes]]] = {
    Line2D: _line,
    PolyCollection: _bars,
    AxesImage: _image,
    Text: _text,
}


def _pixels(transform: Any, points: NDArray[Any], height: float) -> NDArray[np.float32]:
    """Points of matplotlib as [n, 2] pixels from the upper left corner."""
    pixels = transform.transform(np.asarray(points, dtype=np.float64))
    pixels[:, 1] = height - pixels[:, 1]
    made: NDArray[np.float32] = pixels.astype(np.float32)
    return made


def _clip(artist: Any, height: float) -> list[float]:
    box = artist.axes.bbox
    return [box.x0, height - box.y1, box.width, box.height]


@functools.lru_cache(maxsize=64)
def _polygon(marker: Any, size: float) -> list[float]:
    """A marker's corners around (0, 0), x and y in turns; none if there is no marker."""
    style = MarkerStyle(marker)
    grown = style.get_transform() + Affine2D().scale(size, -size)
    polygons = style.get_path().to_polygons(grown)
    return np.concatenate(polygons).round(2).ravel().tolist() if polygons else []


@functools.lru_cache(maxsize=8)
def _palette(name: str) -> bytes:
    """A colour map as uint8 [256, 4]: the first for what is not known, transparent."""
    known = colormaps[name](np.linspace(0, 1, 255), bytes=True)
    made: bytes = np.vstack([np.zeros((1, 4), dtype=np.uint8), known]).tobytes()
    return made
