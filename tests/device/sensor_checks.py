"""Checks of the I2C sensors against models of their chips, run by tests/test_sensors.py.

run(chip, check)   an AssertionError says what is wrong
"""

import gc
import sys
from array import array

import i2c_sensor
import invensense
from chips.adxl import Adxl345
from chips.bosch import Bma423, Bmi270, DriverBMI270
from chips.bus import EIO, Bus, Clock, Tape
from chips.mpu import Mpu6050, Mpu6886
from chips.st import Lsm6dsox, Lsm9ds1

G = 9.80665
DEGREE = 3.141592653589793 / 180

# model, rates to try, accelerometer and gyroscope ranges, a rate that the chip does not have
CHIPS = {
    "mpu6050": (Mpu6050, (10, 100, 1000), (2, 4, 8, 16), (250, 500, 1000, 2000), 300),
    "mpu6886": (Mpu6886, (10, 100, 1000), (2, 4, 8, 16), (250, 500, 1000, 2000), 1500),
    "lsm9ds1": (Lsm9ds1, (14.9, 59.5, 119, 952), (2, 4, 8, 16), (245, 500, 2000), 100),
    "lsm6dsox": (Lsm6dsox, (12.5, 104, 833), (2, 4, 8, 16), (250, 500, 1000, 2000), 100),
    "bma423": (Bma423, (12.5, 100, 1600), (2, 4, 8, 16), (), 60),
    "bmi270": (Bmi270, (25, 100, 1600), (2, 4, 8, 16), (125, 250, 500, 1000, 2000), 12.5),
    "adxl345": (Adxl345, (6.25, 100, 800), (2, 4, 8, 16), (), 1600),
}
STEPS = 400  # the world counts from 0 to here, and again


def counting(k):
    """A world in which every sample tells its number, by both sensors, and shows if it is out of
    step."""
    step = k % STEPS - STEPS // 2
    return (0.004 * step, 0.5, -0.25, 2.0 * step, -40.0, 60.0)


