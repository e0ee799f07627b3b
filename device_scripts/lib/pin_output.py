"""A pin that follows a class, and remembers its last changes.

Runs under: MicroPython; uses machine.Pin where a pin is given, else nothing but the memory.
Wiring: an LED, a relay's input, or a board's own LED: 2 on an ESP32 DevKit, "LED" on a Pico.
Memory: 5 bytes a change that is kept, taken once; `set` allocates nothing.
Not tried on a real pin yet.

    out = PinOutput(None, on_class=2)    a simulated pin
    out.predicted(2)                     it is on now
    out.history()                        [[ms since the start, value], ...], oldest first
"""

import time
from array import array


class PinOutput:
    def __init__(self, pin=None, on_class=0, keep=64):
        self.on_class = on_class
        self.value = 0
        self.changes = 0
        self._times = array("i", bytes(4 * keep))
        self._values = bytearray(keep)
        self._start = time.ticks_ms()
        self._pin = None
        if pin is not None:
            from machine import Pin

            self._pin = Pin(pin, Pin.OUT, value=0)

    def predicted(self, index):
        """On while the class is the one that was chosen."""
        self.set(1 if index == self.on_class else 0)

    def set(self, value):
        if value == self.value:
            return
        self.value = value
        if self._pin is not None:
            self._pin.value(value)
        place = self.changes % len(self._values)
        self._times[place] = time.ticks_diff(time.ticks_ms(), self._start)
        self._values[place] = value
        self.changes += 1

    def history(self):
        """The last changes, oldest first: [ms, value] each."""
        kept = len(self._values)
        first = max(0, self.changes - kept)
        return [[self._times[i % kept], self._values[i % kept]] for i in range(first, self.changes)]
