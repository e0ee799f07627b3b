"""Where each code is explained: docs/errors.md, which is there without a network."""

from __future__ import annotations

import html
from typing import Any

PAGE = "docs/errors.md"


def page_of(code: str) -> str:
    """A code's entry, from the project's folder: `docs/errors.md#port_busy`.

    In lower case: some readers of Markdown make anchors so, others leave them as they are.
    """
    return f"{PAGE}#{code.lower()}"


def link_from_notebook(code: str, text: str) -> str:
    """HTML that leads there from a notebook in notebooks/; `text` is HTML as well."""
    return f"<a href='../{html.escape(page_of(code))}'>{text}</a>"


def show_link(code: str) -> None:
    """The same as an output of the cell that runs: in an error itself a notebook has no links."""
    import IPython.display

    show: Any = IPython.display  # not annotated there
    rich = link_from_notebook(code, f"What {code} means, and all that mends it")
    show.display({"text/plain": page_of(code), "text/html": rich}, raw=True)
