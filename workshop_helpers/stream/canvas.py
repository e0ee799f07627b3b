"""A canvas in a notebook's output, fed with frames; it says what it has shown and what is pressed.

A frame is strokes, not pixels (see strokes.py). Drawn by matplotlib and packed as JPEG, one of all
panels took 18 ms of the kernel's time; its strokes take 3 ms, on the same busy machine.
benchmarks/stream_views.py measures what is seen of it. Pixels as PNG, WebP or zlib, in ipywidgets'
Image or through `display`, had cost as much as JPEG or more, and ipympl with blitting made 9 frames
a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Canvas(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]  # partly typed
    """Messages out: {"frame": number, "layers": {name: strokes}}, with the numbers of each layer in
    a buffer. "axes" is a PNG, and lies below; over it "still", which like the axes is sent only
    when it changes; on top "moving". Messages in: {"event": ...}:

    "ready"   somebody sees it
    "shown"   "number": this frame is on the screen; about every fifth is told
    others    a button's own, with its "value"
    """

    _esm = _HERE / "canvas.js"
    _css = _HERE / "canvas.css"
    # One dict a button: event, value, text, look ("stop", "plain" or "chosen").
    buttons: Any = traitlets.List().tag(sync=True)
