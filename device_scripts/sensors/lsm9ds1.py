"""LSM9DS1: accelerometer and gyroscope, by its FIFO. Its magnetometer is not read.

Board:  Arduino Nano 33 BLE Sense (first revision).
Wiring: on the board: I2C 1, SCL 15, SDA 14, address 0x6B.
Memory: 850 bytes of buffers.
Timing: the FIFO holds 32 samples: 0.27 s at 119 Hz, 34 ms at 952 Hz. 16 samples of 12 bytes are
        4.5 ms of bus at 400 kHz, by calculation. It has not met the real chip: tests run it against
        a model of its registers.
Source: "LSM9DS1 Datasheet", ST DocID025715 rev. 3: burst reads run from gyroscope to accelerometer
        and on to the next sample (3.2.7 and figure 14).
Own registers rather than micropython-lib's `lsm9ds1`: that reads the FIFO one sample at a time as
tuples of floats, which takes heap for each, sees no overrun, and counts a gyroscope's LSB as
range/32768, where the datasheet has 8.75, 17.5 and 70 mdps: 14 % more.

config: rate_hz (14.9, 59.5, 119, 238, 476, 952; without gyroscope 10, 50, 119, 238, 476, 952),
        acc_range_g (2, 4, 8, 16: 4), gyro_range_dps (245, 500, 2000: 2000), gyroscope (True; False:
        only the accelerometer), and those of lib/i2c_sensor.py
"""

import time

from i2c_sensor import ACC, DEGREE, GRAVITY, GYRO, FifoSensor, choose, choose_rate, open_device

_BOARDS = {"nano33blesense": {"i2c_id": 1, "scl": 15, "sda": 14}}
_WHO_AM_I = 0x0F
_CTRL_REG1_G = 0x10
_OUT_G = 0x18
_CTRL_REG6_XL = 0x20
_CTRL_REG8 = 0x22
_CTRL_REG9 = 0x23
_OUT_XL = 0x28
_FIFO_CTRL = 0x2E
_FIFO_SRC = 0x2F
_RATES_HZ = (14.9, 59.5, 119, 238, 476, 952)
_ACC_RATES_HZ = (10, 50, 119, 238, 476, 952)
# Code and what one LSB means, in mg and mdps: datasheet, table 3.
_ACC_RANGES_G = {2: (0, 0.061), 4: (2, 0.122), 8: (3, 0.244), 16: (1, 0.732)}
_GYRO_RANGES_DPS = {245: (0, 8.75), 500: (1, 17.5), 2000: (3, 70)}
_OVERRUN = 0x40


def open(config):  # noqa: A001 - the interface's name, as with files
    return Lsm9ds1(open_device("LSM9DS1", config, 0x6B, _BOARDS, "nano33blesense"), config)


class Lsm9ds1(FifoSensor):
    def __init__(self, device, config):
        device.expect(_WHO_AM_I, 0x68)
        with_gyro = config.get("gyroscope", True)
        rates = _RATES_HZ if with_gyro else _ACC_RATES_HZ
        place = choose_rate("LSM9DS1", config["rate_hz"], rates)
        acc_bits, mg = choose("LSM9DS1", "acc_range_g", config.get("acc_range_g", 4), _ACC_RANGES_G)
        gyro_bits, mdps = choose(
            "LSM9DS1", "gyro_range_dps", config.get("gyro_range_dps", 2000), _GYRO_RANGES_DPS
        )
        scales = {"acc": mg * GRAVITY / 1000, "gyro": mdps * DEGREE / 1000}
        names = ACC + GYRO if with_gyro else ACC
        FifoSensor.__init__(self, device, config, rates[place], names, scales, 32, len(names) * 2)
        if with_gyro:
            self.frames_from(_OUT_G, (6, 8, 10, 0, 2, 4), 1)
        else:
            self.frames_from(_OUT_XL, (0, 2, 4), 1)
        device.write(_CTRL_REG8, 0x05)
        time.sleep_ms(20)
        device.wait_clear(_CTRL_REG8, 0x01)
        device.write(_CTRL_REG8, 0x44)  # whole values only, addresses count up
        device.write(_CTRL_REG1_G, place + 1 << 5 | gyro_bits << 3 if with_gyro else 0)
        device.write(_CTRL_REG6_XL, place + 1 << 5 | acc_bits << 3)
        device.write(_CTRL_REG9, 0x02)
        device.write(_FIFO_CTRL, 0x00)  # empties it
        device.write(_FIFO_CTRL, 0xC0)  # continuous: over the oldest when full
        self._first = True

    def _waiting(self):
        source = self._device.read(_FIFO_SRC)
        n = source & 0x3F
        if self._first:
            if not n:
                return 0
            # The datasheet wants the first sample of a FIFO that was switched on thrown away.
            self._device.read_into(self._register, self._views[1])
            self._first = False
            n -= 1
        if source & _OVERRUN:
            self.overruns += 1
        return n

    def _sleep(self):
        self._device.write(_CTRL_REG6_XL, 0x00)
        self._device.write(_CTRL_REG1_G, 0x00)
