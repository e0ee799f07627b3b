"""What an app says of itself in its first record, looked at before anything is built on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..errors import StreamError
from .records import Record


def check_hello(hello: Record) -> None:
    """StreamError if the record "hello" says something that no view could show."""
    channels = hello.get("channels", [])

    def one_a_channel(value: Any) -> bool:
        return value is None or (_is_list(value) and len(value) == len(channels))

    rules: dict[str, Callable[[Any], bool]] = {
        "rate_hz": lambda value: _is_number(value) and value > 0,
        "channels": _is_list,
        "classes": _is_list,
        "channel_units": one_a_channel,
        "units_per_lsb": lambda value: one_a_channel(value) and all(map(_is_number, value or ())),
    }
    for name, is_fine in rules.items():
        if name in hello.fields and not is_fine(hello[name]):
            raise StreamError(
                f"The app's first record says {name} {hello[name]!r:.60}.",
                "Mend its 'hello': rate_hz is a number above 0, channels and classes are lists, "
                "units_per_lsb and channel_units have one entry a channel.",
            )


def check_samples(n_channels: int, hello: Record | None) -> None:
    """StreamError if a block of samples has other channels than the "hello" names."""
    named = hello.get("channels") if hello is not None else None
    if named and n_channels != len(named):
        raise StreamError(
            f"The app sends {n_channels} channels and names {len(named)}.",
            "Mend the app's 'hello'.",
        )


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
