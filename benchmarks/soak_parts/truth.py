"""What was returned, held against what is so."""

from __future__ import annotations


class WrongDataError(Exception):
    """Something false was taken for true."""


def expect(got: object, truth: object) -> None:
    if got != truth:
        raise WrongDataError(f"{str(got)[:200]!r} instead of {str(truth)[:200]!r}")
