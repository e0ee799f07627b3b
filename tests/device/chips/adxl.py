"""ADXL345 by its data sheet (rev. E)."""

from chips.bus import Chip, little, lsb


class Adxl345(Chip):
    ADDRESS = 0x53
    IDENTITY_REGISTER = 0x00
    IDENTITY = 0xE5
    FIFO_SLOTS = 32

    def reset(self):
        self.registers = bytearray(256)
        self.registers[0x00] = self.IDENTITY
        self.registers[0x2C] = 0x0A
        self.fifo = []
        self.overrun = False
        self.read_so_far = 0

    def asleep(self):
        return not self.registers[0x2D] & 0x08

    def odr_hz(self):
        if self.asleep():
            return 0
        return 3200 / (1 << 15 - (self.registers[0x2C] & 0x0F))

    def take(self, values):
        data_format = self.registers[0x31]
        per_g = 256 if data_format & 0x08 else 256 >> (data_format & 3)
        bits = 10 + (data_format & 3 if data_format & 0x08 else 0)
        sample = b"".join(little(lsb(value, per_g, bits)) for value in values[:3])
        # One sample stands in the data registers, 32 wait in the FIFO.
        room = self.FIFO_SLOTS + 1 if self.registers[0x38] >> 6 == 2 else 1
        if len(self.fifo) == room:
            self.fifo.pop(0)
            self.lost += 1
            self.overrun = True
        self.fifo.append(sample)

    def read(self, register, buffer):
        Chip.read(self, register, buffer)
        if register <= 0x37 and register + len(buffer) > 0x32 and self.fifo:
            # The transfer ends: what was looked at leaves.
            self.fifo.pop(0)
            self.overrun = False

    def get(self, register):
        if register == 0x30:
            return 0x80 * bool(self.fifo) | (1 if self.overrun else 0)
        if register == 0x39:
            return min(len(self.fifo), 33)
        if 0x32 <= register <= 0x37:
            return self.fifo[0][register - 0x32] if self.fifo else 0
        return self.registers[register]

    def put(self, register, value):
        if register == 0x38 and value >> 6 == 0:
            self.fifo = []
            self.overrun = False
        self.registers[register] = value
