"""Start an app on the board and listen to it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import StreamError
from .stream import Stream

if TYPE_CHECKING:
    from ..board import Board
    from ..board.running import Running

_STREAM_SETTINGS = (
    "hello_timeout_s",
    "silence_timeout_s",
    "queue_records",
    "reconnect",
    "reconnect_timeout_s",
)


@dataclass(frozen=True)
class AppLauncher:
    """Starts one app with one set of settings, as often as wanted. `literal` is `main`'s config."""

    board: Board
    name: str
    literal: str

    def start(self) -> Running:
        """The board is soft reset first: the app gets all the heap, and the files as they are."""
        self.board.soft_reset()
        code = f"import {self.name}\n{self.name}.main({self.literal})\n"
        return self.board.start(code, name=self.name, check=True)

    def reconnect(self, timeout_s: float) -> None:
        self.board.reconnect(timeout_s)


def open_stream(
    board: Board, app: str | None = None, config: dict[str, Any] | None = None
) -> Stream:
    """Start an app that was deployed and return its stream; use it in a `with`.

    The board is soft reset first: the app gets all the heap, and the files as they are now.

    Args:
        board: connected, at its prompt.
        app: name of a deployed app; None for the one deployed last.
        config: for the app's `main(config)`, over what `deploy` left for it; only literals. Of
            these, `hello_timeout_s`, `silence_timeout_s`, `queue_records`, `reconnect` and
            `reconnect_timeout_s` are the Stream's.

    Raises:
        StreamError: nothing was deployed, or config holds something else than literals.
    """
    from ..model.deploy import read_deployed

    name, settings = read_deployed(board, app)
    settings.update(config or {})
    own = {key: settings.pop(key) for key in _STREAM_SETTINGS if key in settings}
    literal = repr(settings)
    try:
        same = ast.literal_eval(literal) == settings
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise StreamError(
            "The app's settings can't be sent to the board.",
            "Use only numbers, text, True, False, None, and lists or dicts of them.",
        )
    launcher = AppLauncher(board, name, literal)
    return Stream(launcher.start(), launcher, **own)
