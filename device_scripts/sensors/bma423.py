"""BMA423: accelerometer, by its FIFO.

Board:  LilyGo T-Watch S3; T-Watch 2020 (board="twatch2020").
Wiring: on the board. I2C address 0x19; T-Watch S3: SCL 11, SDA 10; T-Watch 2020: SCL 22, SDA 21.
Memory: 700 bytes of buffers.
Timing: 1 KB of FIFO is 146 samples of 7 bytes, 1.4 s at 100 Hz. 16 samples are 2.7 ms of bus at
        400 kHz, by calculation. It has not met the real chip: tests run it against a model of its
        registers.
Source: "BMA423 Datasheet", BST-BMA423-DS000.
Own registers rather than a driver: there is none in micropython-lib. Steps and gestures need a
configuration of Bosch's; plain acceleration does not, so none is loaded.

Values have 12 bits. config: rate_hz (12.5 to 1600), acc_range_g (2, 4, 8, 16: 4), and those of
lib/i2c_sensor.py
"""

import time

import bosch_fifo as bosch
from i2c_sensor import ACC, GRAVITY, choose, choose_rate, open_device

_BOARDS = {
    "twatchs3": {"i2c_id": 0, "scl": 11, "sda": 10},
    "twatch2020": {"i2c_id": 0, "scl": 22, "sda": 21},
}


def open(config):  # noqa: A001 - the interface's name, as with files
    return Bma423(open_device("BMA423", config, 0x19, _BOARDS, "twatchs3"), config)


class Bma423(bosch.BoschFifo):
    def __init__(self, device, config):
        device.expect(bosch.CHIP_ID, 0x13)
        place = choose_rate("BMA423", config["rate_hz"], bosch.RATES_HZ)
        acc_g = config.get("acc_range_g", 4)
        acc_bits = choose("BMA423", "acc_range_g", acc_g, bosch.ACC_RANGES_G)
        scales = {"acc": acc_g * GRAVITY / 2048}
        bosch.BoschFifo.__init__(
            self, device, config, bosch.RATES_HZ[place], ACC, scales, 1024, shift=4
        )
        device.write(bosch.CMD, bosch.SOFT_RESET)
        time.sleep_ms(10)
        device.write(bosch.PWR_CONF, 0x00)  # no power saving: registers answer at once
        time.sleep_ms(1)
        # Continuous, with the normal filter: half power at about 0.4 of the rate.
        device.write(bosch.ACC_CONF, 0xA0 | place + bosch.FIRST_RATE_CODE)
        device.write(bosch.ACC_RANGE, acc_bits)
        device.write(bosch.PWR_CTRL, 0x04)
        self.start_fifo()
