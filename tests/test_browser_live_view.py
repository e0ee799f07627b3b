"""The live view as people use it: JupyterLab in Chromium, its Stop button, its interrupt."""

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
    live = LiveView(stream).show(seconds=100)
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
    def picture(self):
        return self.page.locator(".jp-OutputArea-output img")

    @property
    def stop_button(self):
        return self.page.locator(".jp-OutputArea button.jupyter-button", has_text="Stop")

    def wait_for_new_picture(self, old: str | None = None) -> str:
        """The picture's address, once it is another than `old`."""
        self.picture.wait_for()
        self.page.wait_for_function(
            "old => document.querySelector('.jp-OutputArea-output img')?.src !== old", arg=old
        )
        return self.picture.get_attribute("src")

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
    def opened(settings=None):
        with running_lab(tmp_path / "lab", settings) as lab:
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
    picture, *rest, result = saved.cells[1].outputs
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    assert STOPPED in result.data["text/plain"]
    assert all(output.data == {"text/plain": ""} for output in rest)
    assert "widgets" not in saved.metadata


@pytest.mark.slow
def test_stop_button_and_interrupt_end_a_running_cell(open_notebook) -> None:
    with open_notebook() as notebook:
        notebook.run_all()
        picture = notebook.wait_for_new_picture()
        notebook.stop_button.wait_for()
        for _ in range(40):  # longer than the first window
            picture = notebook.wait_for_new_picture(picture)
        notebook.screenshot("live_view_running")
        notebook.stop_button.click()
        assert STOPPED in notebook.wait_for_result(2)
        notebook.stop_button.wait_for(state="detached")
        assert notebook.picture.count() == 1
        notebook.screenshot("live_view_stopped")
        check_saved(notebook)

        # The board is free again, and so is the button.
        notebook.run_cell(1)
        picture = notebook.wait_for_new_picture(notebook.picture.get_attribute("src"))
        notebook.stop_button.wait_for()
        notebook.wait_for_new_picture(picture)
        notebook.interrupt()
        assert STOPPED in notebook.wait_for_result(3)
        notebook.stop_button.wait_for(state="detached")
        notebook.screenshot("live_view_interrupted")
        check_saved(notebook)


@pytest.mark.slow
def test_the_stop_button_needs_no_subshell(open_notebook) -> None:
    with open_notebook(NO_SUBSHELLS) as notebook:
        notebook.run_all()
        picture = notebook.wait_for_new_picture()
        notebook.wait_for_new_picture(picture)
        notebook.stop_button.click()
        assert STOPPED in notebook.wait_for_result(2)
