"""BMA423 (BST-BMA423-DS000) and BMI270 (BST-BMI270-DS000) by their datasheets."""

from chips.bus import Chip, little, lsb


class Bosch(Chip):
    """What both have in common: power, commands, and a FIFO of frames with headers."""

    IDENTITY_REGISTER = 0x00

    def reset(self):
        self.registers = bytearray(256)
        self.registers[0x00] = self.IDENTITY
        self.registers[0x7C] = 0x03  # advanced power save
        self.registers[0x49] = 0x10
        self.registers[0x48] = 0x02
        self.registers[0x45] = 0x80
        self.frames = []
        self.skipped = 0
        self.config_frame = False

    def asleep(self):
        return not self.registers[0x7D] & 0x06

    def odr_hz(self):
        if not self.registers[0x7D] & 0x04:
            return 0
        return 12.5 * 2 ** ((self.registers[0x40] & 0x0F) - 5)

    def take(self, values):
        frame = self.frame(values)
        if not frame:
            return
        assert self.registers[0x40] & 0x80, "the accelerometer is not in its continuous mode"
        if sum(len(f) for f in self.frames) + len(frame) > self.FIFO_BYTES:
            if self.registers[0x48] & 0x01:
                return  # stop on full
            self.frames.pop(0)
            self.skipped = min(255, self.skipped + 1)
            self.lost += 1
        self.frames.append(frame)

    def stream(self):
        """All that can be read now, as the chip would give it."""
        out = b""
        if self.config_frame:
            out += b"\x48\x00\x00\x00\x00"
        if self.skipped:
            out += bytes((0x40, self.skipped))
        return out + b"".join(self.frames)

    def read(self, register, buffer):
        if register != 0x26:
            Chip.read(self, register, buffer)
            return
        data = self.stream()
        for i in range(len(buffer)):
            buffer[i] = data[i] if i < len(data) else 0x80 if i == len(data) else 0x00
        left = len(buffer)
        # Only what was read whole is gone.
        if self.config_frame and left >= 5:
            self.config_frame = False
            left -= 5
        if self.skipped and left >= 2:
            self.skipped = 0
            left -= 2
        while self.frames and left >= len(self.frames[0]):
            left -= len(self.frames.pop(0))

    def get(self, register):
        if register == 0x24:
            return len(self.stream()) & 0xFF
        if register == 0x25:
            return len(self.stream()) >> 8
        return self.registers[register]

    def put(self, register, value):
        if register == 0x7E:
            if value == 0xB6:
                self.reset()
            elif value == 0xB0:
                self.frames = []
                self.skipped = 0
            return
        if self.registers[0x7C] & 1 and register not in (0x7C, 0x7D):
            raise AssertionError("written while the chip saves power")
        if register in (0x40, 0x41, 0x42, 0x43):
            self.config_frame = self.registers[0x49] & 0x10 and bool(self.frames)
        self.registers[register] = value


class Bma423(Bosch):
    ADDRESS = 0x19
    IDENTITY = 0x13
    FIFO_BYTES = 1024

    def frame(self, values):
        if not self.registers[0x49] & 0x40:
            return b""
        per_g = (1024, 512, 256, 128)[self.registers[0x41] & 3]
        data = b"".join(little(lsb(value, per_g, 12) * 16) for value in values[:3])
        return (b"\x84" if self.registers[0x49] & 0x10 else b"") + data


class Bmi270(Bosch):
    ADDRESS = 0x68
    IDENTITY = 0x24
    FIFO_BYTES = 2048
    CONFIG_BYTES = 8192

    def reset(self):
        Bosch.reset(self)
        self.loaded = 0

    def odr_hz(self):
        if self.registers[0x21] & 0x0F != 1:
            return 0  # without its configuration it measures nothing
        rate_hz = Bosch.odr_hz(self)
        if self.registers[0x7D] & 0x02 and rate_hz:
            gyro_hz = 25 * 2 ** ((self.registers[0x42] & 0x0F) - 6)
            assert gyro_hz == rate_hz or not self.registers[0x49] & 0x80, "two rates"
        return rate_hz

    def frame(self, values):
        sources = self.registers[0x49]
        assert self.registers[0x45] == 0x88 or not sources & 0xC0, "unfiltered values"
        out = b""
        header = 0x80
        if sources & 0x80 and self.registers[0x7D] & 0x02:
            per_dps = (16.384, 32.768, 65.536, 131.072, 262.144)[self.registers[0x43] & 7]
            out += b"".join(little(lsb(value, per_dps)) for value in values[3:])
            header |= 0x08
        if sources & 0x40:
            per_g = (16384, 8192, 4096, 2048)[self.registers[0x41] & 3]
            out += b"".join(little(lsb(value, per_g)) for value in values[:3])
            header |= 0x04
        return bytes((header,)) + out if out and sources & 0x10 else out

    def next(self, register):
        return register if register == 0x5E else register + 1

    def put(self, register, value):
        if register == 0x5E:
            self.loaded += 1
        elif register == 0x59 and value == 1:
            self.registers[0x21] = 1 if self.loaded == self.CONFIG_BYTES else 2
        Bosch.put(self, register, value)


class DriverBMI270:
    """Stands for the driver of micropython-lib: resets the chip and loads 8 KB, of zeros."""

    def __init__(self, bus, address=0x68):
        for register, value in ((0x7E, b"\xb6"), (0x7C, b"\x00"), (0x59, b"\x00")):
            bus.writeto_mem(address, register, value)
        for _ in range(Bmi270.CONFIG_BYTES // 32):
            bus.writeto_mem(address, 0x5E, bytes(32))
        bus.writeto_mem(address, 0x59, b"\x01")
        for register, value in ((0x7D, 0x0E), (0x40, 0x0A), (0x42, 0x0A), (0x7C, 0x02)):
            bus.writeto_mem(address, register, bytes((value,)))
