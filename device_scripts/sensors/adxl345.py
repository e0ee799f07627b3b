"""ADXL345: accelerometer, by its FIFO; the GY-291 module.

Board:  any with I2C.
Wiring: VCC, GND, SCL, SDA, CS to 3.3 V; SDO low: address 0x53, high: 0x1D (address=0x1D). Say scl=,
        sda= and i2c_id=.
Memory: 500 bytes of buffers.
Timing: 32 samples of FIFO are 0.32 s at 100 Hz, 40 ms at 800 Hz. The chip gives one sample a
        transfer, 0.23 ms at 400 kHz, by calculation. It has not met the real chip: tests run it
        against a model of its registers.
Source: "ADXL345 Data Sheet", Analog Devices rev. E: a sample leaves the FIFO when all six data
        registers have been read at once; the overrun bit goes when data are read.
Own registers rather than a driver: there is none in micropython-lib.

config: rate_hz (6.25 to 800, the most that the data sheet allows at 400 kHz), acc_range_g (2, 4, 8,
        16: 4), and those of lib/i2c_sensor.py
"""

from i2c_sensor import ACC, GRAVITY, FifoSensor, choose, choose_rate, open_device

_DEVID = 0x00
_BW_RATE = 0x2C
_POWER_CTL = 0x2D
_INT_SOURCE = 0x30
_DATA_FORMAT = 0x31
_DATA = 0x32
_FIFO_CTL = 0x38
_FIFO_STATUS = 0x39
_RATES_HZ = (6.25, 12.5, 25, 50, 100, 200, 400, 800)
_FIRST_RATE_CODE = 6
_ACC_RANGES_G = {2: 0, 4: 1, 8: 2, 16: 3}
_OVERRUN = 0x01


def open(config):  # noqa: A001 - the interface's name, as with files
    return Adxl345(open_device("ADXL345", config, 0x53), config)


class Adxl345(FifoSensor):
    def __init__(self, device, config):
        device.expect(_DEVID, 0xE5)
        place = choose_rate("ADXL345", config["rate_hz"], _RATES_HZ)
        acc_bits = choose("ADXL345", "acc_range_g", config.get("acc_range_g", 4), _ACC_RANGES_G)
        scales = {"acc": GRAVITY / 256}  # at full resolution the same in every range
        FifoSensor.__init__(self, device, config, _RATES_HZ[place], ACC, scales, 32, 6)
        self.frames_from(_DATA, (0, 2, 4), 1)
        # There is no reset: every register that matters is written.
        device.write(_POWER_CTL, 0x00)
        device.write(_BW_RATE, place + _FIRST_RATE_CODE)
        device.write(_DATA_FORMAT, 0x08 | acc_bits)  # full resolution
        device.write(_FIFO_CTL, 0x00)  # empties it
        device.write(_FIFO_CTL, 0x80)  # stream: over the oldest when full
        device.write(_POWER_CTL, 0x08)

    def _waiting(self):
        overrun = self._device.read(_INT_SOURCE) & _OVERRUN
        n = self._device.read(_FIFO_STATUS) & 0x3F
        if overrun:
            self.overruns += 1
        return n

    def _fetch(self, block, at, count):
        n = 0
        while n < count:
            try:
                FifoSensor._fetch(self, block, at + 3 * n, 1)
            except OSError:
                if n:
                    return n
                raise
            n += 1
        return n

    def _sleep(self):
        self._device.write(_POWER_CTL, 0x00)
