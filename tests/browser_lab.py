"""A real JupyterLab and a real Chromium, for tests that press what people press."""

from __future__ import annotations

import contextlib
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

import pytest

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
    """A running JupyterLab; `folder` is what it shows."""

    url: str
    token: str
    folder: Path

    def address(self, notebook: str) -> str:
        return f"{self.url}lab/tree/{notebook}?token={self.token}&reset"


def require_browser() -> None:
    """Skip the test, saying what to install, where there is no browser to drive."""
    pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install playwright"
    )
    chromium()


def chromium() -> str:
    """Path of a Chromium or Chrome; skips the test if there is none."""
    chosen = os.environ.get("WORKSHOP_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(
        "Chromium is missing. Debian: apt-get install chromium. "
        "WORKSHOP_CHROMIUM names another binary."
    )


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
        yield Lab(_url_of(process, home), token, notebooks)
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
            page.set_default_timeout(30_000)
            page.goto(address)
            yield page
        finally:
            browser.close()
