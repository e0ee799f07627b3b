"""Showing things: rich in a notebook, plain text everywhere else."""

from __future__ import annotations

import html
import re
from typing import Any

from ..notebook import in_notebook
from ..start import say

_MONOSPACE = (
    "<style>div.highlight pre {font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', "
    "monospace; line-height: 1.35; margin: 0}</style>"
)


def show_code(title: str, code: str) -> None:
    """Python source under a one-line title, highlighted in a notebook."""
    if in_notebook():
        tools = _ipython_display()
        source = tools.Code(f"# {title}\n{code.rstrip()}\n", language="python")
        # Some pages set <pre> in their text font.
        shown = {"text/plain": source.data, "text/html": _MONOSPACE + source._repr_html_()}
        tools.display(shown, raw=True)
    else:
        say(f"# {title}\n{code.rstrip()}")


def show_line(sign: str, text: str, *, good: bool | None) -> None:
    """One line with a sign in front; its text is escaped, whatever it holds. None: neither.

    `code` in it is set as code in a notebook, and stands as it is elsewhere. It may have several
    lines.
    """
    if in_notebook():
        # Blue and orange can be told apart by everybody; the sign says it without colour.
        colour = {True: "#0072B2", False: "#D55E00", None: "#595959"}[good]
        shown = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text)).replace("\n", "<br>")
        rich = f'<b style="color:{colour}">{html.escape(sign)}</b> {shown}'
        both = {"text/plain": f"{sign} {text}", "text/html": f"<div>{rich}</div>"}
        _ipython_display().display(both, raw=True)
    else:
        say(f"{sign} {text}")


def _ipython_display() -> Any:
    import IPython.display

    return IPython.display  # not annotated there
