"""MPU-6050 and MPU-6886 by their register maps (RM-MPU-6000A-00; DS-000193)."""

from chips.bus import Chip, big, lsb

ACC_LSB_PER_G = (16384, 8192, 4096, 2048)
GYRO_LSB_PER_DPS = (131, 65.5, 32.8, 16.4)


class Mpu6050(Chip):
    ADDRESS = 0x68
    IDENTITY_REGISTER = 0x75
    IDENTITY = 0x68
    FIFO_BYTES = 1024

    def reset(self):
        self.registers = bytearray(256)
        self.registers[0x6B] = 0x40  # asleep
        self.registers[self.IDENTITY_REGISTER] = self.IDENTITY
        self.fifo = bytearray()

    def asleep(self):
        return bool(self.registers[0x6B] & 0x40)

    def odr_hz(self):
        if self.asleep():
            return 0
        filtered = 0 < self.registers[0x1A] & 7 < 7
        return (1000 if filtered else 8000) / (1 + self.registers[0x19])

    def take(self, values):
        enabled = self.registers[0x23]
        if not self.registers[0x6A] & 0x40 or not enabled:
            return
        acc = ACC_LSB_PER_G[self.registers[0x1C] >> 3 & 3]
        gyro = GYRO_LSB_PER_DPS[self.registers[0x1B] >> 3 & 3]
        self.fifo.extend(self.frame(values, acc, gyro, enabled))
        if len(self.fifo) > self.FIFO_BYTES:
            self.fifo = self.fifo[len(self.fifo) - self.FIFO_BYTES :]  # over the oldest bytes
            self.registers[0x3A] |= 0x10

    def frame(self, values, acc, gyro, enabled):
        out = b""
        if enabled & 0x08:
            for value in values[:3]:
                out += big(lsb(value, acc))
        if enabled & 0x80:
            out += big(340)
        for axis, bit in enumerate((0x40, 0x20, 0x10)):
            if enabled & bit:
                out += big(lsb(values[3 + axis], gyro))
        return out

    def next(self, register):
        return register if register == 0x74 else register + 1

    def get(self, register):
        if register == 0x3A:
            value = self.registers[0x3A]
            self.registers[0x3A] = 0
            return value
        if register == 0x72:
            return len(self.fifo) >> 8
        if register == 0x73:
            return len(self.fifo) & 0xFF
        if register == 0x74:
            if not self.fifo:
                return 0xFF
            value = self.fifo[0]
            self.fifo = self.fifo[1:]
            return value
        return self.registers[register]

    def put(self, register, value):
        if register == 0x6B and value & 0x80:
            self.reset()
            return
        if register == 0x6A and value & 0x04:
            # The FIFO is reset only while it is off.
            if not self.registers[0x6A] & 0x40:
                self.fifo = bytearray()
            value &= ~0x04
        self.registers[register] = value


class Mpu6886(Mpu6050):
    IDENTITY = 0x19

    def odr_hz(self):
        # Without these the chip ignores its divider.
        if self.registers[0x1B] & 3 or self.registers[0x1D] & 0x08:
            return 0 if self.asleep() else 4000
        return Mpu6050.odr_hz(self)

    def frame(self, values, acc, gyro, enabled):
        out = b""
        if enabled & 0x08:
            for value in values[:3]:
                out += big(lsb(value, acc))
        if enabled & 0x18:
            out += big(25)
        if enabled & 0x10:
            for value in values[3:]:
                out += big(lsb(value, gyro))
        return out
