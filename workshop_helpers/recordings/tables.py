"""A set of recordings as a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from .recording import RATE_TOLERANCE, Recording

_LEFT = ' style="text-align:left"'


def set_table(
    title: str,
    recordings: Sequence[Recording],
    durations_s: Mapping[str, float],
    notes: Sequence[str],
) -> str:
    """HTML: one row a recording, then the balance of the classes, then what to look at."""
    head = "".join(
        f"<th{_LEFT}>{name}</th>"
        for name in ("recording", "length", "labels", "rate, measured", "samples lost", "group")
    )
    rows = "".join(f"<tr>{''.join(map(_cell, _row(r)))}</tr>" for r in recordings)
    total_s = sum(durations_s.values()) or 1.0
    balance = " · ".join(f"{escape(k)} {v / total_s:.0%}" for k, v in durations_s.items())
    text = f"<p>{escape(title)}</p><table><tr>{head}</tr>{rows}</table>"
    text += f"<p><b>Balance:</b> {balance}</p>" if balance else ""
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in notes)
        text += f"<p><b>Look at:</b></p><ul>{items}</ul>"
    return text


def _row(recording: Recording) -> tuple[str, ...]:
    labels = ", ".join(f"{k} {v:.1f} s" for k, v in recording.label_durations_s.items())
    measured = recording.rate_measured_hz
    rate = f"{recording.rate_hz:g} Hz, " + (
        "not measured" if measured is None else f"{measured:.2f}"
    )
    if abs(recording.rate_error) > RATE_TOLERANCE:
        rate += f" ({recording.rate_error:+.0%})"
    lost = f"{recording.n_lost} in {len(recording.gaps)}" if recording.gaps else "0"
    group = str(recording.meta.get("person") or recording.meta.get("session") or "")
    return recording.name, f"{recording.duration_s:.1f} s", labels or "none", rate, lost, group


def _cell(text: str) -> str:
    return f"<td{_LEFT}>{escape(text)}</td>"
