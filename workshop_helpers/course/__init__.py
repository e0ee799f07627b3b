"""What a notebook uses around its own subject: exercises, their checks, sources to look at."""

from .checks import Verdict, check, show_progress
from .solutions import solution
from .source import show_source

__all__ = ["Verdict", "check", "show_progress", "show_source", "solution"]
