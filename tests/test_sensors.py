"""Sensors on an I2C bus, under real MicroPython, against models of their chips' registers.

The models (tests/device/chips) are written from the datasheets, the adapters (device_scripts) too,
neither from the other. No real chip was met.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from on_micropython import needs_micropython, on_micropython

from workshop_helpers import datasets
from workshop_helpers.errors import DeviceError
from workshop_helpers.paths import DEVICE_SCRIPTS

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
    "no_answer_anywhere",
    "no_answer_after_overrun",
    "refused",
    "closed",
    "not_before_its_time",
    "other_counts",
    "allocation",
)


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


@needs_micropython
@pytest.mark.parametrize("chip", ("mpu6050", "mpu6886"))
def test_the_flag_of_an_overflow(chip: str) -> None:
    check(chip, "overflow_flag")


def test_every_sensor_on_a_bus_is_checked() -> None:
    on_a_bus = {
        path.stem
        for path in (DEVICE_SCRIPTS / "sensors").glob("*.py")
        if "open_device" in path.read_text(encoding="utf-8")
    }
    assert on_a_bus == set(CHIPS)


def test_every_adapter_says_what_it_is_and_what_it_has_not_met() -> None:
    files = {path.stem: path for path in (DEVICE_SCRIPTS / "sensors").glob("*.py")}
    del files["replay"]  # which is no chip
    for name, path in files.items():
        header = " ".join(path.read_text(encoding="utf-8").split('"""')[1].split())
        assert "has not met the real chip" in header, name
        for part in ("Board:", "Wiring:", "Memory:", "Timing:", "Source:", "config:"):
            assert part in header or (name, part) == ("adc", "Source:"), (name, part)


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


# --- on no bus ---------------------------------------------------------------------------------
@needs_micropython
@pytest.mark.parametrize(
    "name", ("i2s_microphone", "pdm_microphone", "pdm_by_openmv", "pdm_by_nobody", "adc")
)
def test_a_sensor_on_no_bus(name: str) -> None:
    assert on_micropython(f"import other_sensors\nother_sensors.run({name!r})") == "ok"


@needs_micropython
def test_they_take_no_heap_either(tmp_path: Path) -> None:
    path = tmp_path / "long.npy"
    path.write_bytes(datasets.to_npy(np.zeros((2000, 6), np.int16)))
    code = f"import other_sensors\nother_sensors.run('allocation', {str(path)!r})"
    assert on_micropython(code) == "ok"


REPLAY = """
from array import array
import json, sensors.replay
sensor = sensors.replay.open(CONFIG)
block = array("h", bytes(2 * sensor.channels * 50))
found = []
while not sensor.ended:
    n = sensor.read_into(block)
    found += list(block[: n * sensor.channels])
facts = (sensor.channel_names, sensor.channel_units, sensor.units_per_lsb, found)
print(json.dumps(facts))
"""


def replayed(tmp_path: Path, samples: np.ndarray, about: object = None, **config: object):
    path = tmp_path / "walking-1.npy"
    path.write_bytes(datasets.to_npy(samples))
    if about is not None:
        path.with_suffix(".json").write_text(json.dumps(about))
    config = {"recordings": [str(path)], "rate_hz": 100, "speed": 0, **config}
    names, units, factors, found = json.loads(on_micropython(f"CONFIG = {config!r}\n{REPLAY}"))
    return names, units, factors, np.array(found).reshape(samples.shape)


@needs_micropython
def test_noise_has_its_spread_its_seed_and_ends_at_int16(tmp_path: Path) -> None:
    still = np.zeros((4000, 3), np.int16)
    for spread in (0.5, 12, 700):
        found = replayed(tmp_path, still, noise_lsb=spread, seed=7)[3]
        assert abs(found.std() / np.hypot(spread, 1 / 12**0.5 if spread < 5 else 0) - 1) < 0.05
        assert abs(found.mean()) < 0.06 * spread
        assert np.abs(np.corrcoef(found.T) - np.eye(3)).max() < 0.06
        assert np.abs(found).max() <= 3.5 * spread + 1
        again = replayed(tmp_path, still, noise_lsb=spread, seed=7)[3]
        other = replayed(tmp_path, still, noise_lsb=spread, seed=8)[3]
        assert np.array_equal(found, again) and not np.array_equal(found, other)
    ends = np.repeat(np.array([[-32768, 32767]], np.int16), 500, axis=0)
    found = replayed(tmp_path, ends, noise_lsb=100)[3]
    assert found[:, 0].max() < -32000 and found[:, 1].min() > 32000
    assert found.min() == -32768 and found.max() == 32767


@needs_micropython
def test_what_lies_beside_a_recording_is_believed(tmp_path: Path) -> None:
    samples = np.arange(40, dtype=np.int16).reshape(20, 2)
    assert replayed(tmp_path, samples)[:3] == (None, None, None)
    about = {
        "rate_hz": 100.0,
        "channels": ["acc_x", "acc_y"],
        "units_per_lsb": [0.001, 0.002],
        "channel_units": ["m/s²", "m/s²"],
    }
    names, units, factors, found = replayed(tmp_path, samples, about)
    assert (names, units, factors) == (["acc_x", "acc_y"], ["m/s²"] * 2, [0.001, 0.002])
    assert np.array_equal(found, samples)
    with pytest.raises(AssertionError, match="was recorded at rate_hz 50, not 100"):
        replayed(tmp_path, samples, {**about, "rate_hz": 50})
