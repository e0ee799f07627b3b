"""FIFO of the InvenSense 6-axis chips whose register maps agree: MPU6050 and MPU6886.

Purpose: both adapters differ only in identity, frame and FIFO size.
Runs under: MicroPython; CPython only to import it.
Memory: see i2c_sensor.
Source: "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A-00 rev. 4.2, and
        "MPU-6886 Datasheet", DS-000193 rev. 1.1, register map.

Samples are big-endian. A full FIFO goes on over its oldest bytes, and its size is no multiple of a
frame, so after an overflow nothing says where a frame begins: all of it is thrown away, counted
once in `overruns`, and the next samples follow the gap.
"""

import time

from i2c_sensor import ACC, DEGREE, GRAVITY, GYRO, FifoSensor, choose

SMPLRT_DIV = 0x19
CONFIG = 0x1A
GYRO_CONFIG = 0x1B
ACCEL_CONFIG = 0x1C
FIFO_EN = 0x23
INT_STATUS = 0x3A
USER_CTRL = 0x6A
PWR_MGMT_1 = 0x6B
FIFO_COUNT = 0x72
FIFO_R_W = 0x74
WHO_AM_I = 0x75
_ACC_RANGES_G = {2: 0, 4: 1, 8: 2, 16: 3}
_GYRO_RANGES_DPS = {250: 0, 500: 1, 1000: 2, 2000: 3}
_OVERFLOW = 0x10
_FIFO_BYTES = 1024
# Bandwidths in Hz of the low-pass filter, with DLPF_CFG: the widest one under half the rate is
# taken, for what is faster would come back as something slow.
_FILTERS = ((176, 1), (92, 2), (41, 3), (20, 4), (10, 5), (5, 6))


class InvenSense(FifoSensor):
    def __init__(self, device, config, identity, fifo_sources, frame_bytes, offsets):
        """fifo_sources: FIFO_EN with all that goes to a frame; offsets: low bytes in a frame."""
        name = device.name
        device.expect(WHO_AM_I, identity)
        rate_hz, divider = _rate(name, config["rate_hz"])
        acc_g = config.get("acc_range_g", 4)
        gyro_dps = config.get("gyro_range_dps", 2000)
        acc_bits = choose(name, "acc_range_g", acc_g, _ACC_RANGES_G)
        gyro_bits = choose(name, "gyro_range_dps", gyro_dps, _GYRO_RANGES_DPS)
        scales = {"acc": acc_g * GRAVITY / 32768, "gyro": gyro_dps * DEGREE / 32768}
        names = ACC + GYRO if len(offsets) == 6 else ACC
        samples = _FIFO_BYTES // frame_bytes
        FifoSensor.__init__(self, device, config, rate_hz, names, scales, samples, frame_bytes)
        self.frames_from(FIFO_R_W, offsets, -1)
        self._count = bytearray(2)

        device.write(PWR_MGMT_1, 0x80)
        time.sleep_ms(100)
        device.wait_clear(PWR_MGMT_1, 0x80)
        device.write(PWR_MGMT_1, 0x01)  # awake, clock of the gyroscope
        time.sleep_ms(50)  # until the gyroscope turns
        device.write(CONFIG, low_pass(rate_hz))
        device.write(SMPLRT_DIV, divider)
        device.write(GYRO_CONFIG, gyro_bits << 3)
        device.write(ACCEL_CONFIG, acc_bits << 3)
        self.configure_more(rate_hz)
        device.write(FIFO_EN, fifo_sources)
        self._reset_fifo()

    def configure_more(self, rate_hz):
        """For what only one of the chips has."""

    def _reset_fifo(self):
        device = self._device
        self._fifo_off = True  # till the end: where an answer is missing, all of it is done again
        device.write(USER_CTRL, 0x00)  # a FIFO is reset while it is off
        device.write(USER_CTRL, 0x04)
        device.write(USER_CTRL, 0x40)
        device.read(INT_STATUS)  # which clears the flag of the overflow
        self._fifo_off = False

    def _waiting(self):
        if self._fifo_off:
            self._reset_fifo()
            return 0
        status = self._device.read(INT_STATUS)
        self._device.read_into(FIFO_COUNT, self._count)
        n_bytes = self._count[0] << 8 | self._count[1]
        # Nearly full counts too: it could overflow while it is being read.
        if status & _OVERFLOW or n_bytes > _FIFO_BYTES - 2 * self._frame_bytes:
            self.overruns += 1
            self._reset_fifo()
            return 0
        return n_bytes // self._frame_bytes

    def _sleep(self):
        self._device.write(USER_CTRL, 0x00)
        self._device.write(PWR_MGMT_1, 0x40)


def low_pass(rate_hz):
    for bandwidth_hz, code in _FILTERS:
        if bandwidth_hz <= rate_hz / 2:
            return code
    return _FILTERS[-1][1]


def _rate(name, wanted_hz):
    """(rate, divider): the chip samples at 1000 / (1 + divider) Hz."""
    divider = int(1000 / wanted_hz + 0.5) - 1 if wanted_hz > 0 else -1
    if 0 <= divider <= 255:
        rate_hz = 1000 / (1 + divider)
        if abs(rate_hz - wanted_hz) <= rate_hz / 200:
            return rate_hz, divider
    low = max(0, min(255, divider))
    near = ", ".join("%g" % (1000 / (1 + d)) for d in range(max(0, low - 1), min(255, low + 1) + 1))
    raise ValueError(
        "the %s gives rate_hz 1000/n for n from 1 to 256, not %g; near it: %s"
        % (name, wanted_hz, near)
    )
