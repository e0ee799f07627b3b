"""Whether a model fits a board; leaves that are shared; what notebook 08 draws."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.naive_bayes import GaussianNB

from workshop_helpers import convert, fits, measure, verify
from workshop_helpers.board.catalogue import find
from workshop_helpers.course.figures_08 import Candidate, memory_map_figure, pareto_front
from workshop_helpers.errors import ModelError, UnknownBoardError
from workshop_helpers.model.fits import estimate_ram_bytes, module_bytes
from workshop_helpers.model.shrink import share_leaves

X, y = load_digits(return_X_y=True)


def digits(trees=10, leaves=60, **options):
    forest = RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=1)
    return convert(forest.fit(X[:900], y[:900]), X[:900], name="digits", **options)


def test_a_small_model_fits_and_a_huge_one_does_not():
    small = fits(digits(3, 16), "esp32-c3")
    assert small and "fits" in repr(small) and "✔" in small._repr_html_()
    huge = fits(digits(100, 400, voting="soft"), find("nucleo-f446re"))
    assert not huge
    assert "does NOT fit" in repr(huge) and "✘" in huge._repr_html_()
    assert huge.needs[1].share > small.needs[1].share


def test_an_unknown_board_is_named():
    with pytest.raises(UnknownBoardError):
        fits(digits(3, 16), "toaster-9000")


def heap_of_import(board, module):
    board.soft_reset()
    return int(
        board.exec(
            f"import gc\ngc.collect()\nb = gc.mem_alloc()\nimport {module}\ngc.collect()\n"
            "print(gc.mem_alloc() - b)"
        )
    )


@pytest.mark.parametrize("kind", ["soft", "hard", "regression", "bayes"])
def test_the_estimate_is_near_what_a_board_says(board, kind):
    if kind == "regression":
        A, b = load_diabetes(return_X_y=True)
        forest = RandomForestRegressor(10, max_leaf_nodes=60, random_state=1).fit(A, b)
        model, rows = convert(forest, A, name="digits"), A
    elif kind == "bayes":
        model, rows = convert(GaussianNB().fit(X, y), X, name="digits"), X
    else:
        model, rows = digits(voting=kind), X
    cost = measure(model, board, rows[:8])
    estimate = estimate_ram_bytes(model, board.info.arch)
    # This board's port keeps native code outside its heap; microcontrollers keep it there.
    outside_bytes = module_bytes(model, board.info.arch) - heap_of_import(board, model.module)
    assert 0.8 < estimate / (cost.ram_bytes + max(0, outside_bytes)) < 1.25
    assert cost.ram_predicting_bytes > cost.ram_bytes
    assert 0 <= cost.largest_block_bytes <= cost.heap_free_bytes
    assert cost.flash_bytes == cost.model_bytes + cost.module_bytes
    fit = fits(model, board, cost)
    assert fit and "measured on" in fit.needs[1].source
    board.rm("/models/digits", recursive=True)


def test_predicting_leaves_no_garbage(board):
    cost = measure(digits(voting="soft"), board, X[:4])
    assert cost.garbage_bytes == 0
    board.rm("/models/digits", recursive=True)


def test_shared_leaves_are_fewer_and_nearly_as_good(board):
    model = digits(voting="soft")
    shared = share_leaves(model, 20)
    assert len(shared.forest.leaves) == 20 * 10
    assert shared.size_bytes < model.size_bytes / 2
    assert len(shared.forest.nodes) == len(model.forest.nodes)
    report = verify(shared, X[900:], board)
    assert report.agreement > 0.95 and report.host_matches_device
    assert set(report.causes) <= {"shared leaves"}
    board.rm("/models/digits", recursive=True)


def test_sharing_more_leaves_than_there_are_changes_nothing():
    model = digits(voting="soft")
    assert share_leaves(model, 10_000) is model


def test_what_can_not_be_shared_says_so():
    for wrong in (digits(voting="hard"), convert(GaussianNB().fit(X, y), X)):
        with pytest.raises(ModelError, match="soft"):
            share_leaves(wrong, 5)
    with pytest.raises(ModelError, match="number of leaves"):
        share_leaves(digits(voting="soft"), 0)


def test_the_front_holds_what_nothing_beats():
    points = [Candidate(*row) for row in (("a", 10, 0.5), ("b", 20, 0.4), ("c", 20, 0.6))]
    assert [c.name for c in pareto_front([*points, Candidate("d", 10, 0.5)])] == ["a", "c"]
    assert pareto_front([]) == []


def test_the_memory_map_adds_up_to_the_heap(board):
    cost = measure(digits(3, 16), board, X[:4])
    (axes,) = memory_map_figure({"small": cost}, baseline_bytes=1024).axes
    width = sum(bar.get_width() for bar in axes.patches)
    parts = cost.heap_free_bytes + cost.ram_predicting_bytes + 1024
    assert width * 1024 == pytest.approx(parts)
    board.rm("/models/digits", recursive=True)
