"""The main job: from real recordings to live predictions on a board, with a report."""

from __future__ import annotations

from .pipeline import run_demo
from .result import DemoResult

__all__ = ["DemoResult", "run_demo"]
