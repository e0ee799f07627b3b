"""A real JupyterLab and a real Chromium, for tests and benchmarks that press what people press."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from workshop_helpers.paths import ROOT

SCREENSHOTS = ROOT / "out" / "browser"
START_TIMEOUT_S = 60.0
FLAGS = [
    "--headless=new",
    "--no-sandbox",  # CI runs as root, where Chromium's sandbox refuses to work
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUIET_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab; `folder` is what it shows, `pid` its server's process."""

    url: str
    token: str
    folder: Path
    pid: int

    def address(self, notebook: str) -> str:
        return f"{self.url}lab/tree/{notebook}?token={self.token}&reset"


def missing() -> str | None:
    """What to install before a browser can be driven here; None if nothing."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is missing: pip install playwright"
    if chromium() is None:
        return (
            "Chromium is missing. Debian: apt-get install chromium. "
            "WORKSHOP_CHROMIUM names another binary."
        )
    return None


def chromium() -> str | None:
    """Path of a Chromium or Chrome."""
    chosen = os.environ.get("WORKSHOP_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if (found := shutil.which(name))), None)


@contextlib.contextmanager
def running_lab(
    home: Path,
    settings: dict[str, dict[str, Any]] | None = None,
    disabled: Sequence[str] = (),
) -> Iterator[Lab]:
    """Start JupyterLab on loopback with a configuration of its own, under `home`.

    Args:
        settings: what a user might have set, by "extension/plugin".
        disabled: front-end extensions that this laptop is to lack.
    """
    token = secrets.token_hex(16)
    folders = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    notebooks = home / "notebooks"
    for folder in (notebooks, *folders.values()):
        folder.mkdir(parents=True, exist_ok=True)
    for name, values in {**QUIET_SETTINGS, **(settings or {})}.items():
        path = folders["JUPYTERLAB_SETTINGS_DIR"] / f"@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    if disabled:
        labconfig = folders["JUPYTER_CONFIG_DIR"] / "labconfig"
        labconfig.mkdir()
        page_config = json.dumps({"disabledExtensions": dict.fromkeys(disabled, True)})
        (labconfig / "page_config.json").write_text(page_config, encoding="utf-8")
    environment = {**os.environ, **{k: str(v) for k, v in folders.items()}}
    environment |= {"JUPYTER_TOKEN": token, "PYTHONPATH": str(ROOT), "WORKSHOP_PORT": "virtual"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={notebooks}"]
    with open(home / "lab.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield Lab(_url_of(process, home), token, notebooks, process.pid)
    finally:
        process.terminate()  # asks it to end its kernels as well
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _url_of(process: subprocess.Popen[bytes], home: Path) -> str:
    """Wait for the file in which the server says where it listens."""
    end_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end_s and process.poll() is None:
        for path in (home / "runtime").glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # half written
                return str(json.loads(path.read_text(encoding="utf-8"))["url"])
        time.sleep(0.1)
    log = (home / "lab.log").read_text(encoding="utf-8", errors="replace")
    raise AssertionError(f"JupyterLab did not start. Its log ends in:\n{log[-3000:]}")


@contextlib.contextmanager
def open_page(address: str, profile: Path) -> Iterator[Any]:
    """A page of a fresh Chromium at this address, of a laptop's size."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch_persistent_context(
            str(profile),
            executable_path=chromium(),
            args=FLAGS,
            viewport={"width": 1280, "height": 800},
        )
        try:
            page = browser.new_page()
            page.set_default_timeout(60_000)
            page.goto(address)
            yield page
        finally:
            browser.close()


class Notebook:
    """The notebook on the page, by what can be seen of it."""

    def __init__(self, page: Any, path: Path, lab: Lab) -> None:
        self.page = page
        self.path = path
        self.lab = lab

    def wait_for_kernel(self) -> None:
        """Until it runs. The toolbar calls it idle even before; the status bar names it then."""
        self.page.locator("#jp-main-statusbar").get_by_text("(ipykernel) | Idle").wait_for()

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

        def saved(response: Any) -> bool:
            return response.request.method == "PUT" and "/api/contents/" in response.url

        with self.page.expect_response(saved):
            self.page.locator('[data-command="docmanager:save"]').click()
        return nbformat.read(self.path, as_version=4)

    def button(self, text: str) -> Any:
        """A button that a cell has put out."""
        return self.page.locator(".jp-OutputArea button", has_text=text)

    def wait_for_text(self, text: str) -> None:
        """Until a cell has put this out."""
        self.page.locator(".jp-OutputArea-output", has_text=text).first.wait_for(timeout=60_000)

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def result(self, number: int) -> str:
        """The text of the cell's result, once the kernel gave its result number `number`."""
        prompt = self.page.locator(".jp-OutputArea-executeResult .jp-OutputPrompt")
        prompt.filter(has_text=f"[{number}]").wait_for()
        return self.page.locator(".jp-OutputArea-executeResult .jp-OutputArea-output").inner_text()

    # --- a live view ------------------------------------------------------------------------
    @property
    def canvas(self) -> Any:
        return self.page.locator(".workshop-live canvas")

    @property
    def picture(self) -> Any:
        """What stays of it, and what is shown where there are no widgets."""
        return self.page.locator(".jp-OutputArea-output img")

    def pixels(self) -> bytes:
        """What is on the canvas, as PNG."""
        address = self.canvas.evaluate("canvas => canvas.toDataURL('image/png')")
        return base64.b64decode(address.partition(",")[2])

    def new_picture(self, old: str | None = None) -> str:
        """The picture's address, once it is another than `old`."""
        self.picture.wait_for()
        self.page.wait_for_function(
            "old => document.querySelector('.jp-OutputArea-output img')?.src !== old", arg=old
        )
        return str(self.picture.get_attribute("src"))

    def frames_shown(self) -> int:
        return int(self.canvas.get_attribute("data-shown") or 0)

    def wait_for_frames(self, more: int) -> None:
        """Until the canvas has shown so many more frames."""
        self.canvas.wait_for()
        wanted = self.frames_shown() + more
        self.page.wait_for_function(
            "n => document.querySelector('.workshop-live canvas')?.dataset.shown >= n", arg=wanted
        )


def box_of(locator: Any, timeout_s: float = 30.0) -> dict[str, float]:
    """Where an element lies in the window, once it is drawn and stands still.

    JupyterLab takes cells out of the page and puts them back while it lays them out.
    """
    end = time.monotonic() + timeout_s
    while True:
        locator.wait_for()
        before = locator.bounding_box()
        locator.page.wait_for_timeout(100)
        box: dict[str, float] | None = locator.bounding_box()
        if box is not None and box == before:
            return box
        assert time.monotonic() < end, f"not drawn, or still moving after {timeout_s:g} s: {box}"


@contextlib.contextmanager
def open_notebook(
    home: Path,
    name: str,
    cells: Sequence[str],
    settings: dict[str, dict[str, Any]] | None = None,
    disabled: Sequence[str] = (),
) -> Iterator[Notebook]:
    """These cells as a notebook in JupyterLab, its kernel running; what goes wrong is photographed.

    Args:
        home, settings, disabled: as for `running_lab`.
    """
    with running_lab(home, settings, disabled) as lab:
        path = lab.folder / f"{name}.ipynb"
        made = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
        # Named, or JupyterLab may ask which one, or not, as it comes.
        kernel = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)
        with open_page(lab.address(path.name), home / "profile") as page:
            notebook = Notebook(page, path, lab)
            try:
                notebook.wait_for_kernel()
                yield notebook
            except BaseException:
                notebook.screenshot(f"{name}_failed")
                raise
