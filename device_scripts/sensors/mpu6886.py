"""MPU6886: accelerometer and gyroscope, by its FIFO.

Board:  M5StickC, M5StickC Plus, M5Stack Atom Matrix (board="atommatrix"), AtomS3 (board="atoms3").
Wiring: on the board. I2C address 0x68; M5StickC: SCL 22, SDA 21; Atom Matrix: SCL 21, SDA 25;
        AtomS3: SCL 39, SDA 38.
Memory: 900 bytes of buffers.
Timing: 1 KB of FIFO is 73 samples of 14 bytes, 0.73 s at 100 Hz. 16 samples are 5 ms of bus at
        400 kHz, by calculation. It has not met the real chip: tests run it against a model of its
        registers.
Source: "MPU-6886 Datasheet", TDK InvenSense DS-000193 rev. 1.1. That the temperature stands between
        accelerometer and gyroscope in a FIFO frame, and behind the accelerometer alone, is said
        there for FIFO_EN (0x23).
Own registers rather than a driver: there is none in micropython-lib.

config: rate_hz (1000/n), acc_range_g (2, 4, 8, 16: 4), gyro_range_dps (250, 500, 1000, 2000: 2000),
        gyroscope (True; False: only the accelerometer), and those of lib/i2c_sensor.py
"""

from i2c_sensor import open_device
from invensense import InvenSense, low_pass

_BOARDS = {
    "m5stickc": {"i2c_id": 0, "scl": 22, "sda": 21},
    "atommatrix": {"i2c_id": 0, "scl": 21, "sda": 25},
    "atoms3": {"i2c_id": 0, "scl": 39, "sda": 38},
}
_ACCEL_CONFIG_2 = 0x1D


def open(config):  # noqa: A001 - the interface's name, as with files
    device = open_device("MPU6886", config, 0x68, _BOARDS, "m5stickc")
    if config.get("gyroscope", True):
        return Mpu6886(device, config, 0x19, 0x18, 14, (1, 3, 5, 9, 11, 13))
    return Mpu6886(device, config, 0x19, 0x08, 8, (1, 3, 5))


class Mpu6886(InvenSense):
    def configure_more(self, rate_hz):
        # The accelerometer has a filter of its own, with the same codes but for the fastest.
        self._device.write(_ACCEL_CONFIG_2, low_pass(rate_hz))
