"""Checks of the sensors that are on no I2C bus, against stand-ins for what a port offers."""

import gc
import io
import sys
from array import array


class Ticks:
    """Stands for the module `time`; moved by hand, from near the wrap."""

    PERIOD = 1 << 30

    def __init__(self):
        self.us = 0
        self.base = self.PERIOD - 400000

    def ticks_us(self):
        return (self.base + self.us) % self.PERIOD

    def ticks_ms(self):
        return (self.base + self.us // 1000) % self.PERIOD

    def ticks_add(self, ticks, delta):
        return (ticks + delta) % self.PERIOD

    def ticks_diff(self, a, b):
        return (a - b + self.PERIOD // 2) % self.PERIOD - self.PERIOD // 2


class Module:
    pass


class Pin:
    def __init__(self, number):
        self.number = number


class I2S(io.IOBase):
    """machine.I2S in its three modes: waits, unless it was polled. A ramp of 24-bit samples."""

    RX = 1
    MONO = 2
    PDM_RX = 3

    def __init__(self, i2s_id, **options):
        self.options = options
        self.polled = False
        self.open = True
        self.clock = I2S.clock
        self.made_from = 0
        self.next = 0
        self.bits = options["bits"]
        self.ring = options["ibuf"] // (self.bits // 8)

    def ioctl(self, request, argument):
        self.polled = True
        return 0

    def sample(self, k):
        return (k % 2000 - 1000) * 256 + 77  # 24 bits, of which 8 are lost

    def readinto(self, buffer):
        assert self.polled, "this would wait"
        made = self.clock.us * self.options["rate"] // 1000000
        if made - self.next > self.ring:
            self.next = made - self.ring
        size = self.bits // 8
        halves = memoryview(buffer)
        n = min(made - self.next, len(halves) * 2 // size)
        for i in range(n):
            value = self.sample(self.next + i)
            if size == 4:
                low = value << 8 & 0xFFFF
                halves[2 * i] = low - 65536 if low > 32767 else low
                halves[2 * i + 1] = value >> 8
            else:
                halves[i] = value >> 8
        self.next += n
        return n * size

    def deinit(self):
        self.open = False


def machine(**members):
    module = Module()
    for name, value in members.items():
        setattr(module, name, value)
    sys.modules["machine"] = module


def sensor(name, **config):
    return __import__("sensors." + name, None, None, ("open",)).open(config)


def ramp(values):
    for i in range(1, len(values)):
        a, b = values[i - 1], values[i]
        assert b == a + 1 or (a, b) == (999, -1000), (a, b)


def check_microphone(mic, clock):
    """A ramp, block by block; nothing twice, nothing lost; then a stall."""
    assert mic.channels == 1 and mic.rate_hz == 16000 and mic.channel_names == ("sound",)
    block = array("h", bytes(2 * 100))
    assert mic.read_into(block) == 0
    seen = []
    for i in range(300):
        clock.us += 1000 + 997 * (i % 5)
        n = mic.read_into(block)
        seen += list(block[:n])
    ramp(seen)
    assert len(seen) > 10000 and mic.overruns == 0, (len(seen), mic.overruns)
    clock.us += 3000000
    assert mic.read_into(block) == 100 and mic.overruns == 1
    seen = list(block)
    for _ in range(100):
        clock.us += 1000
        seen += list(block[: mic.read_into(block)])
    ramp(seen[100:])
    assert mic.overruns == 1
    # Every look finds something left, for a long time: still no loss, and none is made up.
    small = array("h", bytes(2 * 16))
    for _ in range(5000):
        clock.us += 1000
        assert mic.read_into(small) == 16
    assert mic.overruns == 1


def i2s_microphone():
    clock = I2S.clock = Ticks()
    import microphone

    microphone.time = clock
    machine(I2S=I2S, Pin=Pin)
    for missing in ({"ws": 1, "sd": 2}, {"sck": 1, "ws": 2, "sd": 3, "rate_hz": 96000}):
        try:
            sensor("i2s_microphone", **missing)
            raise AssertionError("taken")
        except ValueError as error:
            assert "sck=" in str(error) or "8000 to 48000" in str(error)
    pins = {"sck": 1, "ws": 2, "sd": 3}
    mic = sensor("i2s_microphone", **pins)
    assert mic.units_per_lsb == (1 / 32768,)
    check_microphone(mic, clock)
    mic.close()
    assert not mic._i2s.open
    # Each bit of gain doubles, from the bits that were cut off, and stops at the ends.
    block = array("h", bytes(2 * 50))
    for gain_bits in range(9):
        mic = sensor("i2s_microphone", gain_bits=gain_bits, **pins)
        mic._i2s.next = clock.us * 16000 // 1000000
        clock.us += 2000
        first = mic._i2s.next
        assert mic.read_into(block) == 32
        for i in range(32):
            wanted = mic._i2s.sample(first + i) * (1 << gain_bits) // 256
            assert block[i] == max(-32768, min(32767, wanted)), (gain_bits, i)
        assert mic.units_per_lsb == (1 / (32768 * (1 << gain_bits)),)


def pdm_microphone():
    clock = I2S.clock = Ticks()
    import microphone

    microphone.time = clock
    machine(I2S=I2S, Pin=Pin)
    mic = sensor("pdm_microphone")
    assert mic._i2s.options["mode"] == I2S.PDM_RX and mic._i2s.options["sck"].number == 0
    check_microphone(mic, clock)


def pdm_by_openmv():
    audio = Module()
    audio.start_streaming = lambda callback: setattr(audio, "callback", callback)
    audio.stop_streaming = lambda: setattr(audio, "callback", None)
    options = {}
    audio.init = lambda **given: options.update(given)
    sys.modules["audio"] = audio
    machine(Pin=Pin)
    mic = sensor("pdm_microphone", gain_db=12)
    assert options == {"channels": 1, "frequency": 16000, "gain_db": 12}
    block = array("h", bytes(2 * 100))
    k, seen = 0, []
    for _ in range(400):
        piece = array("h", [(k + i) % 2000 - 1000 for i in range(50)])
        audio.callback(bytearray(piece))
        k += 50
        seen += list(block[: mic.read_into(block)])
    ramp(seen)
    assert len(seen) == k and mic.overruns == 0
    for _ in range(100):
        audio.callback(bytearray(100))
    assert mic.overruns == 100 - 4096 // 50 + (4096 % 50 == 0), mic.overruns
    mic.close()
    assert audio.callback is None


def pdm_by_nobody():
    for module in ("machine", "audio"):
        sys.modules.pop(module, None)
    try:
        sensor("pdm_microphone")
    except OSError as error:
        assert error.errno == 19 and "reads no PDM microphone" in error.args[1]
        return
    raise AssertionError("nothing was raised")


class ADC:
    def __init__(self, pin):
        self.pin = pin

    def read_u16(self):
        return {26: 0, 27: 65535, 28: 32768}[self.pin.number]


def adc():
    clock = Ticks()
    import sensors.adc as adapter

    adapter.time = clock
    machine(ADC=ADC, Pin=Pin)
    for wrong in ({}, {"pins": [1, 2, 3, 4, 5]}, {"pins": [26], "rate_hz": 2000}):
        try:
            sensor("adc", **dict({"rate_hz": 100}, **wrong))
            raise AssertionError("taken")
        except ValueError as error:
            assert "pins" in str(error) or "up to 1000" in str(error)
    source = sensor("adc", rate_hz=30, pins=[26, 27, 28])
    block = array("h", bytes(2 * 3))
    assert source.channel_names == ("pin_26", "pin_27", "pin_28")
    n = 0
    while clock.us < 100000000:
        n += source.read_into(block)
        clock.us += 3100
    assert list(block) == [-32768, 32767, 0]
    assert abs(n - 3000) <= 1 and source.overruns == source.late == 0, (n, source.late)
    volts = [value * source.units_per_lsb[0] + 3.3 / 2 for value in block]
    assert abs(volts[0]) < 0.001 and abs(volts[1] - 3.3) < 0.001, volts
    clock.us += 333334 + 20000  # ten periods more
    n = sum(source.read_into(block) for _ in range(5))
    assert n == 1 and source.overruns == 1 and 9 <= source.late <= 11, (n, source.late)
    try:
        sys.modules.pop("machine")
        sensor("adc", rate_hz=30, pins=[26])
        raise AssertionError("taken")
    except OSError as error:
        assert "no ADC" in error.args[1]


def allocation():
    clock = I2S.clock = Ticks()
    import microphone
    import sensors.adc as adapter
    import sensors.replay as replay

    adapter.time = microphone.time = replay.time = clock
    machine(ADC=ADC, Pin=Pin, I2S=I2S)

    class Still(I2S):
        def readinto(self, buffer):
            return 128

    machine(ADC=ADC, Pin=Pin, I2S=Still)

    class Zero:
        def read_u16(self):
            return 0

    sources = [
        sensor("i2s_microphone", sck=1, ws=2, sd=3, gain_bits=3),
        adapter.Adc([Zero(), Zero()], (1, 2), 100, 3.3),
        replay.open({"recordings": [PATH], "rate_hz": 100, "noise_lsb": 20}),
    ]
    block = array("h", bytes(2 * 6 * 8))
    for source in sources:
        clock.us += 20000
        assert source.read_into(block)
        gc.collect()
        gc.disable()
        before, n = gc.mem_alloc(), 0
        for _ in range(40):
            clock.us += 10000
            n += source.read_into(block)
        taken = gc.mem_alloc() - before
        gc.enable()
        assert n >= 40 and taken == 0, (source, n, taken)


def run(name, path=None):
    global PATH
    PATH = path
    globals()[name]()
    print("ok")
