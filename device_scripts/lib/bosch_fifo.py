"""FIFO with headers of Bosch Sensortec's BMA4 and BMI2 chips: BMA423 and BMI270.

Purpose: both adapters differ only in how the chip is woken and set up.
Runs under: MicroPython; CPython only to import it.
Memory: see i2c_sensor.
Source: "BMA423 Datasheet", BST-BMA423-DS000, and "BMI270 Datasheet", BST-BMI270-DS000, chapters
        FIFO and register map.

A frame is a header and little-endian values, gyroscope before accelerometer. A full FIFO drops its
oldest frames and puts a skip frame before what is left: so an overrun is seen exactly where it
happened, and costs only the samples that were dropped. A frame that a transfer cuts off is given
again, whole, by the next one.
"""

from i2c_sensor import FifoSensor

CHIP_ID = 0x00
PWR_CONF = 0x7C
PWR_CTRL = 0x7D
CMD = 0x7E
SOFT_RESET = 0xB6
ACC_CONF = 0x40
ACC_RANGE = 0x41
ACC_RANGES_G = {2: 0, 4: 1, 8: 2, 16: 3}
# Output data rates, for both chips and both sensors; the code is the place plus 5.
RATES_HZ = (12.5, 25, 50, 100, 200, 400, 800, 1600)
FIRST_RATE_CODE = 5
_FIFO_LENGTH = 0x24
_FIFO_DATA = 0x26
_FIFO_CONFIG_0 = 0x48
_FIFO_CONFIG_1 = 0x49
_FLUSH = 0xB0
_ACC_FRAME = 0x84
_GYRO_ACC_FRAME = 0x8C
_SKIP = 0x40
_TIME = 0x44
_SETTINGS = 0x48


class BoschFifo(FifoSensor):
    def __init__(self, device, config, rate_hz, names, scales, fifo_bytes, shift):
        with_gyro = len(names) == 6
        self._frame_header = _GYRO_ACC_FRAME if with_gyro else _ACC_FRAME
        frame_bytes = 13 if with_gyro else 7
        samples = fifo_bytes // frame_bytes
        FifoSensor.__init__(self, device, config, rate_hz, names, scales, samples, frame_bytes)
        offsets = (7, 9, 11, 1, 3, 5) if with_gyro else (1, 3, 5)
        self.frames_from(_FIFO_DATA, offsets, 1, shift)
        self._length = bytearray(2)
        self._fifo_sources = 0xD0 if with_gyro else 0x50  # with headers

    def start_fifo(self):
        device = self._device
        device.write(_FIFO_CONFIG_0, 0x00)  # go on when full, over the oldest; no sensor time
        device.write(_FIFO_CONFIG_1, self._fifo_sources)
        device.write(CMD, _FLUSH)

    def _waiting(self):
        self._device.read_into(_FIFO_LENGTH, self._length)
        n_bytes = self._length[0] | (self._length[1] & 0x3F) << 8
        return n_bytes // self._frame_bytes

    def _fetch(self, block, at, count):
        self._device.read_into(_FIFO_DATA, self._views[count])
        raw, shift, n = self._raw, self._shift, 0
        start, end = 0, count * self._frame_bytes
        while start < end:
            header = raw[start]
            if header & 0xFC == self._frame_header:  # the lowest bits are tags of interrupts
                if start + self._frame_bytes > end:
                    break  # the next transfer has it whole
                for offset in self._offsets:
                    value = raw[start + offset] | raw[start + offset + 1] << 8
                    block[at] = ((value ^ 0x8000) - 0x8000) >> shift
                    at += 1
                n += 1
                start += self._frame_bytes
            elif header == _SKIP:
                if start + 1 < end:  # else the frame is cut off, and will come again
                    self.overruns += 1
                start += 2
            elif header == _SETTINGS:  # it was set up anew: 4 bytes say what
                start += 5
            elif header == _TIME:
                start += 4
            else:
                break  # 0x80: nothing more in it
        return n

    def _sleep(self):
        self._device.write(PWR_CTRL, 0x00)
        self._device.write(PWR_CONF, 0x03)
