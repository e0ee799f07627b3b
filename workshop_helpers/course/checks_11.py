"""Checks of the exercises in notebook 11."""

from __future__ import annotations

from ..features import device_module
from .checks import Verdict, check_for

JOULES_A_DAY = 10.0
_CLOSE = 0.02


@check_for("11.1", skill="put measurements into a Bluetooth advertisement that others understand")
def bthome_payload(advertisement: object) -> Verdict:
    if advertisement is None:
        return Verdict(False, "advertisement is still None: build it with bthome.advertisement.")
    if not isinstance(advertisement, bytes | bytearray):
        return Verdict(False, f"{type(advertisement).__name__} is no bytes.")
    if len(advertisement) > 31:
        return Verdict(False, f"{len(advertisement)} bytes: an advertisement holds 31.")
    try:
        name, values = device_module("bthome").parse(bytes(advertisement))
    except ValueError as error:
        return Verdict(False, f"A receiver can't read it: {error}.")
    found = dict(values)
    if name != "watch":
        return Verdict(False, f"It calls itself {name!r}, not 'watch'.")
    if found.get("motion") != 1:
        return Verdict(False, f"motion should be 1; a receiver reads {found}.")
    if found.get("battery") != 80:
        return Verdict(False, f"battery should be 80 (percent); a receiver reads {found}.")
    return Verdict(True, f"{len(advertisement)} bytes, and any BTHome receiver reads {found}.")


@check_for("11.2", skill="say how often a message may be sent on a budget of energy")
def messages_a_day(count: object, millijoules: float) -> Verdict:
    wanted = int(JOULES_A_DAY * 1000 / millijoules)
    if count is None:
        return Verdict(False, "count is still None: how many messages are 10 J enough for?")
    if not isinstance(count, int | float) or isinstance(count, bool):
        return Verdict(False, f"{count!r} is no number.")
    if abs(count - JOULES_A_DAY / millijoules) < 1:
        return Verdict(False, "10 J are 10,000 mJ, and a message's energy is in mJ.")
    if abs(count - wanted) > _CLOSE * wanted + 1:
        return Verdict(False, f"{count:g} messages would take {count * millijoules / 1000:.3g} J.")
    if count * millijoules > JOULES_A_DAY * 1000:
        return Verdict(False, f"{count:g} is just over 10 J: round down.")
    return Verdict(True, f"{int(count)} a day, one every {86400 / wanted / 60:.0f} minutes.")
