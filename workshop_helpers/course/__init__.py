"""What a notebook uses around its own subject: exercises, their checks, sources to look at."""

from .checks import Verdict, check
from .restore import catch_up
from .solutions import solution
from .source import show_source

__all__ = ["Verdict", "catch_up", "check", "show_source", "solution"]
