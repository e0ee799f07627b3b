"""Labels on stretches of samples, and gaps between them: whole numbers only, no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Span:
    """Samples `start` up to, not including, `stop` have this label."""

    start: int
    stop: int
    label: str

    def as_list(self) -> list[int | str]:
        return [self.start, self.stop, self.label]


@dataclass(frozen=True)
class Gap:
    """`length` samples are missing before sample `at`; 0: nobody knows how many."""

    at: int
    length: int

    def as_list(self) -> list[int]:
        return [self.at, self.length]


def spans_of(changes: Iterable[tuple[int, str | None]], n_samples: int) -> tuple[Span, ...]:
    """Spans from changes of the label, each (first sample that has it, label or None)."""
    spans: list[Span] = []
    begun, current = 0, None
    for at, label in [*sorted(changes, key=lambda change: change[0]), (n_samples, None)]:
        at = max(0, min(at, n_samples))
        if current and at > begun:
            spans.append(Span(begun, at, current))
        begun, current = at, label
    return tuple(spans)


def relabelled(spans: Sequence[Span], start: int, stop: int, label: str | None) -> tuple[Span, ...]:
    """The spans with `start` to `stop` given another label, or none; neighbours that touch and
    have the same label become one with it."""
    kept: list[Span] = []
    for span in spans:
        if span.start < start:
            kept.append(Span(span.start, min(span.stop, start), span.label))
        if span.stop > stop:
            kept.append(Span(max(span.start, stop), span.stop, span.label))
    if label is not None:
        for span in list(kept):
            if span.label == label and (span.stop == start or span.start == stop):
                kept.remove(span)
                start, stop = min(start, span.start), max(stop, span.stop)
        kept.append(Span(start, stop, label))
    return tuple(sorted(kept, key=lambda span: span.start))


def pieces_between(spans: Iterable[Span], gaps: Iterable[Gap]) -> list[tuple[int, int, str]]:
    """The spans cut at the gaps: (start, stop, label) each."""
    cuts = sorted({gap.at for gap in gaps})
    pieces = []
    for span in spans:
        edges = [span.start, *(at for at in cuts if span.start < at < span.stop), span.stop]
        pieces += [(a, b, span.label) for a, b in pairwise(edges)]
    return pieces
