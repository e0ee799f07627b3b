"""Whether a Jupyter kernel runs this code."""

from __future__ import annotations

import sys
from typing import Any


def in_notebook() -> bool:
    """True in a Jupyter kernel (IPython in a terminal is none)."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