class Bench:
    """A chip on a bus, and the adapter that reads it."""

    def __init__(self, chip, world=counting, identity=None, naks=0, **config):
        model, rates, _, gyro, _ = CHIPS[chip]
        self.clock = Clock()
        self.adapter = __import__("sensors." + chip, None, None, ("open",))
        for module in (i2c_sensor, invensense, self.adapter):
            module.time = self.clock
        stand_in = _Module()
        stand_in.BMI270 = DriverBMI270
        sys.modules["bmi270"] = stand_in
        self.chip = model(world)
        if identity is not None:
            self.chip.registers[self.chip.IDENTITY_REGISTER] = identity
        self.clock.moved.append(self.chip)
        self.bus = Bus(self.chip)
        self.bus.naks = naks
        settings = {"rate_hz": rates[1], "i2c": self.bus}
        settings.update(config)
        self.sensor = self.adapter.open(settings)
        self.channels = self.sensor.channels
        self.gyro = bool(gyro) and config.get("gyroscope", True)

    def poll(self, ms, samples=40):
        """Let time pass, then read once: a list of samples, each physical."""
        self.clock.sleep_ms(ms)
        block = array("h", bytes(2 * self.channels * samples))
        n = self.sensor.read_into(block)
        assert 0 <= n <= samples, n
        units = self.sensor.units_per_lsb
        return [
            [block[i * self.channels + c] * units[c] for c in range(self.channels)]
            for i in range(n)
        ]

    def poll_on(self, ms):
        """As an app that does not mind a missing answer."""
        try:
            return self.poll(ms)
        except OSError:
            return []

    def numbers(self, rows):
        """Which samples of `counting` these are."""
        found = []
        for row in rows:
            near(row[1], 0.5 * G, "acc_y")
            near(row[2], -0.25 * G, "acc_z")
            found.append(int(row[0] / G / 0.004 + STEPS // 2 + 0.5) % STEPS)
            if self.gyro:
                near(row[4], -40 * DEGREE, "gyro_y")
                near(row[5], 60 * DEGREE, "gyro_z")
                turned = int(row[3] / DEGREE / 2 + STEPS // 2 + 0.5) % STEPS
                assert turned == found[-1], f"turned with {turned}, moved with {found[-1]}"
        return found


class _Module:
    pass


def near(found, wanted, what, share=0.02, slack=0.03):
    within = abs(wanted) * share + slack
    assert abs(found - wanted) <= within, f"{what}: {found}, not {wanted}"


def consecutive(numbers):
    for i in range(1, len(numbers)):
        a, b = numbers[i - 1], numbers[i]
        assert b == (a + 1) % STEPS, f"{b} comes after {a}"


def constant(values):
    return lambda k: values


def fails(error, make):
    try:
        make()
    except error as found:
        return found
    raise AssertionError("nothing was raised")


# --- the checks --------------------------------------------------------------------------------
def interface(chip):
    bench = Bench(chip)
    s = bench.sensor
    assert s.channels == len(s.channel_names) == len(s.channel_units) == len(s.units_per_lsb)
    assert s.channel_names[:3] == ("acc_x", "acc_y", "acc_z") and s.channel_units[0] == "m/s²"
    if bench.gyro:
        assert s.channel_names[3:] == ("gyro_x", "gyro_y", "gyro_z")
        assert s.channel_units[3:] == ("rad/s",) * 3
    assert s.rate_hz == CHIPS[chip][1][1] and s.overruns == 0 and s.late == 0
    assert not s.ended and s.recording is None and s.label is None


def wrong_identity(chip):
    error = fails(OSError, lambda: Bench(chip, identity=0x71))
    assert error.errno == 19 and "holds 0x71" in error.args[1], error
    assert chip.upper() in error.args[1], error


def scale(chip):
    """Known values, of both signs, on each axis and in every range."""
    _, _, acc_ranges, gyro_ranges, _ = CHIPS[chip]
    for axis in range(3):
        for sign in (1, -1):
            values = [0.0] * 6
            values[axis] = sign * 1.0
            values[5 - axis] = -sign * 100.0
            for place, acc_g in enumerate(acc_ranges):
                config = {"acc_range_g": acc_g}
                if gyro_ranges:
                    config["gyro_range_dps"] = gyro_ranges[place % len(gyro_ranges)]
                bench = Bench(chip, constant(values), **config)
                rows = bench.poll(100) + bench.poll(100)
                assert rows
                for row in rows:
                    for c, wanted in enumerate(values[: bench.channels]):
                        near(row[c], wanted * (G if c < 3 else DEGREE), f"{c} at {config}")


def gyro_ranges(chip):
    for dps in CHIPS[chip][3]:
        values = (0, 0, 1, dps * 0.9, -dps * 0.9, dps * 0.3)
        bench = Bench(chip, constant(values), gyro_range_dps=dps)
        for row in bench.poll(200):
            for c in (3, 4, 5):
                near(row[c], values[c] * DEGREE, f"gyro at {dps}")


def order(chip):
    """However the polls fall, every sample comes once and in its place."""
    for rate_hz in CHIPS[chip][1]:
        bench = Bench(chip, rate_hz=rate_hz)
        taken_before = bench.chip.taken
        most_ms = int(15000 / rate_hz)
        seen = []
        for i in range(120):
            seen += bench.numbers(bench.poll(1 + i * 7919 % most_ms, 1 + i * 31 % 40))
        for _ in range(40):
            seen += bench.numbers(bench.poll(bench.sensor.poll_ms))
        consecutive(seen)
        assert bench.sensor.overruns == 0 and len(seen) > 200, len(seen)
        passed_s = (bench.clock.now - bench.clock.start) / 1000
        assert len(seen) <= passed_s * rate_hz + 1
        taken = bench.chip.taken - taken_before
        assert taken - len(seen) < 12, (taken, len(seen))


def rate(chip):
    """The chip delivers what the sensor says it does."""
    for rate_hz in CHIPS[chip][1]:
        bench = Bench(chip, rate_hz=rate_hz)
        for _ in range(100):
            bench.poll(int(8000 / rate_hz))
        got, polls = 0, 200
        for _ in range(polls):
            got += len(bench.poll(int(8000 / rate_hz)))
        wanted = polls * int(8000 / rate_hz) / 1000 * bench.sensor.rate_hz
        assert abs(got - wanted) <= 10, (rate_hz, got, wanted)


def overrun(chip):
    """What was lost is counted, and what follows is in its place again."""
    bench = Bench(chip)
    seen = []
    for _ in range(10):
        seen += bench.numbers(bench.poll(50))
    consecutive(seen)
    for stall in (1, 2):
        bench.poll(10000)
        assert bench.sensor.overruns == stall, bench.sensor.overruns
        while bench.sensor._more:
            bench.poll(0)
        seen = []
        for _ in range(20):
            seen += bench.numbers(bench.poll(50))
        assert len(seen) > 20
        consecutive(seen)
        assert bench.sensor.overruns == stall, bench.sensor.overruns


def small_overrun(chip):
    """A block that is too small for what waits: the rest comes later, counted once."""
    bench = Bench(chip)
    bench.poll(20000, samples=3)
    seen = []
    for _ in range(400):
        seen += bench.numbers(bench.poll(1, samples=3))
    consecutive(seen)
    assert bench.sensor.overruns == 1, bench.sensor.overruns


def no_answer(chip):
    error = fails(OSError, lambda: Bench(chip, naks=1))
    assert error.errno == 19 and "no answer from the" in error.args[1], error
    bench = Bench(chip)
    seen = []
    for _ in range(8):
        seen += bench.numbers(bench.poll(40))
    bench.bus.error = EIO
    bench.bus.naks = 1
    error = fails(OSError, lambda: bench.poll(40))
    assert error.errno == EIO and "look at its wires" in error.args[1], error
    for _ in range(8):
        seen += bench.numbers(bench.poll(40))
    consecutive(seen)
    assert bench.sensor.overruns == 0
    bench.bus.chips = {}
    bench.sensor.close()  # of a chip that is gone


def no_answer_anywhere(chip):
    """Whichever transfer of a look gets no answer: nothing comes twice, nothing goes missing."""
    for at in range(6):
        bench = Bench(chip)
        seen = bench.numbers(bench.poll(100))
        bench.bus.naks_after, bench.bus.naks = at, 1
        for _ in range(20):
            seen += bench.numbers(bench.poll_on(40))
        assert not bench.bus.naks
        consecutive(seen)
        assert bench.sensor.overruns == 0 and len(seen) > 50, (at, len(seen))


def no_answer_after_overrun(chip):
    """The same while an overrun is dealt with: told at least once, and the sensor goes on."""
    for at in range(10):
        bench = Bench(chip)
        bench.poll(100)
        bench.clock.sleep_ms(10000)
        bench.bus.naks_after, bench.bus.naks = at, 1
        for _ in range(10):
            bench.poll_on(0)
            bench.clock.sleep_ms(bench.sensor.poll_ms)
        bench.bus.naks = 0
        told = bench.sensor.overruns
        assert 1 <= told <= 2, (at, told)
        while bench.sensor._more:
            bench.poll(0)
        seen = []
        for _ in range(20):
            seen += bench.numbers(bench.poll(50))
        consecutive(seen)
        assert len(seen) > 50 and bench.sensor.overruns == told, (at, len(seen))


def refused(chip):
    _, _, _, gyro, bad_hz = CHIPS[chip]
    error = fails(ValueError, lambda: Bench(chip, rate_hz=bad_hz))
    assert "rate_hz" in error.args[0] and f"not {bad_hz}" in error.args[0], error
    error = fails(ValueError, lambda: Bench(chip, acc_range_g=3))
    assert "acc_range_g 2, 4, 8, 16, not 3" in error.args[0], error
    if gyro:
        error = fails(ValueError, lambda: Bench(chip, gyro_range_dps=300))
        assert "gyro_range_dps" in error.args[0], error


def only_acc(chip):
    if not CHIPS[chip][3]:
        return
    bench = Bench(chip, gyroscope=False, rate_hz=119 if chip == "lsm9ds1" else CHIPS[chip][1][1])
    assert bench.channels == 3
    seen = []
    for _ in range(30):
        seen += bench.numbers(bench.poll(40))
    consecutive(seen)
    assert len(seen) > 50


def overflow_flag(chip):
    """InvenSense: the flag alone is believed, whatever the count says."""
    bench = Bench(chip)
    bench.poll(100)
    bench.chip.registers[0x3A] |= 0x10
    assert bench.poll(50) == [] and bench.sensor.overruns == 1
    seen = []
    for _ in range(20):
        seen += bench.numbers(bench.poll(50))
    consecutive(seen)
    assert len(seen) > 50 and bench.sensor.overruns == 1


def closed(chip):
    bench = Bench(chip)
    assert not bench.chip.asleep()
    bench.sensor.close()
    assert bench.chip.asleep()


def not_before_its_time(chip):
    """Between two looks the bus is left alone."""
    bench = Bench(chip)
    bench.poll(30)
    before = bench.bus.transfers
    for _ in range(50):
        bench.poll(0)
    assert bench.bus.transfers == before


def other_counts(chip):
    """Counts as a model was trained on, with saturation."""
    bench = Bench(chip)
    wanted = [0.001] * 3 + [0.0026633725] * 3
    bench = Bench(chip, units_per_lsb=wanted[: bench.channels])
    assert list(bench.sensor.units_per_lsb) == wanted[: bench.channels]
    seen = []
    for _ in range(20):
        seen += bench.numbers(bench.poll(40))
    consecutive(seen)
    wanted = [0.002] * bench.channels
    bench = Bench(chip, constant((15, -15, 0, 0, 0, 0)), acc_range_g=16, units_per_lsb=wanted)
    rows = bench.poll(200)
    assert rows
    near(rows[0][0], 32767 * 0.002, "top")
    near(rows[0][1], -32768 * 0.002, "bottom")


def allocation(chip):
    """Nothing is allocated in steady state."""
    for more in ({}, {"units_per_lsb": 1}):
        config = {}
        if more:
            config["units_per_lsb"] = Bench(chip).sensor.units_per_lsb
        bench = Bench(chip, **config)
        bench.poll(60)
        bench.bus.tape = {}
        assert bench.poll(100)
        tape = Tape(bench.bus.tape)
        sensor, clock = bench.sensor, bench.clock
        sensor._device.bus = tape
        clock.moved.clear()
        block = array("h", bytes(2 * bench.channels * 8))
        n = 0
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for _ in range(50):
            clock.now += 50
            n += sensor.read_into(block)
        taken = gc.mem_alloc() - before
        gc.enable()
        assert n >= 100 and taken == 0, (n, taken)


def run(chip, check):
    globals()[check](chip)
    print("ok")
