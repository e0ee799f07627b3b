"""How long the notebooks took, in `out/notebooks/times.json`: notebook -> variant -> seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ..files import write_whole

FILE = "times.json"
Times = dict[str, dict[str, float]]


def read_times(folder: Path) -> Times:
    """What was measured before; {} if there is nothing that can be read."""
    try:
        known = json.loads((folder / FILE).read_bytes())
        return {n: {v: float(s) for v, s in row.items()} for n, row in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def note_time(folder: Path, notebook: str, variant: str, seconds: float) -> None:
    """Put one run's seconds in its place."""
    times = read_times(folder)
    times.setdefault(notebook, {})[variant] = round(seconds, 1)
    text = json.dumps(dict(sorted(times.items())), indent=1) + "\n"
    write_whole(folder / FILE, text.encode())


def table_of(times: Mapping[str, Mapping[str, float]]) -> str:
    """One line a notebook, "  00_check_your_setup: 4.1 + 4.3 s"; empty for no notebook."""
    return "\n".join(
        f"  {notebook}: {' + '.join(f'{seconds:.1f}' for seconds in row.values())} s"
        for notebook, row in times.items()
    )
