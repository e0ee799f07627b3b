"""An I2C bus, a clock and a world for models of chips, under MicroPython.

The models know the datasheets and nothing of the adapters. Time is moved by hand; the world says
what there is to measure at each sample: acceleration in g, rate of turn in degrees a second.
"""

ENODEV = 19
EIO = 5


class Clock:
    """Stands for the module `time`: milliseconds that pass only when told, from near the wrap."""

    PERIOD = 1 << 30

    def __init__(self):
        self.start = self.now = self.PERIOD - 1500
        self.moved = []

    def ticks_ms(self):
        return self.now % self.PERIOD

    def ticks_add(self, ticks, delta):
        return (ticks + delta) % self.PERIOD

    def ticks_diff(self, a, b):
        return (a - b + self.PERIOD // 2) % self.PERIOD - self.PERIOD // 2

    def sleep_ms(self, ms):
        self.now += ms
        for chip in self.moved:
            chip.run(ms)

    def sleep_us(self, us):
        self.sleep_ms((us + 999) // 1000)


class Chip:
    """Registers whose addresses count up, and samples at a rate. A chip's model overrides."""

    ADDRESS = 0
    IDENTITY_REGISTER = 0

    def __init__(self, world):
        self.world = world
        self.taken = 0  # samples that were measured
        self.lost = 0  # of them, those that left the FIFO unread
        self.phase = 0.0
        self.registers = bytearray(256)
        self.reset()

    def odr_hz(self):
        """Samples a second as the registers say; 0: asleep."""
        raise NotImplementedError

    def take(self, values):
        """One sample: (ax, ay, az, gx, gy, gz)."""
        raise NotImplementedError

    def run(self, ms):
        rate_hz = self.odr_hz()
        if not rate_hz:
            return
        self.phase += ms * rate_hz / 1000
        while self.phase >= 1:
            self.phase -= 1
            self.take(self.world(self.taken))
            self.taken += 1

    # --- what the bus asks ---
    def read(self, register, buffer):
        for i in range(len(buffer)):
            buffer[i] = self.get(register)
            register = self.next(register)

    def write(self, register, data):
        for value in data:
            self.put(register, value)
            register = self.next(register)

    def next(self, register):
        return register + 1

    def get(self, register):
        return self.registers[register]

    def put(self, register, value):
        self.registers[register] = value


class Bus:
    """What machine.I2C offers of memory transfers. `naks`: that many transfers get no answer,
    after the next `naks_after`."""

    def __init__(self, *chips):
        self.chips = {chip.ADDRESS: chip for chip in chips}
        self.naks = 0
        self.naks_after = 0
        self.error = ENODEV
        self.transfers = 0
        self.tape = None

    def _chip(self, address):
        self.transfers += 1
        if self.naks and self.naks_after:
            self.naks_after -= 1
        elif self.naks:
            self.naks -= 1
            raise OSError(self.error)
        if address not in self.chips:
            raise OSError(ENODEV)
        return self.chips[address]

    def readfrom_mem_into(self, address, register, buffer):
        self._chip(address).read(register, buffer)
        if self.tape is not None and len(buffer) > len(self.tape.get(register, b"")):
            self.tape[register] = bytes(buffer)

    def readfrom_mem(self, address, register, size):
        buffer = bytearray(size)
        self.readfrom_mem_into(address, register, buffer)
        return bytes(buffer)

    def writeto_mem(self, address, register, data):
        self._chip(address).write(register, data)


class Tape:
    """A bus that gives the same answers again and again, and takes no heap for it."""

    def __init__(self, answers):
        self.answers = answers

    def readfrom_mem_into(self, address, register, buffer):
        answer = self.answers[register]
        for i in range(len(buffer)):
            buffer[i] = answer[i]

    def writeto_mem(self, address, register, data):
        pass


def lsb(value, per_unit, bits=16):
    """A physical value as the chip's count, which ends at its range."""
    top = 1 << bits - 1
    count = value * per_unit
    count = int(count + 0.5) if count >= 0 else -int(0.5 - count)
    return max(-top, min(top - 1, count))


def little(count):
    return bytes((count & 0xFF, count >> 8 & 0xFF))


def big(count):
    return bytes((count >> 8 & 0xFF, count & 0xFF))
