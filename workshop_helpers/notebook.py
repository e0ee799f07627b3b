"""Whether a Jupyter kernel runs this code, and whether somebody looks at it."""

from __future__ import annotations

import sys
from typing import Any


def in_notebook() -> bool:
    """True in a Jupyter kernel (IPython in a terminal is none)."""
    return _kernel() is not None


def watched_kernel() -> Any:
    """The kernel, if a notebook editor sent the cell, which says which of its cells it is; None in
    an unattended run."""
    kernel = _kernel()
    if kernel is None or "cellId" not in (kernel.get_parent("shell").get("metadata") or {}):
        return None
    return kernel


def _kernel() -> Any:
    ipython = sys.modules.get("IPython")  # a kernel has loaded it
    return getattr(ipython.get_ipython(), "kernel", None) if ipython is not None else None
