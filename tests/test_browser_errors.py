"""From an error in a notebook to its entry, with a click, in a real JupyterLab and no network."""

from __future__ import annotations

import nbformat
import pytest
from browser_lab import SCREENSHOTS, box_of, missing, open_page, running_lab

from workshop_helpers.course.lab import SETTINGS
from workshop_helpers.paths import ROOT

FAILS = """
from workshop_helpers import connect
connect("/dev/no-such-port")
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_error_leads_to_its_entry(tmp_path, monkeypatch):
    if why := missing():
        pytest.skip(why)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(SETTINGS))
    with running_lab(tmp_path) as lab:
        for folder in ("docs", "notebooks"):
            (lab.folder / folder).mkdir()
        (lab.folder / "docs" / "errors.md").write_bytes((ROOT / "docs/errors.md").read_bytes())
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FAILS)])
        nbformat.write(notebook, lab.folder / "notebooks" / "fails.ipynb")
        with open_page(lab.address("notebooks/fails.ipynb"), tmp_path / "profile") as page:
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            page.locator(
                ".jp-OutputArea-output a", has_text="What NO_BOARD means"
            ).click()  # one link
            page.screenshot(path=SCREENSHOTS / "errors_cell.png")
            heading = page.locator(".jp-MarkdownViewer h2", has_text="no_board")
            heading.wait_for()
            page.wait_for_timeout(1000)  # it scrolls there
            page.screenshot(path=SCREENSHOTS / "errors.png")
            box = box_of(heading)
            assert 0 <= box["y"] < 800, box
