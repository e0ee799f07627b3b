"""Buttons that are heard while the cell that shows them is running."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ButtonSpec:
    """One button: what stands on it, and how it looks (ipywidgets' icon and button_style)."""

    text: str
    icon: str = ""
    style: str = ""
    tooltip: str = ""
    width: str = "9em"


class ButtonRow:
    """A row of buttons under a running cell; `presses` collects the texts of those pressed.

    A click is a message to the kernel, which has one thread for cells and is busy there. Two ways
    around it, and whichever comes first counts:

    - JupyterLab 4.4 and later addresses clicks to a second thread of the kernel (a "subshell"),
      where ipywidgets calls `on_click`. ipykernel 7.4 readdresses them to the thread that made the
      widget, which undoes this.
    - That readdressing asks the comm, in the thread that receives all messages. So the comm listens
      there, and leaves the address as the front end wrote it. It needs no subshell, but the method
      is ipykernel's own and may go away.

    So one click may be heard twice, and whoever takes from `presses` must not mind.

    Where neither can work, no button is shown, and the cell's own interrupt (■) is what there is:
    in kernels without subshells, and where nobody is looking, as in an unattended run.

    Tried in JupyterLab 4.6 with ipykernel 7.4. Not tried: VS Code, Notebook 7.
    """

    def __init__(self, kernel: Any, specs: Sequence[ButtonSpec]) -> None:
        self.presses: deque[str] = deque(maxlen=1000)
        self._handle: Any = None
        self._box: Any = None
        self._buttons: list[Any] = []
        if kernel is not None and _has_viewer(kernel) and _has_subshells(kernel):
            self._make(specs)

    @property
    def visible(self) -> bool:
        """Whether there is somebody to press them."""
        return self._box is not None

    def show(self) -> None:
        if self._box is not None and self._handle is None:
            display: Any = importlib.import_module("IPython.display").display
            self._handle = display(self._box, display_id=True)

    def close(self) -> None:
        """Leave nothing of it: a saved notebook would say that it can't load the widget."""
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)
            self._handle = None
        if self._box is not None:
            for widget in (*self._buttons, self._box):
                widget.close()
            self._box = None

    def _make(self, specs: Sequence[ButtonSpec]) -> None:
        try:
            widgets: Any = importlib.import_module("ipywidgets")
        except ImportError:
            return
        for spec in specs:
            button = widgets.Button(
                description=spec.text,
                icon=spec.icon,
                button_style=spec.style,
                tooltip=spec.tooltip,
                layout=widgets.Layout(width=spec.width, height="2.6em"),
                style=widgets.ButtonStyle(font_size="16px"),
            )
            button.on_click(lambda _button, text=spec.text: self.presses.append(text))
            button.comm._reply_subshell_for = self._router(spec.text)
            self._buttons.append(button)
        self._box = self._buttons[0] if len(specs) == 1 else widgets.HBox(self._buttons)

    def _router(self, text: str) -> Any:
        def route(data: Any, subshell_id: str | None) -> str | None:
            content = data.get("content") if isinstance(data, dict) else None
            if isinstance(content, dict) and content.get("event") == "click":
                self.presses.append(text)
            return subshell_id

        return route


class StopButton:
    """One button, "Stop"."""

    def __init__(self, kernel: Any) -> None:
        tooltip = "Stop the live view; the cell ends with what came so far"
        self._row = ButtonRow(kernel, [ButtonSpec("Stop", "stop", "danger", tooltip)])

    @property
    def pressed(self) -> bool:
        return bool(self._row.presses)

    def show(self) -> None:
        self._row.show()

    def close(self) -> None:
        self._row.close()


def notebook_shell() -> Any:
    """IPython's shell in a kernel; None elsewhere."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def notebook_kernel() -> Any:
    """The kernel that runs this code; None outside of one."""
    shell = notebook_shell()
    return None if shell is None else shell.kernel


def _has_viewer(kernel: Any) -> bool:
    """Whether a notebook editor sent the cell: it says which of its cells it is."""
    return "cellId" in (kernel.get_parent("shell").get("metadata") or {})


def _has_subshells(kernel: Any) -> bool:
    return "kernel subshells" in kernel.kernel_info.get("supported_features", ())
