"""Sensors on an I2C bus, under real MicroPython, against models of their chips' registers.

The models (tests/device/chips) are written from the datasheets, the adapters (device_scripts) too,
neither from the other. No real chip was met.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop_helpers.errors import DeviceError
from workshop_helpers.paths import DEVICE_SCRIPTS, ROOT

MICROPYTHON = shutil.which("micropython", path=str(Path(sys.executable).parent))
CHIPS = ("mpu6050", "mpu6886", "lsm9ds1", "lsm6dsox", "bma423", "bmi270", "adxl345")
GYROSCOPES = ("mpu6050", "mpu6886", "lsm9ds1", "lsm6dsox", "bmi270")
CHECKS = (
    "interface",
    "wrong_identity",
    "scale",
    "order",
    "rate",
    "overrun",
    "small_overrun",
    "no_answer",
    "refused",
    "closed",
    "not_before_its_time",
    "other_counts",
    "allocation",
)

needs_micropython = pytest.mark.skipif(
    MICROPYTHON is None, reason="no MicroPython wheel for this system"
)


def on_micropython(code: str, **options: object) -> str:
    """What a piece of code prints that finds the device scripts and the tests' own."""
    folders = [str(p) for p in (DEVICE_SCRIPTS, DEVICE_SCRIPTS / "lib", ROOT / "tests" / "device")]
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=2m", "-c", f"import sys\nsys.path[:0] = {folders}\n{code}"],
        capture_output=True,
        text=True,
        timeout=100,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def check(chip: str, name: str) -> None:
    assert on_micropython(f"import sensor_checks\nsensor_checks.run({chip!r}, {name!r})") == "ok"


@needs_micropython
@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("chip", CHIPS)
def test_chip(chip: str, name: str) -> None:
    check(chip, name)


@needs_micropython
@pytest.mark.parametrize("name", ("gyro_ranges", "only_acc"))
@pytest.mark.parametrize("chip", GYROSCOPES)
def test_chip_with_a_gyroscope(chip: str, name: str) -> None:
    check(chip, name)


def test_every_sensor_on_a_bus_is_checked() -> None:
    on_a_bus = {
        path.stem
        for path in (DEVICE_SCRIPTS / "sensors").glob("*.py")
        if "open_device" in path.read_text(encoding="utf-8")
    }
    assert on_a_bus == set(CHIPS)
    for name in on_a_bus:
        text = (DEVICE_SCRIPTS / "sensors" / f"{name}.py").read_text(encoding="utf-8")
        header = " ".join(text.split('"""')[1].split())
        assert "has not met the real chip" in header
        for part in ("Board:", "Wiring:", "Memory:", "Timing:", "Source:"):
            assert part in header, part


@pytest.mark.parametrize("chip", CHIPS)
def test_the_virtual_board_says_that_it_has_no_i2c(board, chip: str) -> None:
    from workshop_helpers.model.deploy import closure

    if not board.is_virtual:
        pytest.skip("this board may have the chip")
    adapter = DEVICE_SCRIPTS / "sensors" / f"{chip}.py"
    for path, source in closure(adapter).items():
        board.put(source.read_bytes(), path)
    board.put(adapter.read_bytes(), f"/lib/sensors/{chip}.py")
    rate_hz = {"lsm9ds1": 119, "lsm6dsox": 104}.get(chip, 100)
    with pytest.raises(DeviceError, match=r"no I2C, so no \w+; use sensor='replay'"):
        board.exec(
            f"import sensors.{chip} as s\ns.open({{'rate_hz': {rate_hz}, 'scl': 1, 'sda': 2}})"
        )
