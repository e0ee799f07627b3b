"""LSM9DS1 (DocID025715) and LSM6DSOX (DS12814, AN5272) by their datasheets."""

from chips.bus import Chip, little, lsb

# mg and mdps in one LSB, by the code in the register.
LSM9_MG = {0: 0.061, 1: 0.732, 2: 0.122, 3: 0.244}
LSM9_MDPS = {0: 8.75, 1: 17.5, 3: 70}
LSM6_MG = {0: 0.061, 1: 0.488, 2: 0.122, 3: 0.244}
LSM6_MDPS = {0: 8.75, 1: 17.5, 2: 35, 3: 70}


def _six(values, mg, mdps):
    acc = b"".join(little(lsb(value, 1000 / mg)) for value in values[:3])
    gyro = b"".join(little(lsb(value, 1000 / mdps)) for value in values[3:])
    return acc, gyro


class Lsm9ds1(Chip):
    ADDRESS = 0x6B
    IDENTITY_REGISTER = 0x0F
    IDENTITY = 0x68
    SLOTS = 32

    def reset(self):
        self.registers = bytearray(256)
        self.registers[0x0F] = self.IDENTITY
        self.registers[0x22] = 0x04
        self.fifo = []
        self.overrun = False
        self.slot = bytes(12)

    def asleep(self):
        return self.odr_hz() == 0

    def odr_hz(self):
        gyro, acc = self.registers[0x10] >> 5, self.registers[0x20] >> 5
        if gyro:
            return (0, 14.9, 59.5, 119, 238, 476, 952)[gyro]
        return (0, 10, 50, 119, 238, 476, 952)[acc]

    def take(self, values):
        mg = LSM9_MG[self.registers[0x20] >> 3 & 3]
        acc, gyro = _six(values, mg, LSM9_MDPS[self.registers[0x10] >> 3 & 3])
        if not self.registers[0x10] >> 5:
            gyro = bytes(6)
        if self.registers[0x23] & 0x02 and self.registers[0x2E] >> 5 == 6:
            if len(self.fifo) == self.SLOTS:
                self.fifo.pop(0)
                self.lost += 1
                self.overrun = True
            self.fifo.append(gyro + acc)

    def next(self, register):
        if not self.registers[0x22] & 0x04:
            return register
        both = self.registers[0x10] >> 5
        if register == 0x1D and both:
            return 0x28
        if register == 0x2D:
            return 0x18 if both else 0x28
        return register + 1

    def get(self, register):
        if register == 0x2F:
            return len(self.fifo) | (0x40 if self.overrun else 0)
        first = 0x18 if self.registers[0x10] >> 5 else 0x28
        if register == first and self.fifo:
            self.slot = self.fifo.pop(0)
            self.overrun = False
        if 0x18 <= register <= 0x1D:
            return self.slot[register - 0x18]
        if 0x28 <= register <= 0x2D:
            return self.slot[6 + register - 0x28]
        return self.registers[register]

    def put(self, register, value):
        if register == 0x22 and value & 0x01:
            self.reset()
            return
        if register == 0x2E and value >> 5 == 0:
            self.fifo = []
            self.overrun = False
        self.registers[register] = value


class Lsm6dsox(Chip):
    ADDRESS = 0x6A
    IDENTITY_REGISTER = 0x0F
    IDENTITY = 0x6C
    WORDS = 512
    RATES = (0, 12.5, 26, 52, 104, 208, 417, 833)
    GYRO_STARTS_AFTER = 4  # samples that the accelerometer is ahead

    def reset(self):
        self.registers = bytearray(256)
        self.registers[0x0F] = self.IDENTITY
        self.registers[0x12] = 0x04
        self.fifo = []
        self.latched = False
        self.counter = 0
        self.gyro_waits = self.GYRO_STARTS_AFTER
        self.word = bytes(7)

    def asleep(self):
        return not self.registers[0x10] >> 4 and not self.registers[0x11] >> 4

    def odr_hz(self):
        return self.RATES[self.registers[0x10] >> 4]

    def take(self, values):
        if self.registers[0x0A] & 7 != 6:
            return
        mg = LSM6_MG[self.registers[0x10] >> 2 & 3]
        acc, gyro = _six(values, mg, LSM6_MDPS[self.registers[0x11] >> 2 & 3])
        self.counter = (self.counter + 1) & 3
        batch = self.registers[0x09]
        assert batch & 15 in (0, self.registers[0x10] >> 4), "batched at another rate"
        if batch >> 4 and self.registers[0x11] >> 4:
            if self.gyro_waits:
                self.gyro_waits -= 1
            else:
                self._push(1, gyro)
        if batch & 15:
            self._push(2, acc)

    def _push(self, sensor, data):
        if len(self.fifo) == self.WORDS:
            self.fifo.pop(0)
            self.lost += 0.5 if self.registers[0x09] >> 4 else 1
            self.latched = True
        bits = sensor << 3 | self.counter << 1
        parity = 0
        for bit in range(1, 8):
            parity ^= bits >> bit & 1
        self.fifo.append(bytes((bits | parity,)) + data)

    def next(self, register):
        if not self.registers[0x12] & 0x04:
            return register
        return 0x78 if register == 0x7E else register + 1

    def get(self, register):
        if register == 0x3A:
            return len(self.fifo) & 0xFF
        if register == 0x3B:
            value = len(self.fifo) >> 8 & 3
            if self.latched:
                value |= 0x08
            self.latched = False
            return value
        if register == 0x78:
            self.word = self.fifo.pop(0) if self.fifo else bytes(7)
        if 0x78 <= register <= 0x7E:
            return self.word[register - 0x78]
        return self.registers[register]

    def put(self, register, value):
        if register == 0x12 and value & 0x01:
            self.reset()
            return
        if register == 0x0A and value & 7 == 0:
            self.fifo = []
        self.registers[register] = value
