"""The main job as a user runs it: a process, its last line, its report."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workshop_helpers.paths import ROOT

KEYS = [
    *("accuracy_sklearn", "accuracy_device", "agreement", "windows", "model_bytes"),
    *("module_bytes", "ram_bytes", "us_per_inference", "records", "records_lost"),
    *("port", "arch", "seconds_to_first_prediction"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "workshop_helpers.cli", "demo", "--json"]
    command += ["--seconds", "5", "--port", "virtual", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1, "standard output holds the object and nothing else"
    return json.loads(lines[-1]), out


def test_json_has_every_key(demo: tuple[dict[str, Any], Path]) -> None:
    assert [key for key in KEYS if key not in demo[0]] == []


def test_device_agrees_with_sklearn_or_says_why(demo: tuple[dict[str, Any], Path]) -> None:
    result, _ = demo
    assert result["windows"] == 680
    assert result["disagreements_unexplained"] == 0
    assert result["agreement"] >= 0.99
    assert result["accuracy_sklearn"] >= 0.95
    assert result["accuracy_device"] >= 0.95


def test_stream_is_counted_and_whole(demo: tuple[dict[str, Any], Path]) -> None:
    result, _ = demo
    assert result["records_lost"] == 0
    # 5 s at 10 Hz, window 2 s, hop 0.5 s: the first after 2 s, then two a second.
    assert 4 <= result["predictions"] <= 7
    assert result["records"] > result["predictions"]


def test_costs_are_those_of_a_microcontroller(demo: tuple[dict[str, Any], Path]) -> None:
    result, _ = demo
    assert 0 < result["model_bytes"] < 64 * 1024
    assert 0 < result["module_bytes"] < 8 * 1024
    assert 0 < result["ram_bytes"] < 64 * 1024
    assert result["us_per_inference"] > 0


def test_report_is_one_file_with_two_pictures(demo: tuple[dict[str, Any], Path]) -> None:
    result, out = demo
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!data:)""", page), "nothing is loaded from elsewhere"
    pictures = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    assert len(pictures) == 2
    assert all(base64.b64decode(p).startswith(b"\x89PNG") for p in pictures)
    assert f"{result['model_bytes']:,} bytes" in page
    assert not list(out.glob("*.part"))


def test_unknown_port_is_two_lines_and_exit_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workshop_helpers.cli", "demo", "--port", "/dev/no-such-port"]
    env = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=60, env=env
    )
    assert done.returncode == 1
    assert "NO_BOARD" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
