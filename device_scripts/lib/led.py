"""A light-emitting diode on a pin, or on no pin at all: each change is printed as well.

Runs under: MicroPython; uses machine.Pin where there is one and a pin is given.
Wiring: many boards have an LED on a pin: 2 on an ESP32 DevKit, "LED" on a Pico.
Memory: under 100 bytes. Not tried on a real pin yet.

    led = LED()      a simulated pin
    led = LED(2)     pin 2
    led.toggle()
"""


class LED:
    """value: 1 while it shines, else 0."""

    def __init__(self, pin=None):
        self.value = 0
        self._pin = None
        if pin is not None:
            from machine import Pin

            self._pin = Pin(pin, Pin.OUT, value=0)

    def on(self):
        self._set(1)

    def off(self):
        self._set(0)

    def toggle(self):
        self._set(1 - self.value)

    def _set(self, value):
        self.value = value
        if self._pin is not None:
            self._pin.value(value)
        print("led on" if value else "led off")
