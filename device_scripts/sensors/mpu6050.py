"""MPU6050: accelerometer and gyroscope, by its FIFO; the GY-521 module.

Board:  any with I2C.
Wiring: VCC, GND, SCL, SDA; AD0 low: address 0x68, high: 0x69 (address=0x69). Say scl=, sda= and
        i2c_id=.
Memory: 850 bytes of buffers.
Timing: 1 KB of FIFO is 85 samples of 12 bytes, 0.85 s at 100 Hz. 16 samples are 4.5 ms of bus at
        400 kHz, by calculation. It has not met the real chip: tests run it against a model of its
        registers.
Source: "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A-00 rev. 4.2.
Own registers rather than a driver: there is none in micropython-lib. Many modules carry a clone
(MPU6500 and others) that gives another identity; they are refused with the identity that was found.

config: rate_hz (1000/n), acc_range_g (2, 4, 8, 16: 4), gyro_range_dps (250, 500, 1000, 2000: 2000),
        gyroscope (True; False: only the accelerometer), and those of lib/i2c_sensor.py
"""

from i2c_sensor import open_device
from invensense import InvenSense


def open(config):  # noqa: A001 - the interface's name, as with files
    device = open_device("MPU6050", config, 0x68)
    if config.get("gyroscope", True):
        return InvenSense(device, config, 0x68, 0x78, 12, (1, 3, 5, 7, 9, 11))
    return InvenSense(device, config, 0x68, 0x08, 6, (1, 3, 5))
