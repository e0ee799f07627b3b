"""A microphone behind machine.I2S, as a sensor that never waits.

Purpose: what the adapters of I2S and of PDM microphones share.
Runs under: MicroPython; CPython only to import it.
Memory: 128 or 256 bytes of buffer.

No port tells that its buffer ran over. It is known from the clock: more samples must have come
since the last look than the buffer holds. The clock of the samples may differ from that of the
board by some 0.1 %, which does not add up: each time the buffer is found empty, it starts anew.
"""

import select
import time
from array import array

_CHUNK = 64


class Microphone:
    channels = 1
    channel_names = ("sound",)
    channel_units = ("1",)
    late = 0
    ended = False
    recording = None
    label = None

    def __init__(self, i2s, rate_hz, bits, ring_samples, gain_bits=0):
        """i2s: gives one channel in slots of 16 or 32 bits; does not wait once it was polled."""
        if not 0 <= gain_bits <= 8:
            raise ValueError("gain_bits goes from 0 to 8, not %s" % gain_bits)
        self.rate_hz = rate_hz
        self.units_per_lsb = (1 / (32768 << gain_bits),)
        self.overruns = 0
        self._i2s = i2s
        self._shift = 8 - gain_bits
        self._wide = 1 if bits == 32 else 0
        self._halves = bits // 16  # int16 in a slot
        self._raw = array("h", bytes(2 * self._halves * _CHUNK))
        self._at = self._end = 0
        self._ring = ring_samples
        poll = select.poll()
        poll.register(i2s, select.POLLIN)
        poll.poll(0)  # from now on, it does not wait
        self._since = time.ticks_ms()
        self._taken = 0  # samples since then

    def read_into(self, block):
        self._count_overrun()
        raw, shift, wide = self._raw, self._shift, self._wide
        n, room = 0, len(block)
        while n < room:
            if self._at == self._end and not self._refill():
                break
            at = self._at
            # 24 bits; the high half of a wide slot is its second: little-endian.
            value = raw[at + wide] << 8
            if wide:
                value |= raw[at] >> 8 & 0xFF
            block[n] = max(-32768, min(32767, value >> shift))
            self._at = at + self._halves
            n += 1
        return n

    def close(self):
        self._i2s.deinit()

    def _refill(self):
        got = (self._i2s.readinto(self._raw) or 0) // (2 * self._halves)
        self._taken += got
        self._at, self._end = 0, self._halves * got
        if got < _CHUNK:  # the ring is empty now
            self._since, self._taken = time.ticks_ms(), 0
        return got

    def _count_overrun(self):
        passed_ms = min(10000, time.ticks_diff(time.ticks_ms(), self._since))
        waiting = passed_ms * self.rate_hz // 1000 - self._taken
        if waiting > self._ring:
            self.overruns += 1
            waiting = self._ring
        elif passed_ms < 2000:
            return
        self._since, self._taken = time.ticks_ms(), -waiting
