"""Where a live view is shown: one picture in a notebook's output, and a Stop button under it."""

from __future__ import annotations

import importlib
from typing import Any

from .buttons import StopButton, notebook_shell


class Screen:
    """One place in a notebook's output whose picture is replaced; invisible elsewhere."""

    def __init__(self) -> None:
        shell = notebook_shell()
        self.visible = shell is not None
        # Partly typed, differently from one IPython to the next.
        self._display: Any = importlib.import_module("IPython.display") if self.visible else None
        self._picture: Any = None
        self._button = StopButton(shell.kernel) if shell is not None else None

    @property
    def stopped(self) -> bool:
        """Whether the Stop button was pressed."""
        return self._button is not None and self._button.pressed

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
