"""Where a live view is shown: a canvas with buttons in a notebook, else a picture, else nowhere."""

from __future__ import annotations

import base64
import importlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from .buttons import notebook_shell
from .subshell import Listener


@dataclass(frozen=True)
class Press:
    """A button: what stands on it, what it means, how it looks ("stop", "plain", "chosen")."""

    event: str
    text: str
    value: str = ""
    look: str = "plain"


class Drawn(Protocol):
    """What can be shown."""

    def jpeg(self) -> bytes: ...
    def png(self) -> bytes: ...


class Screen:
    """One place in a notebook's output; invisible outside of notebooks.

    It begins as a canvas if a notebook editor sent the cell. If no front end reports within
    `READY_TIMEOUT_S`, or none can be heard, it goes on as a picture that is replaced, without
    buttons; so it does where nobody is looking, as in an unattended run. The last frame stays as a
    picture in any case: a saved notebook shows it without a kernel.

    Tried: JupyterLab 4.6, with and without subshells of its own, and without anywidget's extension
    (tests/test_browser_live_view.py). Not tried: Notebook 7, VS Code and others. They should get
    the canvas where they support widgets and ipykernel is 7.4 or later, else the picture.
    """

    READY_TIMEOUT_S = 5.0
    # A front end that has not shown so many frames gets no more; one a second, to wake it up.
    MAX_UNSHOWN = 10
    CANVAS_PERIOD_S, PICTURE_PERIOD_S = 0.04, 0.1

    def __init__(self, presses: Sequence[Press] = ()) -> None:
        shell = notebook_shell()
        self.visible = shell is not None
        self._display: Any = importlib.import_module("IPython.display") if self.visible else None
        self._handle: Any = None
        self._events: deque[tuple[str, str]] = deque(maxlen=1000)
        self._canvas: Any = None
        self._listener: Any = None
        self._ready = False
        self._sent = self._shown = 0
        self._begun_s = self._sent_s = time.monotonic()
        if shell is not None and _has_viewer(shell.kernel):
            self._open_canvas(shell.kernel, presses)

    @property
    def period_s(self) -> float:
        """The shortest time between two frames."""
        return self.PICTURE_PERIOD_S if self._canvas is None else self.CANVAS_PERIOD_S

    @property
    def free(self) -> bool:
        """Whether a frame sent now would be shown soon."""
        if self._canvas is None or self._sent - self._shown < self.MAX_UNSHOWN:
            return True
        return time.monotonic() - self._sent_s > 1.0

    def pressed(self) -> list[tuple[str, str]]:
        """(event, value) of the buttons pressed since the last call."""
        events = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def offer(self, presses: Sequence[Press]) -> None:
        """Show these buttons from now on; nothing happens where none can be shown."""
        if self._canvas is not None:
            self._listener.run(setattr, self._canvas, "buttons", [asdict(p) for p in presses])

    def show(self, drawn: Drawn) -> None:
        """Replace what is seen."""
        if self._canvas is None:
            self._show_picture(drawn.png())
            return
        if self._handle is None:
            self._show_canvas(drawn.png())
        if not self._ready and time.monotonic() - self._begun_s > self.READY_TIMEOUT_S:
            self._close_canvas()
            self._show_picture(drawn.png())
            return
        self._sent += 1
        self._sent_s = time.monotonic()
        self._listener.run(self._canvas.send, {"frame": self._sent}, [drawn.jpeg()])

    def close(self, drawn: Drawn) -> None:
        """Leave the last frame as a picture, and nothing that needs a kernel to be shown."""
        if self.visible:
            self._show_picture(drawn.png())
            self._close_canvas()

    # --- the picture ------------------------------------------------------------------------
    def _show_picture(self, png: bytes) -> None:
        picture = self._display.Image(data=png, format="png")
        if self._handle is None:
            self._handle = self._display.display(picture, display_id=True)
        else:
            self._handle.update(picture)

    # --- the canvas -------------------------------------------------------------------------
    def _open_canvas(self, kernel: Any, presses: Sequence[Press]) -> None:
        try:
            module: Any = importlib.import_module(f"{__package__}.canvas")
            self._listener = Listener(kernel)
        except (ImportError, RuntimeError):  # no anywidget, no subshell: the picture will do
            return
        buttons = [asdict(press) for press in presses]
        self._canvas = self._listener.run(module.Canvas, buttons=buttons)
        self._canvas.on_msg(self._hear)

    def _show_canvas(self, png: bytes) -> None:
        """The first frame goes along as a picture, for a front end that knows no widgets."""
        made = self._canvas._repr_mimebundle_()
        bundle = dict(made[0] if isinstance(made, tuple) else made)  # metadata may come along
        bundle["image/png"] = base64.b64encode(png).decode("ascii")
        self._handle = self._display.display(bundle, raw=True, display_id=True)

    def _close_canvas(self) -> None:
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None

    def _hear(self, _canvas: Any, content: Any, _buffers: Any) -> None:
        """Called on the subshell's thread; the front end is not to be trusted more than a board."""
        event = content.get("event") if isinstance(content, dict) else None
        if event == "ready":
            self._ready = True
        elif event == "shown":
            number = content.get("number")
            self._shown = number if isinstance(number, int) else self._shown
        elif isinstance(event, str):
            self._events.append((event, str(content.get("value") or "")))


def _has_viewer(kernel: Any) -> bool:
    """Whether a notebook editor sent the cell: it says which of its cells it is."""
    return "cellId" in (kernel.get_parent("shell").get("metadata") or {})
