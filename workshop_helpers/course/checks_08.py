"""Checks of the exercises in notebook 08."""

from __future__ import annotations

from typing import Any

from ..model import DeviceModel
from .checks import Verdict, check_for

NODE_BYTES, TREE_BYTES = 8, 12
BUDGET_BYTES, WANTED = 8000, 0.9


@check_for("08.1", skill="work out from a model's file what it takes on the heap")
def tree_bytes(answer: object, model: DeviceModel) -> Verdict:
    trees, nodes, leaves = model.forest.capacities
    exact = NODE_BYTES * nodes + TREE_BYTES * trees + leaves
    if answer is None:
        return Verdict(False, "my_bytes is still None: put your sum in it.")
    if not isinstance(answer, int | float) or isinstance(answer, bool):
        return Verdict(False, f"{answer!r} is no number of bytes.")
    if answer == model.size_bytes:
        return Verdict(False, "That is the size of the text file. On the heap it is binary.")
    if answer == NODE_BYTES * nodes:
        return Verdict(False, "Those are the nodes. Add what the leaves and the trees take.")
    if answer == NODE_BYTES * nodes + leaves:
        return Verdict(False, "Nodes and leaves are right. Each tree takes 12 bytes as well.")
    if answer != exact:
        return Verdict(
            False, f"Not {answer:g}: 8 for each of {nodes} nodes, 12 for each of {trees} trees, "
            f"and a byte for each of {leaves} leaf values.",
        )  # fmt: skip
    return Verdict(True, f"{exact} bytes, and the code on top. Compare it with the measurement.")


@check_for("08.2", skill="find a model that keeps to a budget of bytes and of accuracy")
def within_budget(model: DeviceModel, X: Any, y: Any) -> Verdict:
    if not isinstance(model, DeviceModel):
        return Verdict(False, "Give the converted model: my_model = convert(...).")
    if len(model.features) != X.shape[1]:
        return Verdict(False, f"It takes {len(model.features)} features, the digits have 64.")
    accuracy = float((model.predict(X) == y).mean())
    numbers = f"{model.size_bytes:,} bytes, {accuracy:.1%} right"
    if model.size_bytes > BUDGET_BYTES and accuracy < WANTED:
        return Verdict(False, f"{numbers}: too large and not good enough. Look at the front.")
    if model.size_bytes > BUDGET_BYTES:
        return Verdict(
            False, f"{numbers}: {model.size_bytes - BUDGET_BYTES:,} bytes too many. Which of "
            "votes, leaves and nodes takes most?",
        )  # fmt: skip
    if accuracy < WANTED:
        return Verdict(False, f"{numbers}: it fits, but should be right in {WANTED:.0%}.")
    return Verdict(True, f"{numbers}: within the budget.")
