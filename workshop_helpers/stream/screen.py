"""Where a live view is shown: one picture in a notebook's output, and a Stop button under it."""

from __future__ import annotations

import importlib
import threading
from typing import Any


class Screen:
    """One place in a notebook's output whose picture is replaced; invisible elsewhere."""

    def __init__(self) -> None:
        shell = _notebook_shell()
        self.visible = shell is not None
        # Partly typed, differently from one IPython to the next.
        self._display: Any = importlib.import_module("IPython.display") if self.visible else None
        self._picture: Any = None
        self._button = StopButton(shell.kernel) if shell is not None else None

    @property
    def stopped(self) -> bool:
        """Whether the Stop button was pressed."""
        return self._button is not None and self._button.pressed.is_set()

    def show(self, png: bytes) -> None:
        """Replace the picture; the button comes under the first one."""
        picture = self._display.Image(data=png, format="png")
        if self._picture is not None:
            self._picture.update(picture)
            return
        self._picture = self._display.display(picture, display_id=True)
        if self._button is not None:
            self._button.show()

    def close(self) -> None:
        """Take the button away; the picture stays."""
        if self._button is not None:
            self._button.close()
            self._button = None


class StopButton:
    """A button that is heard while the cell that shows it is running.

    A click is a message to the kernel, which has one thread for cells and is busy there. Two ways
    around it, and whichever comes first sets `pressed`:

    - JupyterLab 4.4 and later addresses clicks to a second thread of the kernel (a "subshell"),
      where ipywidgets calls `on_click`. ipykernel 7.4 readdresses them to the thread that made the
      widget, which undoes this.
    - That readdressing asks the comm, in the thread that receives all messages. So the comm listens
      there, and leaves the address as the front end wrote it. It needs no subshell, but the method
      is ipykernel's own and may go away.

    Where neither can work, no button is shown, and the cell's own interrupt (■) is what there is:
    in kernels without subshells, and where nobody is looking, as in an unattended run.

    Tried in JupyterLab 4.6 with ipykernel 7.4. Not tried: VS Code, Notebook 7.
    """

    def __init__(self, kernel: Any) -> None:
        self.pressed = threading.Event()
        self._handle: Any = None
        self._button: Any = None
        if _has_viewer(kernel) and _has_subshells(kernel):
            self._button = self._make()

    def show(self) -> None:
        if self._button is not None:
            display: Any = importlib.import_module("IPython.display").display
            self._handle = display(self._button, display_id=True)

    def close(self) -> None:
        """Leave nothing of it: a saved notebook would say that it can't load the widget."""
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)
        if self._button is not None:
            self._button.close()
            self._button = None

    def _make(self) -> Any:
        try:
            widgets: Any = importlib.import_module("ipywidgets")
        except ImportError:
            return None
        button = widgets.Button(
            description="Stop",
            icon="stop",
            button_style="danger",
            tooltip="Stop the live view; the cell ends with what came so far",
            layout=widgets.Layout(width="9em", height="2.6em"),
            style=widgets.ButtonStyle(font_size="16px"),
        )
        button.on_click(lambda _button: self.pressed.set())
        button.comm._reply_subshell_for = self._route
        return button

    def _route(self, data: Any, subshell_id: str | None) -> str | None:
        content = data.get("content") if isinstance(data, dict) else None
        if isinstance(content, dict) and content.get("event") == "click":
            self.pressed.set()
        return subshell_id


def _has_viewer(kernel: Any) -> bool:
    """Whether a notebook editor sent the cell: it says which of its cells it is."""
    return "cellId" in (kernel.get_parent("shell").get("metadata") or {})


def _has_subshells(kernel: Any) -> bool:
    return "kernel subshells" in kernel.kernel_info.get("supported_features", ())


def _notebook_shell() -> Any:
    """IPython's shell in a kernel; None elsewhere."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None
