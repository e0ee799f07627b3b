"""The live view as people use it: JupyterLab in Chromium, the view's buttons, the interrupt."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import nbformat
import pytest
from browser_lab import SCREENSHOTS, open_page, require_browser, running_lab

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


class Notebook:
    """The notebook on the page, by what can be seen of it."""

    def __init__(self, page, path: Path) -> None:
        self.page = page
        self.path = path

    def choose_kernel(self) -> None:
        """The course's notebooks name none, so JupyterLab asks."""
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()

    def run_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def run_cell(self, index: int) -> None:
        self.page.locator(".jp-CodeCell .jp-InputArea-editor").nth(index).click()
        self.page.keyboard.press("Control+Enter")

    def interrupt(self) -> None:
        self.page.locator('[data-command="notebook:interrupt-kernel"]').click()

    def save(self) -> nbformat.NotebookNode:
        """Save it and read it back."""

        def saved(response) -> bool:
            return response.request.method == "PUT" and "/api/contents/" in response.url

        with self.page.expect_response(saved):
            self.page.locator('[data-command="docmanager:save"]').click()
        return nbformat.read(self.path, as_version=4)

    @property
    def canvas(self):
        return self.page.locator(".workshop-live canvas")

    @property
    def picture(self):
        """What stays, and what is shown where there are no widgets."""
        return self.page.locator(".jp-OutputArea-output img")

    def button(self, text: str):
        return self.page.locator(".workshop-live button", has_text=text)

    def frames_shown(self) -> int:
        return int(self.canvas.get_attribute("data-shown") or 0)

    def wait_for_frames(self, more: int) -> None:
        """Until the canvas has shown so many more frames."""
        self.canvas.wait_for()
        wanted = self.frames_shown() + more
        self.page.wait_for_function(
            "n => document.querySelector('.workshop-live canvas')?.dataset.shown >= n", arg=wanted
        )

    def wait_for_new_picture(self, old: str | None = None) -> str:
        """The picture's address, once it is another than `old`."""
        self.picture.wait_for()
        self.page.wait_for_function(
            "old => document.querySelector('.jp-OutputArea-output img')?.src !== old", arg=old
        )
        return self.picture.get_attribute("src")

    def pixels(self) -> bytes:
        """What is on the canvas, as PNG."""
        address = self.canvas.evaluate("canvas => canvas.toDataURL('image/png')")
        return base64.b64decode(address.partition(",")[2])

    def wait_for_result(self, number: int) -> str:
        """The text of the cell's result, once the kernel gave its result number `number`."""
        prompt = self.page.locator(".jp-OutputArea-executeResult .jp-OutputPrompt")
        prompt.filter(has_text=f"[{number}]").wait_for()
        return self.page.locator(".jp-OutputArea-executeResult .jp-OutputArea-output").inner_text()

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def open_notebook(tmp_path, small_model):
    """Opens the notebook in a JupyterLab with these settings; a context manager."""
    require_browser()
    folder = small_model.save(tmp_path / "model")
    cells = [OPEN.format(folder=str(folder)).strip(), SHOW.strip()]

    @contextlib.contextmanager
    def opened(settings=None, disabled=()):
        with running_lab(tmp_path / "lab", settings, disabled) as lab:
            content = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
            nbformat.write(content, lab.folder / "live.ipynb")
            with open_page(lab.address("live.ipynb"), tmp_path / "profile") as page:
                notebook = Notebook(page, lab.folder / "live.ipynb")
                try:
                    notebook.choose_kernel()
                    yield notebook
                except BaseException:
                    notebook.screenshot("live_view_failed")
                    raise

    return opened


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
def test_stop_button_and_interrupt_end_a_running_cell(open_notebook) -> None:
    with open_notebook() as notebook:
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
        assert STOPPED in notebook.wait_for_result(2)
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
        assert STOPPED in notebook.wait_for_result(3)
        notebook.canvas.wait_for(state="detached")
        notebook.screenshot("live_view_interrupted")
        check_saved(notebook)


@pytest.mark.slow
def test_the_buttons_need_no_subshell_of_the_front_end(open_notebook) -> None:
    with open_notebook(NO_SUBSHELLS) as notebook:
        notebook.run_all()
        notebook.wait_for_frames(5)
        notebook.button("Stop").click()
        assert STOPPED in notebook.wait_for_result(2)


@pytest.mark.slow
def test_without_widgets_a_picture_is_shown(open_notebook) -> None:
    with open_notebook(disabled=("anywidget",)) as notebook:
        notebook.run_all()
        picture = notebook.wait_for_new_picture()
        for _ in range(3):
            picture = notebook.wait_for_new_picture(picture)
        assert notebook.canvas.count() == 0
        notebook.screenshot("live_view_picture")
        notebook.interrupt()
        assert STOPPED in notebook.wait_for_result(2)
        check_saved(notebook)
