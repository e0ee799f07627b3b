"""Voltages on pins, by the analogue-to-digital converter of the chip.

Board:  any with machine.ADC. On ESP32 only pins of ADC1 (32 to 39) while Wi-Fi is on.
Wiring: 0 V to the reference; more breaks the pin.
Memory: nothing but its own object.
Timing: a conversion takes 20 to 100 µs, by the chips' data sheets. There is no buffer that fills by
        itself: a sample is taken when `read_into` is called and one is due, so the app's loop
        must come round more often than `rate_hz`; up to some 200 Hz, in practice. Not measured on a
        board; it has not met the real chip.

A sample whose time has passed can't be had any more. It is left out and counted: `late` counts each
one that is missing, `overruns` each gap.

config: rate_hz, pins (up to 4), reference_v (3.3); counts are those of read_u16 less 32768, so
        count × units_per_lsb = V - reference_v / 2
"""

import time


def open(config):  # noqa: A001 - the interface's name, as with files
    try:
        from machine import ADC, Pin
    except ImportError:
        raise OSError(19, "this board has no ADC; use sensor='replay'") from None
    pins = config.get("pins")
    if not pins or len(pins) > 4:
        raise ValueError("say which pins, up to 4: pins=[26]")
    inputs = [ADC(Pin(pin)) for pin in pins]
    return Adc(inputs, pins, config["rate_hz"], config.get("reference_v", 3.3))


class Adc:
    ended = False
    recording = None
    label = None

    def __init__(self, inputs, pins, rate_hz, reference_v):
        if not 0 < rate_hz <= 1000:
            raise ValueError("the ADC is read at rate_hz up to 1000, not %s" % rate_hz)
        self.rate_hz = rate_hz
        self.channels = len(inputs)
        self.channel_names = tuple("pin_%s" % pin for pin in pins)
        self.channel_units = ("V",) * len(inputs)
        self.units_per_lsb = (reference_v / 65536,) * len(inputs)
        self.late = 0
        self.overruns = 0
        self._inputs = inputs
        # An absolute schedule in whole microseconds; the rest is carried along.
        self._denominator = int(rate_hz * 1000 + 0.5)
        self._period_us, self._rest = divmod(1000000000, self._denominator)
        self._carry = 0
        self._due = None

    def read_into(self, block):
        now = time.ticks_us()
        if self._due is None:
            self._due = now
        behind = time.ticks_diff(now, self._due)
        if behind < 0:
            return 0
        if behind >= self._period_us + 1:
            missed = behind // (self._period_us + 1)
            self.overruns += 1
            self.late += missed
            self._due = time.ticks_add(self._due, missed * self._period_us)
        self._advance()
        at = 0
        for source in self._inputs:
            block[at] = source.read_u16() - 32768
            at += 1
        return 1

    def close(self):
        pass  # an ADC has no end

    def _advance(self):
        step = self._period_us
        self._carry += self._rest
        if self._carry >= self._denominator:
            self._carry -= self._denominator
            step += 1
        self._due = time.ticks_add(self._due, step)
