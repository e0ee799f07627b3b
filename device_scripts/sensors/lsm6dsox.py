"""LSM6DSOX: accelerometer and gyroscope, by its FIFO.

Board:  Arduino Nano RP2040 Connect; modules.
Wiring: Nano RP2040 Connect: on the board, I2C 0, SCL 13, SDA 12; address 0x6A.
Memory: 900 bytes of buffers.
Timing: the FIFO holds 512 words, 256 samples: 2.4 s at 104 Hz. 16 samples are two words of 7 bytes
        each, 5 ms of bus at 400 kHz, by calculation. It has not met the real chip: tests run it
        against a model of its registers.
Source: "LSM6DSOX Datasheet", ST DS12814, and AN5272: tags of FIFO words and their counter.
Own registers rather than micropython-lib's `lsm6dsox`: that has no FIFO, and counts a gyroscope's
LSB as range/32768, where the datasheet has 8.75 to 70 mdps: 14 % more.

config: rate_hz (12.5, 26, 52, 104, 208, 417, 833), acc_range_g (2, 4, 8, 16: 4), gyro_range_dps
        (250, 500, 1000, 2000: 2000), gyroscope (True; False: only the accelerometer), and those of
        lib/i2c_sensor.py
"""

import time

from i2c_sensor import ACC, DEGREE, GRAVITY, GYRO, FifoSensor, choose, choose_rate, open_device

_BOARDS = {"nanorp2040connect": {"i2c_id": 0, "scl": 13, "sda": 12}}
_FIFO_CTRL3 = 0x09
_FIFO_CTRL4 = 0x0A
_WHO_AM_I = 0x0F
_CTRL1_XL = 0x10
_CTRL2_G = 0x11
_CTRL3_C = 0x12
_FIFO_STATUS = 0x3A
_FIFO_OUT = 0x78
_RATES_HZ = (12.5, 26, 52, 104, 208, 417, 833)
# Code and what one LSB means, in mg and mdps: datasheet, table 2.
_ACC_RANGES_G = {2: (0, 0.061), 4: (2, 0.122), 8: (3, 0.244), 16: (1, 0.488)}
_GYRO_RANGES_DPS = {250: (0, 8.75), 500: (1, 17.5), 1000: (2, 35), 2000: (3, 70)}
_GYRO_WORD = 1
_ACC_WORD = 2
_OVERRUN_LATCHED = 0x08
_WORD_BYTES = 7
_NONE = 255


def open(config):  # noqa: A001 - the interface's name, as with files
    return Lsm6dsox(open_device("LSM6DSOX", config, 0x6A, _BOARDS, "nanorp2040connect"), config)


class Lsm6dsox(FifoSensor):
    def __init__(self, device, config):
        device.expect(_WHO_AM_I, 0x6C)
        with_gyro = config.get("gyroscope", True)
        place = choose_rate("LSM6DSOX", config["rate_hz"], _RATES_HZ)
        acc_bits, mg = choose(
            "LSM6DSOX", "acc_range_g", config.get("acc_range_g", 4), _ACC_RANGES_G
        )
        gyro_bits, mdps = choose(
            "LSM6DSOX", "gyro_range_dps", config.get("gyro_range_dps", 2000), _GYRO_RANGES_DPS
        )
        scales = {"acc": mg * GRAVITY / 1000, "gyro": mdps * DEGREE / 1000}
        names = ACC + GYRO if with_gyro else ACC
        self._words = 2 if with_gyro else 1
        frame_bytes = self._words * _WORD_BYTES
        FifoSensor.__init__(
            self, device, config, _RATES_HZ[place], names, scales, 512 // self._words, frame_bytes
        )
        self._status = bytearray(2)
        # The words of one sample come one after the other. What is here of it, and its counter:
        self._half = [0] * len(names)
        self._have = 0
        self._slot = _NONE
        device.write(_CTRL3_C, 0x01)
        time.sleep_ms(10)
        device.wait_clear(_CTRL3_C, 0x01)
        device.write(_CTRL3_C, 0x44)  # whole values only, addresses count up
        code = place + 1
        device.write(_FIFO_CTRL4, 0x00)  # empties it
        device.write(_FIFO_CTRL3, code << 4 | code if with_gyro else code)
        device.write(_CTRL1_XL, code << 4 | acc_bits << 2)
        device.write(_CTRL2_G, code << 4 | gyro_bits << 2 if with_gyro else 0)
        device.write(_FIFO_CTRL4, 0x06)  # continuous: over the oldest when full

    def _waiting(self):
        self._device.read_into(_FIFO_STATUS, self._status)
        if self._status[1] & _OVERRUN_LATCHED:
            self.overruns += 1
            self._have, self._slot = 0, _NONE
        words = self._status[0] | (self._status[1] & 0x03) << 8
        return words // self._words

    def _fetch(self, block, at, count):
        self._device.read_into(_FIFO_OUT, self._views[count])
        raw, half, n = self._raw, self._half, 0
        complete = _ACC_WORD | _GYRO_WORD if self._words == 2 else _ACC_WORD
        frame_bytes = self._frame_bytes
        for start in range(0, count * frame_bytes, 7):
            tag = raw[start] >> 3
            slot = raw[start] & 0x06
            if tag != _ACC_WORD and tag != _GYRO_WORD:
                continue
            if slot != self._slot:  # what lacks its other half never gets it
                self._slot, self._have = slot, 0
            to = 0 if tag == _ACC_WORD else 3
            for low in range(start + 1, start + 7, 2):
                half[to] = ((raw[low] | raw[low + 1] << 8) ^ 0x8000) - 0x8000
                to += 1
            self._have |= tag
            if self._have == complete:
                for value in half:
                    block[at] = value
                    at += 1
                n += 1
                self._have, self._slot = 0, _NONE
        return n

    def _sleep(self):
        self._device.write(_CTRL1_XL, 0x00)
        self._device.write(_CTRL2_G, 0x00)
