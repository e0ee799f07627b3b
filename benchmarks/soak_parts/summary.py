"""What many outcomes come to."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from rich.table import Table

from .trial import Outcome

WRONG = {
    "hangs": ("late", "hang"),
    "wrong_data": ("wrong_data",),
    "leaks": ("leak",),
    "wrong_errors": ("wrong_error",),
    "half_files": ("files",),
    "unhealthy": ("healthy",),
}
"""Counts of the summary -> the kinds of fault in an outcome that they count."""


class Summary:
    """Counts outcomes as they come."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.scenarios = 0
        self.failed: list[int] = []
        self._began_s = time.monotonic()
        self._wrong: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._by_kind: dict[str, Counter[str]] = {}
        self._slowest: dict[str, float] = {}

    def add(self, outcome: Outcome) -> None:
        self.scenarios += 1
        self._outcomes[outcome.code] += 1
        self._by_kind.setdefault(outcome.kind, Counter())[outcome.code] += 1
        slowest = self._slowest.get(outcome.operation, 0.0)
        self._slowest[outcome.operation] = max(slowest, outcome.seconds)
        for name, faults in WRONG.items():
            self._wrong[name] += any(fault in outcome.faults for fault in faults)
        if outcome.faults:
            self.failed.append(outcome.number)

    @property
    def n_wrong(self) -> int:
        return len(self.failed)

    def as_dict(self) -> dict[str, Any]:
        return {
            "scenarios": self.scenarios,
            "seconds": round(time.monotonic() - self._began_s, 1),
            "seed": self.seed,
            **{name: self._wrong[name] for name in WRONG},
            "failed": sorted(self.failed),
            "outcomes": dict(self._outcomes.most_common()),
            "by_fault": {k: dict(c.most_common()) for k, c in sorted(self._by_kind.items())},
            "slowest_s": {name: round(s, 1) for name, s in sorted(self._slowest.items())},
        }

    def line(self) -> str:
        wrong = ", ".join(f"{self._wrong[name]} {name}" for name in WRONG)
        return f"{self.scenarios} scenarios: {wrong}"

    def table(self) -> Table:
        table = Table("", "", title=f"Soak, seed {self.seed}", box=None, show_header=False)
        facts = self.as_dict()
        for name in ("scenarios", "seconds", *WRONG):
            table.add_row(name, f"{facts[name]:,}")
        outcomes = ", ".join(f"{code} {n:,}" for code, n in facts["outcomes"].items())
        table.add_row("outcomes", outcomes)
        slowest = max(self._slowest.items(), key=lambda item: item[1], default=("none", 0.0))
        table.add_row("slowest", f"{slowest[0]}, {slowest[1]:.1f} s")
        return table
