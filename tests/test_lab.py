"""`workshop lab`: JupyterLab without the questions of a first start."""

from __future__ import annotations

import json
import subprocess
import sys

from workshop_helpers.course.lab import lab_environment

# What JupyterLab's own server hands to the page as settings.
ASK_LAB = """
import json
from jupyterlab_server.settings_utils import _get_overrides
print(json.dumps(_get_overrides("/nowhere")[0]))
"""


def overrides(environment: dict[str, str]) -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", ASK_LAB],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_lab_starts_the_kernel_and_asks_nothing():
    found = overrides(lab_environment())
    assert found["@jupyterlab/notebook-extension:tracker"]["autoStartDefaultKernel"] is True
    assert found["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_what_the_user_has_set_comes_first(tmp_path, monkeypatch):
    theirs = tmp_path / "labconfig" / "default_setting_overrides.json"
    theirs.parent.mkdir()
    tracker = "@jupyterlab/notebook-extension:tracker"
    theirs.write_text(json.dumps({tracker: {"autoStartDefaultKernel": False}}))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    assert overrides(lab_environment())[tracker]["autoStartDefaultKernel"] is False
