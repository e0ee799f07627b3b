"""Where a live view is shown: a canvas with buttons in a notebook, else a picture, else nowhere."""

from __future__ import annotations

import base64
import importlib
import time
from collections.abc import Sequence
from typing import Any, Protocol

from ..notebook import in_notebook
from .buttons import Buttons, Press
from .drawing import NONE_KNOWN, Layers, Versions


class Drawn(Protocol):
    """What can be shown; see `LiveFigure`."""

    def layers(self, known: Versions) -> tuple[Layers, Versions]: ...
    def png(self) -> bytes: ...


class Screen:
    """One place in a notebook's output; invisible outside of notebooks.

    It begins as a canvas if a notebook editor sent the cell. If no front end reports within
    `READY_TIMEOUT_S`, or none can be heard, it goes on as a picture that is replaced, without
    buttons; so it does where nobody is looking, as in an unattended run. The last frame stays as a
    picture in any case: a saved notebook shows it without a kernel.
    """

    READY_TIMEOUT_S = 8.0
    # A front end that has not shown so many frames gets no more; one a second, to wake it up.
    MAX_UNSHOWN = 10
    CANVAS_PERIOD_S, PICTURE_PERIOD_S = 0.04, 0.1

    def __init__(self, presses: Sequence[Press] = ()) -> None:
        self.visible = in_notebook()
        self._buttons = Buttons(presses)
        self._handle: Any = None
        self._known = NONE_KNOWN  # what the page has of the layers
        self._n_ready = 0  # the page that has it
        self._sent = self._free_from = 0
        self._begun_s = self._sent_s = 0.0

    @property
    def period_s(self) -> float:
        """The shortest time between two frames."""
        return self.CANVAS_PERIOD_S if self._buttons.shown else self.PICTURE_PERIOD_S

    @property
    def free(self) -> bool:
        """Whether a frame sent now would be shown soon."""
        seen = max(self._buttons.n_seen, self._free_from)
        if not self._buttons.shown or self._sent - seen < self.MAX_UNSHOWN:
            return True
        return self._buttons.n_ready != self._n_ready or time.monotonic() - self._sent_s > 1.0

    def pressed(self) -> list[tuple[str, str]]:
        """(event, value) of the buttons pressed since the last call."""
        return self._buttons.pressed()

    def offer(self, presses: Sequence[Press]) -> None:
        """Show these buttons from now on; nothing happens where none can be shown."""
        self._buttons.offer(presses)

    def show(self, drawn: Drawn) -> None:
        """Replace what is seen."""
        if not self._buttons.shown:
            self._show_picture(drawn.png())
            return
        if self._handle is None:
            # A front end that knows no widgets shows the first frame as a picture.
            png = base64.b64encode(drawn.png()).decode("ascii")
            self._handle = self._buttons.display(**{"image/png": png})
            self._begun_s = time.monotonic()
        if not self._buttons.n_ready and time.monotonic() - self._begun_s > self.READY_TIMEOUT_S:
            self._buttons.close()
            self._show_picture(drawn.png())
            return
        self._send(drawn)

    def close(self, drawn: Drawn) -> None:
        """Leave the last frame as a picture, and nothing that needs a kernel to be shown."""
        if self.visible:
            self._show_picture(drawn.png())
            self._buttons.close()

    def _send(self, drawn: Drawn) -> None:
        if self._n_ready != self._buttons.n_ready:  # a new page: it has nothing, and is free
            self._n_ready = self._buttons.n_ready
            self._known, self._free_from = NONE_KNOWN, self._sent
        layers, self._known = drawn.layers(self._known)
        self._sent += 1
        self._sent_s = time.monotonic()
        message = {
            "frame": self._sent,
            "layers": {name: made for name, (made, _) in layers.items()},
        }
        self._buttons.send(message, [data for _, data in layers.values()])

    def _show_picture(self, png: bytes) -> None:
        display: Any = importlib.import_module("IPython.display")
        picture = display.Image(data=png, format="png")
        if self._handle is None:
            self._handle = display.display(picture, display_id=True)
        else:
            self._handle.update(picture)
