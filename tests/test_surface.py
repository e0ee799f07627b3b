"""The board's answers over a grid are the model's own."""

from __future__ import annotations

import numpy as np
import pytest
from xor_model import xor_model

from workshop_helpers.course.pictures import points_figure, surface_figure
from workshop_helpers.errors import DeviceError
from workshop_helpers.paths import DEVICE_SCRIPTS


@pytest.fixture
def with_surface(board):
    for name in ("model_store", "surface"):
        board.put(DEVICE_SCRIPTS / "lib" / f"{name}.py", "/lib/")
    return board


def test_every_point_is_answered_as_the_host_reference_does(with_surface):
    model = xor_model()
    with_surface.deploy(model)
    found = with_surface.call("surface.answers", "/models/xor", -16384, 16384, 17, timeout_s=60)
    axis = np.linspace(-1, 1, 17)
    X = np.array([(left, right) for right in axis for left in axis])
    assert [model.classes[i] for i in found] == model.predict(X).tolist()
    assert set(found) == {0, 1}


def test_a_model_of_other_features_is_refused(with_surface, small_model):
    with_surface.deploy(small_model)
    with pytest.raises(DeviceError, match="24 features, not 2"):
        with_surface.call("surface.answers", "/models/small", -100, 100, 5)


def test_the_picture_has_the_first_feature_across_and_the_points_on_top():
    X = np.array([[-0.5, 0.5], [0.5, -0.5]])
    answers = np.array([[0, 1], [0, 1]])
    figure = surface_figure(answers, -1, 1, ["a", "b"], X, ["a", "b"], ["across", "up"], "title")
    axes = figure.axes[0]
    assert axes.get_xlabel() == "across" and axes.images[0].get_extent() == [-2, 2, -2, 2]
    assert axes.images[0].origin == "lower"
    assert [c.get_offsets().tolist() for c in axes.collections] == [[[-0.5, 0.5]], [[0.5, -0.5]]]
    assert points_figure(X, ["a", "b"], ["across", "up"])._repr_png_().startswith(b"\x89PNG")
