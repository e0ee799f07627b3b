"""Checks of the exercises in notebook 02."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..board.catalogue import KnownBoard, all_boards, find
from ..board.catalogue.choose import choose
from ..errors import UnknownBoardError
from .checks import Verdict, check_for


@check_for("02.1", skill="choose a board by what a job needs")
def noise_meter(answer: object) -> Verdict:
    if answer is None:
        return Verdict(False, "my_board is still None: put a board's id in it, like 'pico-w'.")
    try:
        board = find(str(answer))
    except UnknownBoardError as error:
        return Verdict(False, f"{error.what} {error.mend}")
    ranking = choose(
        sensors=["microphone"], radio=["Wi-Fi"], ram_kb=256, float_unit=True, boards=[board]
    )
    if not ranking[0].fits:
        return Verdict(
            False, f"The {board.title} lacks something: {', '.join(ranking[0].missing)}."
        )
    return Verdict(True, f"The {board.title} has it all: {'; '.join(ranking[0].reasons)}.")


@check_for("02.2", skill="search the catalogue with a few lines of Python")
def affordable(function: Callable[[Sequence[KnownBoard], int, float], object]) -> Verdict:
    for ram_kb, price in ((0, 100.0), (300, 10.0), (300, 5.0), (1000, 50.0)):
        wanted = {
            board.id
            for board in all_boards()
            if board.ram_kb >= ram_kb and board.price_usd is not None and board.price_usd <= price
        }
        try:
            got = function(all_boards(), ram_kb, price)
        except TypeError as error:
            if "None" in str(error):
                return Verdict(
                    False, "A price may be None, which can't be compared: look for that first."
                )
            return Verdict(False, f"cheap({ram_kb}, {price:g}) raised TypeError: {error}")
        except Exception as error:  # whatever the learner's code raises is feedback, not a crash
            return Verdict(False, f"It raised {type(error).__name__}: {error}")
        if not isinstance(got, list | tuple | set):
            return Verdict(False, f"It should return a list of ids, not {type(got).__name__}.")
        if any(not isinstance(item, str) for item in got):
            return Verdict(False, "Return the boards' ids (board.id), not the boards.")
        case = f"at least {ram_kb} KB and at most ${price:g}"
        if extra := set(got) - wanted:
            return Verdict(False, f"For {case}, {sorted(extra)[0]} does not belong in the list.")
        if lost := wanted - set(got):
            return Verdict(False, f"For {case}, {sorted(lost)[0]} is missing.")
    return Verdict(True, "Data one can search is worth more than a table one can read.")
