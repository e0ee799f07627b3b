"""What each notebook finds when those before it were done: one row a notebook, in order.

A notebook that takes up nothing has an empty row; one without a row fails a test.
"""

from __future__ import annotations

from .steps import Step, module

CHECKPOINTS: dict[str, tuple[Step, ...]] = {
    "00": (),
    "01": (),
    "02": (),
    "03": (),
    "04": (),
    "05": (),
    "06": (module("emlearn_trees"),),
    "07": (),
    "08": (),
    "09": (),
    "10": (module("emlearn_trees"),),
    "11": (module("emlearn_trees"),),
}
