"""What sensors on an I2C bus share: bus and pins, registers, choices, and polls of a FIFO.

Purpose: an adapter in sensors/ holds only what its chip's datasheet says.
Runs under: MicroPython; CPython only to import it.
Memory: one burst of up to 16 samples, and a view of it for each length: 500 to 900 bytes.
Timing: a look at the chip is one or two short I2C transfers, 0.1 to 0.3 ms at 400 kHz by
        calculation, and happens once in `poll_ms`; between two looks `read_into` only reads the
        clock. Not measured on a board.

Settings that every I2C sensor takes, as they stand in an app's config:
    i2c_id, scl, sda   bus and pins; the boards that an adapter names have defaults: "board"
    freq_hz            400000
    address            where the chip answers, if not at its usual address
    i2c                a bus that is open already, instead of all these
    units_per_lsb      the counts that are wanted, one factor a channel (see sensors/README.md)
"""

import time

GRAVITY = 9.80665  # m/s² in 1 g
DEGREE = 0.017453292519943295  # rad in 1°
ACC = ("acc_x", "acc_y", "acc_z")
GYRO = ("gyro_x", "gyro_y", "gyro_z")
_UNITS = {"acc": "m/s²", "gyro": "rad/s"}
_ENODEV = 19
_BURST = 16


def choose(name, what, value, choices):
    """choices[value]; ValueError that names all of them."""
    if value not in choices:
        known = ", ".join(str(choice) for choice in sorted(choices))
        raise ValueError("the %s has %s %s, not %s" % (name, what, known, value))
    return choices[value]


def choose_rate(name, wanted_hz, rates):
    """Index of the rate that is wanted, within 0.5 %; ValueError that names all of them."""
    for index, rate_hz in enumerate(rates):
        if abs(rate_hz - wanted_hz) <= rate_hz / 200:
            return index
    known = ", ".join("%g" % rate_hz for rate_hz in sorted(rates))
    raise ValueError("the %s gives rate_hz %s, not %g" % (name, known, wanted_hz))


def open_device(name, config, address, boards=None, board=None):
    """The chip, from the settings above. `boards`: board -> i2c_id, scl, sda; `board` is meant when
    nothing is said. OSError if the board has no I2C, ValueError without pins."""
    bus = config.get("i2c")
    if bus is None:
        bus = _open_bus(name, config, boards, board)
    return Device(name, bus, config.get("address", address))


def _open_bus(name, config, boards, board):
    try:
        from machine import I2C, Pin
    except ImportError:
        raise OSError(
            _ENODEV, "this board has no I2C, so no %s; use sensor='replay'" % name
        ) from None
    pins = {}
    if "scl" not in config and "i2c_id" not in config:
        if not boards:
            raise ValueError("say where the %s is wired: scl=, sda= and i2c_id=" % name)
        pins = choose(name, "board", config.get("board", board), boards)
    i2c_id = config.get("i2c_id", pins.get("i2c_id", 0))
    scl = config.get("scl", pins.get("scl"))
    sda = config.get("sda", pins.get("sda"))
    freq_hz = config.get("freq_hz", 400000)
    if scl is None or sda is None:
        return I2C(i2c_id, freq=freq_hz)  # the port's own pins
    return I2C(i2c_id, scl=Pin(scl), sda=Pin(sda), freq=freq_hz)


class Device:
    """One chip on the bus. A missing answer is an OSError with a sentence."""

    def __init__(self, name, i2c, address):
        self.name = name
        self.address = address
        self.bus = i2c
        self._one = bytearray(1)

    def read(self, register):
        self.read_into(register, self._one)
        return self._one[0]

    def read_into(self, register, buffer):
        try:
            self.bus.readfrom_mem_into(self.address, register, buffer)
        except OSError as error:
            raise self._explained(error) from None

    def write(self, register, value):
        self._one[0] = value
        try:
            self.bus.writeto_mem(self.address, register, self._one)
        except OSError as error:
            raise self._explained(error) from None

    def expect(self, register, identity):
        """OSError unless the identity register holds what this chip has there."""
        found = self.read(register)
        if found != identity:
            raise OSError(
                _ENODEV,
                "the chip at 0x%02x is no %s: its identity register 0x%02x holds 0x%02x, not 0x%02x"
                % (self.address, self.name, register, found, identity),
            )

    def wait_clear(self, register, mask):
        """Wait up to 100 ms until a bit that the chip clears by itself is 0."""
        for _ in range(20):
            if not self.read(register) & mask:
                return
            time.sleep_ms(5)
        raise OSError(5, "the %s does not come out of its reset" % self.name)

    def _explained(self, error):
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 5
        return OSError(
            code,
            "no answer from the %s at 0x%02x: look at its wires, its power and its address"
            % (self.name, self.address),
        )


