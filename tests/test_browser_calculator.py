"""The calculator of notebook 01 and the chooser of 02, turned by keyboard in JupyterLab."""

from __future__ import annotations

import pytest
from browser_lab import box_of, missing, open_notebook

# A speed by hand: what is measured on a board is tested elsewhere.
CELLS = (
    """
from workshop_helpers.budget import Plan, Speed
from workshop_helpers.course import boards, budgets
budgets.budget_calculator(Speed(us_per_tree=2, us_per_value=0.1, clock_mhz=160), Plan(window=4000))
""",
    "boards.board_chooser()",
)


@pytest.mark.slow
def test_a_turned_knob_changes_the_picture(tmp_path) -> None:
    if why := missing():
        pytest.skip(why)
    with open_notebook(tmp_path / "lab", "knobs", CELLS) as notebook:
        notebook.run_all()
        turn(notebook.page)
        notebook.screenshot("knobs")


def turn(page) -> None:
    bars = page.locator(".workshop-budget .workshop-bar")
    bars.last.wait_for()
    assert bars.count() == 4  # RAM, flash, CPU, battery
    narrow = box_of(bars.first)["width"]
    window = page.locator(".widget-slider", has_text="window").locator(".noUi-handle")
    window.focus()
    for _ in range(10):
        window.press("ArrowRight")
    page.wait_for_function(
        "narrow => document.querySelector('.workshop-bar').clientWidth > narrow + 1", arg=narrow
    )
    # So many nodes that they do not fit: the bar is full, orange, and the verdict says it.
    page.locator(".widget-slider", has_text="nodes").locator(".noUi-handle").press("End")
    page.locator(".workshop-budget + p", has_text="RAM").wait_for()
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.workshop-bar')).backgroundColor"
        " == 'rgb(213, 94, 0)'"
    )

    chooser = page.locator(".jp-OutputArea").nth(1)
    chooser.locator("select").nth(1).select_option("LoRa")
    chooser.locator("tr", has_text="no LoRa").first.wait_for()
