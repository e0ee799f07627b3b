"""Which boards fit a use case, and why: pure functions over the catalogue."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from .known import KnownBoard, all_boards

_NO_PRICE = "price not known here"


@dataclass(frozen=True)
class Choice:
    """A board, how well it fits (higher is better), what speaks for it and what against it."""

    board: KnownBoard
    score: float
    reasons: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Nothing is known to be missing; see `mark` for what is not known."""
        return not self.missing

    @property
    def mark(self) -> str:
        """✔ fits; ? fits as far as is known; ✘ lacks something."""
        return "✘" if self.missing else "?" if _NO_PRICE in self.reasons else "✔"

    def __repr__(self) -> str:
        words = "; ".join(self.missing or self.reasons)
        return f"<{self.mark} {self.board.title}: {words}>"


class Ranking(tuple[Choice, ...]):
    """Choices, best first; shows itself as a table."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        cell = "<td style='text-align:left;padding-right:1em'>"
        rows = "".join(
            f"<tr>{cell}{c.mark}</td>{cell}<b>{html.escape(c.board.title)}</b></td>"
            f"{cell}{html.escape('; '.join(c.reasons))}</td>"
            f"{cell}{html.escape('; '.join(c.missing))}</td></tr>"
            for c in self
        )
        names = ("", "board", "speaks for it", "is missing")
        head = "".join(
            f"<th style='text-align:left;padding-right:1em'>{name}</th>" for name in names
        )
        return f"<table><tr>{head}</tr>{rows}</table>"


def choose(
    *,
    sensors: Sequence[str] = (),
    radio: Sequence[str] = (),
    ram_kb: int = 0,
    flash_kb: int = 0,
    float_unit: bool = False,
    max_price_usd: float | None = None,
    battery: bool = False,
    boards: Sequence[KnownBoard] | None = None,
    top: int = 8,
) -> Ranking:
    """Boards that fit these needs, best first; those that lack something come last.

    Args:
        sensors, radio: words, as in "accelerometer", "microphone", "LoRa", "BLE".
        ram_kb: RAM on the chip, which is what counts for speed; PSRAM comes on top.
        battery: prefer boards whose sources give a small sleep current.
        max_price_usd: a board whose price is unknown is kept, and said to be unknown.
    """
    ranked = [
        _weigh(board, sensors, radio, ram_kb, flash_kb, float_unit, max_price_usd, battery)
        for board in boards or all_boards()
    ]
    ranked.sort(key=lambda c: (len(c.missing), -c.score, c.board.price_usd or 99, c.board.id))
    return Ranking(ranked[:top])


def _weigh(
    board: KnownBoard,
    sensors: Sequence[str],
    radio: Sequence[str],
    ram_kb: int,
    flash_kb: int,
    float_unit: bool,
    max_price_usd: float | None,
    battery: bool,
) -> Choice:
    reasons: list[str] = []
    missing: list[str] = []
    score = 0.0
    for word in (*sensors, *radio):
        if board.has(word):
            reasons.append(word)
            score += 2
        else:
            missing.append(f"no {word}")
    for name, has, wanted in (
        ("RAM", board.ram_kb, ram_kb),
        ("flash", board.flash_kb, flash_kb),
    ):
        if wanted and has < wanted:
            missing.append(f"{has} KB {name}, wanted {wanted}")
        elif wanted:
            reasons.append(f"{has} KB {name}")
            score += min(has / wanted, 4) / 4
    if float_unit and board.float_unit == "none":
        missing.append("no float unit")
    elif float_unit:
        reasons.append(f"float unit ({board.float_unit})")
        score += 1
    if max_price_usd is not None and board.price_usd is not None:
        if board.price_usd > max_price_usd:
            missing.append(f"about ${board.price_usd:g}")
        else:
            reasons.append(f"about ${board.price_usd:g}")
            score += 1
    elif max_price_usd is not None:
        reasons.append(_NO_PRICE)
    if battery and board.sleep_ua is not None:
        reasons.append(f"sleeps at {board.sleep_ua:g} µA ({board.current_of} alone)")
        score += 1 if board.current_of == "chip" else 2
    if board.active_ma is not None and board.active_ma >= 100 and battery:
        missing.append(f"draws {board.active_ma:g} mA")
    return Choice(board, score, tuple(reasons), tuple(missing))