class FifoSensor:
    """A chip that keeps samples until they are fetched; sensors/README.md has the interface.

    An adapter gives `_waiting()`: how many samples the chip holds, after it has counted an overrun
    and put it right; and `_sleep()`. Frames of plain 16-bit values are fetched here, at most
    `burst` in a transfer, from `register`; `offsets` are the places of each channel's low byte in
    a frame, `high` that of the high byte from there: 1 for little-endian, -1 for big-endian.
    """

    late = 0  # the chip keeps the time
    ended = False
    recording = None
    label = None

    def __init__(self, device, config, rate_hz, names, scales, fifo_samples, frame_bytes):
        """scales: channel kind, "acc" or "gyro" -> physical units in one LSB."""
        self._device = device
        self.rate_hz = rate_hz
        self.channels = len(names)
        self.channel_names = names
        self.channel_units = tuple(_UNITS[name.split("_")[0]] for name in names)
        self.units_per_lsb = tuple(scales[name.split("_")[0]] for name in names)
        self.overruns = 0
        self._gains = None
        if config.get("units_per_lsb"):
            self._gains = _gains(device.name, self.units_per_lsb, config["units_per_lsb"])
            self.units_per_lsb = tuple(config["units_per_lsb"])

        period_ms = 1000 / rate_hz
        self.poll_ms = max(1, int(min(max(2, period_ms / 2), period_ms * fifo_samples / 4)))
        self._look_at = time.ticks_ms()
        self._more = True
        raw = self._raw = bytearray(_BURST * frame_bytes)
        self._frame_bytes = frame_bytes
        self._views = [memoryview(raw)[: n * frame_bytes] for n in range(_BURST + 1)]

    def frames_from(self, register, offsets, high, shift=0):
        self._register = register
        self._offsets = bytes(offsets)
        self._high = high
        self._shift = shift

    def read_into(self, block):
        """Samples copied into `block`, array('h'); 0: none due. OSError if the chip is gone."""
        now = time.ticks_ms()
        if not self._more and time.ticks_diff(now, self._look_at) < 0:
            return 0
        self._look_at = time.ticks_add(now, self.poll_ms)
        self._more = False
        capacity = len(block) // self.channels
        waiting = self._waiting()
        n = 0
        while waiting and n < capacity:
            count = min(waiting, capacity - n, _BURST)
            try:
                got = self._fetch(block, n * self.channels, count)
            except OSError:
                if n:
                    return n  # these are good; the next call meets the fault if it is still there
                raise
            if self._gains and got:
                self._rescale(block, n * self.channels, got)
            n += got
            waiting -= count
        self._more = waiting > 0
        return n

    def close(self):
        try:
            self._sleep()
        except OSError:
            pass  # gone already

    def _fetch(self, block, at, count):
        """Copy `count` frames to block[at:]; returns how many samples that gave."""
        self._device.read_into(self._register, self._views[count])
        raw, high, shift = self._raw, self._high, self._shift
        start = 0
        for _ in range(count):
            for offset in self._offsets:
                low = start + offset
                value = raw[low] | raw[low + high] << 8
                block[at] = ((value ^ 0x8000) - 0x8000) >> shift
                at += 1
            start += self._frame_bytes
        return count

    def _rescale(self, block, at, n):
        for _ in range(n):
            for factor, shift in self._gains:
                value = (block[at] * factor + (1 << shift - 1)) >> shift
                block[at] = max(-32768, min(32767, value))
                at += 1


def _gains(name, own, wanted):
    """(factor, shift) for each channel, so that count * factor >> shift is the count wanted."""
    if len(wanted) != len(own):
        raise ValueError("the %s has %d channels, not %d" % (name, len(own), len(wanted)))
    gains = []
    for i in range(len(own)):
        ratio = own[i] / wanted[i]
        shift = 20
        # Factor times count must stay below 2^30, a small int on a 32-bit board.
        while shift > 1 and ratio * (1 << shift) >= 32000:
            shift -= 1
        if not 0 < ratio * (1 << shift) < 32000:
            raise ValueError("the %s can't count in %g" % (name, wanted[i]))
        gains.append((int(ratio * (1 << shift) + 0.5), shift))
    return gains
