"""Checks of the exercises in notebook 07."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import numpy as np

from .broken import HOP, WINDOW, Deployment
from .checks import Verdict, check_for

_THRESHOLDS = ((3.5, 1.0), (4.0, 1.0), (-2.5, 1.0), (0.385, 1024.0), (-0.1, 8.0))
_INT16_MAX = 32767
_CLOSE = 0.15


@check_for("07.1", skill="turn a fitted threshold into the integer that a board compares with")
def device_threshold(threshold: Callable[[float, float], object]) -> Verdict:
    for t, scale in _THRESHOLDS:
        wanted = math.floor(t * scale) + 1
        try:
            got = threshold(t, scale)
        except Exception as error:  # whatever the learner's code raises is feedback, not a crash
            return Verdict(False, f"threshold({t}, {scale:g}): {type(error).__name__}: {error}")
        if got is None:
            return Verdict(False, "It returns nothing yet.")
        if got == wanted and isinstance(got, int):
            continue
        if got == int(t * scale) and t < 0:
            return Verdict(
                False,
                f"threshold({t}, {scale:g}) is {got}: int() cuts towards zero; math.floor goes "
                "down, also below zero.",
            )
        if got == t * scale:
            return Verdict(
                False,
                f"threshold({t}, {scale:g}) is {got}: right between integers, wrong when t is one.",
            )
        if got == math.floor(t * scale):
            return Verdict(
                False,
                f"threshold({t}, {scale:g}) is {got}: then x = {got} is not below it, but "
                "scikit-learn sends it left.",
            )
        if got == wanted:
            return Verdict(False, f"{got!r} is right, but the board needs an int.")
        return Verdict(False, f"threshold({t}, {scale:g}) is {got!r}, not {wanted}.")
    return Verdict(True, "Exact, for every integer and on both sides of zero.")


@check_for("07.2", skill="choose a scale that loses nothing and does not overflow")
def power_of_two(scale: Callable[[float], object]) -> Verdict:
    for largest in (0.63, 5.3, 1680.0, 100.0):
        try:
            got = scale(largest)
        except Exception as error:
            return Verdict(False, f"scale({largest}) raised {type(error).__name__}: {error}")
        if not isinstance(got, int | float) or isinstance(got, bool) or not got > 0:
            return Verdict(False, f"scale({largest}) is {got!r}; a positive number is wanted.")
        if largest * got > _INT16_MAX:
            return Verdict(
                False,
                f"scale({largest}) is {got:g}: {largest} × {got:g} = {largest * got:,.0f} is "
                f"beyond {_INT16_MAX}, a feature overflow.",
            )
        if math.log2(got) % 1:
            return Verdict(
                False, f"scale({largest}) is {got:g}, which is no power of two: x × scale rounds."
            )
        if largest * got * 2 <= _INT16_MAX:
            return Verdict(
                False,
                f"scale({largest}) is {got:g}, and {2 * got:g} fits as well: you give away "
                "resolution, and with it invite threshold ties.",
            )
    return Verdict(True, "As fine as int16 allows, and nothing overflows.")


@check_for("07.3", skill="prove that the model on a board is the model you trained")
def right_file(deployment: Deployment) -> Verdict:
    model = deployment.model
    path = f"/models/{model.name}/{model.file}"
    if not deployment.board.exists(path):
        return Verdict(False, f"{path} is gone from the board. Deploy the model again.")
    found = hashlib.sha256(deployment.board.get(path)).hexdigest()
    if found != model.sha256:
        return Verdict(
            False,
            f"The file on the board is {found[:8]}…, the model's is {model.sha256[:8]}…: the board "
            "still runs another model than the one you look at.",
        )
    return Verdict(True, "Bug 1 is mended: the board holds the model that you verified.")


@check_for("07.4", skill="match an app's window and hop to the training's")
def window_and_hop(window: object, hop: object) -> Verdict:
    if type(window) is not int or type(hop) is not int or window < 1 or hop < 1:
        return Verdict(False, "A window and a hop are whole numbers of samples, 1 or more.")
    if window != WINDOW:
        return Verdict(
            False, f"Your window has {window} samples; the model was trained with {WINDOW}."
        )
    if hop != HOP:
        yours, trained = 1 - hop / window, 1 - HOP / WINDOW
        return Verdict(
            False,
            f"Your windows overlap by {yours:.0%}, the model was trained with {trained:.0%}.",
        )
    return Verdict(True, "Bug 2 is mended: the board cuts its windows as the training did.")


@check_for("07.5", skill="find a sensor whose counts mean something else than in the training")
def sensor_gain(gain: object, deployment: Deployment) -> Verdict:
    if not isinstance(gain, int | float) or isinstance(gain, bool) or not gain > 0:
        return Verdict(False, "The gain is a positive number: training counts ÷ recorded counts.")
    spread = float(np.median(deployment.training.std(axis=(0, 1))))
    recorded = float(np.median(deployment.recorded.std(axis=(0, 1))))
    ratio = recorded * gain / spread
    wanted = round(spread / recorded)
    if abs(gain - 1 / wanted) < _CLOSE / wanted:
        return Verdict(False, "The other way round: the recorded counts are too SMALL.")
    if _CLOSE < abs(gain - wanted) < 0.35 * wanted:
        return Verdict(
            False,
            f"{gain:g} is near. Different recordings, different vigour; but a sensor's ranges "
            "double: ±2 g, ±4 g, ±8 g. Which whole factor is it?",
        )
    if abs(gain - wanted) > _CLOSE:
        return Verdict(
            False,
            f"With a gain of {gain:g} the recorded signal is {ratio:.1f} times as strong as the "
            "training's. It should be about as strong.",
        )
    return Verdict(True, "Bug 3 is mended: one count means the same here and in the training.")
