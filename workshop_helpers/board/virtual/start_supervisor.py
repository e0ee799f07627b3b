"""Starts the supervisor: `python -I -S start_supervisor.py`, its configuration on stdin.

By file path, and not as a module, so that it needs nothing of what the workshop imports.
"""

import importlib
import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    importlib.import_module("supervisor.main").main()
