"""A canvas in a notebook's output, fed with frames; it says what it has shown and what is pressed.

How frames get to the screen was compared in Chromium, once each for 5 s on a machine with other
work to do, 20 frames a second of 810 by 522 pixels, all drawn in the same way. Share of one core
in the kernel while it drew, and in Chromium's processes over the whole cell, its start included,
which differs a little from one to the next:

    display_id, PNG          0.76  0.48      anywidget canvas, PNG             0.67  0.35
    ipywidgets.Image, PNG    0.82  0.51      anywidget canvas, lossless WebP   0.72  0.41
    ipywidgets.Image, JPEG   0.52  0.61      anywidget canvas, zlib            0.49  0.48
                                             anywidget canvas, JPEG            0.50  0.38

ipympl with blitting made 9 frames a second for 0.69 of a core; hardly any were seen to arrive, but
it was driven without the questions its front end asks, which a busy kernel can't answer.

JPEG, zlib and ipywidgets' JPEG cost the kernel the same within what one run can tell. The canvas
was chosen because it can say that it is there and what it has shown. The frames per second of the
whole view have not been measured against a goal yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Canvas(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]  # partly typed
    """Messages out: {"frame": number} with one JPEG. Messages in: {"event": ...}:

    "ready"   somebody sees it
    "shown"   "number": this frame is on the screen; every fifth is told
    others    a button's own, with its "value"
    """

    _esm = _HERE / "canvas.js"
    _css = _HERE / "canvas.css"
    # One dict a button: event, value, text, look ("stop", "plain" or "chosen").
    buttons: Any = traitlets.List().tag(sync=True)
