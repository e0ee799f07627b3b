"""The live view as people use it: JupyterLab in Chromium, the view's buttons, the interrupt."""

from __future__ import annotations

import base64

import pytest
from browser_lab import Notebook, missing, open_notebook

OPEN = """
from workshop_helpers import LiveView, connect
from workshop_helpers.model import DeviceModel
board = connect("virtual")
sent = board.deploy(DeviceModel.load({folder!r}), app="har_live")
"""
# A good deal longer than the test may take: only a stop ends it.
SHOW = """
with board.stream() as stream:
    live = LiveView(stream, panels=("signals", "probabilities", "confusion")).show(seconds=100)
print("label:", live.history.label)
live
"""
STOPPED = "stopped by hand"
NO_SUBSHELLS = {"apputils-extension/kernels-settings": {"commsOverSubshells": "disabled"}}


@pytest.fixture
def opened(tmp_path, small_model):
    """Opens the notebook in a JupyterLab with these settings; a context manager."""
    if why := missing():
        pytest.skip(why)
    folder = small_model.save(tmp_path / "model")

    def open_with(settings=None, disabled=()):
        cells = [OPEN.format(folder=str(folder)), SHOW]
        return open_notebook(tmp_path / "lab", "live_view", cells, settings, disabled)

    return open_with


def check_saved(notebook: Notebook) -> None:
    """A picture and a result in the file, and nothing that needs a kernel to be shown."""
    saved = notebook.save()
    picture, label, result = saved.cells[1].outputs
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    assert not any("widget" in kind for kind in picture.data)
    assert label.text.startswith("label: ")
    assert STOPPED in result.data["text/plain"]
    assert "widgets" not in saved.metadata


@pytest.mark.slow
def test_stop_button_and_interrupt_end_a_running_cell(opened) -> None:
    with opened() as notebook:
        notebook.run_all()
        notebook.wait_for_frames(5)
        before = notebook.pixels()
        notebook.wait_for_frames(40)  # longer than the first window
        assert notebook.pixels() != before
        notebook.button("Walking").click()
        notebook.button("Walking").and_(notebook.page.locator(".workshop-chosen")).wait_for()
        notebook.wait_for_frames(20)  # the status says it, too
        notebook.screenshot("live_view_running")
        notebook.button("Stop").click()
        assert STOPPED in notebook.result(2)
        notebook.canvas.wait_for(state="detached")
        assert notebook.picture.count() == 1
        notebook.screenshot("live_view_stopped")
        assert "label: Walking" in notebook.page.locator(".jp-OutputArea").nth(1).inner_text()
        check_saved(notebook)

        # The board is free again, and so is the button.
        notebook.run_cell(1)
        notebook.wait_for_frames(5)
        notebook.button("Stop").wait_for()
        notebook.interrupt()
        assert STOPPED in notebook.result(3)
        notebook.canvas.wait_for(state="detached")
        notebook.screenshot("live_view_interrupted")
        check_saved(notebook)


@pytest.mark.slow
def test_the_buttons_need_no_subshell_of_the_front_end(opened) -> None:
    with opened(NO_SUBSHELLS) as notebook:
        notebook.run_all()
        notebook.wait_for_frames(5)
        notebook.button("Stop").click()
        assert STOPPED in notebook.result(2)


@pytest.mark.slow
def test_without_widgets_a_picture_is_shown(opened) -> None:
    with opened(disabled=("anywidget",)) as notebook:
        notebook.run_all()
        picture = notebook.new_picture()
        for _ in range(3):
            picture = notebook.new_picture(picture)
        assert notebook.canvas.count() == 0
        notebook.screenshot("live_view_picture")
        notebook.interrupt()
        assert STOPPED in notebook.result(2)
        check_saved(notebook)
