"""Checks of the exercises in notebook 01."""

from __future__ import annotations

from collections.abc import Callable

from ..board.catalogue import find
from ..budget import Plan, Speed, estimate
from ..energy import CHIPS
from ..text import rounded
from .checks import Verdict, check_for


@check_for("01.1", skill="say how much RAM a window of samples takes")
def window_ram(function: Callable[[float, float, int], object]) -> Verdict:
    for rate_hz, seconds, channels in ((50, 2, 3), (16000, 1, 1), (1600, 0.5, 3)):
        wanted = int(rate_hz * seconds * channels) * 2
        found = function(rate_hz, seconds, channels)
        if found == wanted:
            continue
        words = f"{seconds} s at {rate_hz} Hz with {channels} channels: {found}, not {wanted} bytes"
        if found == wanted // 2:
            return Verdict(False, f"{words}. You count numbers; an int16 takes two bytes.")
        if found == wanted * 2:
            return Verdict(False, f"{words}. Four bytes are a float; int16 takes two.")
        if found == wanted // channels:
            return Verdict(False, f"{words}. Each channel has its own samples.")
        return Verdict(False, f"{words}. Samples × channels × 2.")
    return Verdict(True, "Right: a second of sound at 16 kHz is 32 KB, of motion 300 bytes.")


@check_for("01.2", skill="plan an application that a battery carries for a month")
def a_month(plan: object, board: object) -> Verdict:
    if not isinstance(plan, Plan):
        return Verdict(False, "plan is not a Plan: start from replace(hungry, ...).")
    known = find(str(board))
    if known.chip not in CHIPS:
        return Verdict(
            False, f"No current of the {known.chip} is known here; take one of {', '.join(CHIPS)}."
        )
    if plan.battery_mah > 2000:
        return Verdict(False, f"{plan.battery_mah:g} mAh: 2000 at most, that is two AA cells.")
    if plan.message_every_s > 600:
        return Verdict(
            False, f"A message every {plan.message_every_s:g} s: people want one in 600 s."
        )
    if plan.radio in ("none", "LED, 0.1 s", "line in a log on flash"):
        return Verdict(False, "It must reach somebody: choose a radio.")
    # The estimate's own middle, for a laptop's speed: the answer must not hang on the machine.
    budget = estimate(plan, known, Speed(1.0, 0.2))
    assert budget.battery_days is not None and budget.average_ma is not None
    days = budget.battery_days.typical
    if days < 30:
        return Verdict(
            False,
            f"{days:.1f} days at {budget.average_ma.typical:.2g} mA. What draws it: the radio "
            "(rarer, or another one), the CPU (a longer hop), or the chip's nap (another chip)?",
        )
    return Verdict(True, f"{rounded(days)} days at {budget.average_ma.typical:.2g} mA on average.")
