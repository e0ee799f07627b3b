"""BMI270: accelerometer and gyroscope, by its FIFO.

Board:  Arduino Nano 33 BLE Sense Rev2; AtomS3R (board="atoms3r").
Wiring: on the board. I2C address 0x68. Nano 33: I2C 1, SCL 15, SDA 14; AtomS3R: SCL 0, SDA 45.
Needs:  the driver `bmi270` of micropython-lib in /lib, which board.deploy(sensor="bmi270") brings:
        the chip starts only after 8 KB of Bosch's own configuration, and the driver has it.
Memory: 900 bytes of buffers; the driver takes about 9 KB more while it loads.
Timing: opening takes about 2 s, for the configuration. 2 KB of FIFO is 157 samples of 13 bytes,
        1.5 s at 100 Hz. 16 samples are 5 ms of bus at 400 kHz, by calculation. It has not met the
        real chip: tests run it against a model of its registers.
Source: "BMI270 Datasheet", BST-BMI270-DS000.
Of the driver only the start is used. It has no FIFO, and sets another rate than asked: it puts 0x0A
into the low half of ACC_CONF and GYR_CONF, where the rate is.

config: rate_hz (25 to 1600; 12.5 too without gyroscope), acc_range_g (2, 4, 8, 16: 4),
        gyro_range_dps (125, 250, 500, 1000, 2000: 2000), gyroscope (True; False: only the
        accelerometer), and those of lib/i2c_sensor.py
"""

import time

import bosch_fifo as bosch
from i2c_sensor import ACC, DEGREE, GRAVITY, GYRO, choose, choose_rate, open_device

_BOARDS = {
    "nano33blesenserev2": {"i2c_id": 1, "scl": 15, "sda": 14},
    "atoms3r": {"i2c_id": 0, "scl": 0, "sda": 45},
}
_GYRO_RANGES_DPS = {2000: 0, 1000: 1, 500: 2, 250: 3, 125: 4}
_GYR_CONF = 0x42
_GYR_RANGE = 0x43
_FIFO_DOWNS = 0x45


def open(config):  # noqa: A001 - the interface's name, as with files
    return Bmi270(open_device("BMI270", config, 0x68, _BOARDS, "nano33blesenserev2"), config)


class Bmi270(bosch.BoschFifo):
    def __init__(self, device, config):
        device.expect(bosch.CHIP_ID, 0x24)
        with_gyro = config.get("gyroscope", True)
        rates = bosch.RATES_HZ[1:] if with_gyro else bosch.RATES_HZ
        rate_hz = rates[choose_rate("BMI270", config["rate_hz"], rates)]
        code = bosch.RATES_HZ.index(rate_hz) + bosch.FIRST_RATE_CODE
        acc_g = config.get("acc_range_g", 4)
        gyro_dps = config.get("gyro_range_dps", 2000)
        acc_bits = choose("BMI270", "acc_range_g", acc_g, bosch.ACC_RANGES_G)
        gyro_bits = choose("BMI270", "gyro_range_dps", gyro_dps, _GYRO_RANGES_DPS)
        scales = {"acc": acc_g * GRAVITY / 32768, "gyro": gyro_dps * DEGREE / 32768}
        names = ACC + GYRO if with_gyro else ACC
        bosch.BoschFifo.__init__(self, device, config, rate_hz, names, scales, 2048, shift=0)
        _start(device)
        device.write(bosch.PWR_CONF, 0x00)
        time.sleep_ms(1)
        device.write(bosch.ACC_CONF, 0xA0 | code)  # continuous, normal filter
        device.write(bosch.ACC_RANGE, acc_bits)
        device.write(_GYR_CONF, 0xE0 | code)
        device.write(_GYR_RANGE, gyro_bits)
        device.write(_FIFO_DOWNS, 0x88)  # filtered values, none left out
        device.write(bosch.PWR_CTRL, 0x06 if with_gyro else 0x04)
        time.sleep_ms(50)  # until the gyroscope turns
        self.start_fifo()


def _start(device):
    """Reset the chip and load its configuration, by the driver."""
    try:
        from bmi270 import BMI270
    except ImportError:
        raise OSError(
            2, "the driver bmi270 is not on the board; board.deploy(..., sensor='bmi270') brings it"
        ) from None
    BMI270(device.bus, address=device.address)
